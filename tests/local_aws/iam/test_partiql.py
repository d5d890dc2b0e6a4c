"""Which table a PartiQL statement is about is read as DynamoDB's grammar has it, not as a text that looks like it."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.iam.partiql import NotParsed, parse
from tests.local_aws.test_attacks import Session
from tests.support.campaign import examples
from tests.support.raw_requests import address_of_aws  # noqa: F401


@pytest.mark.parametrize(
    ("text", "verb", "table", "index"),
    [
        ('SELECT * FROM "t" WHERE id = ?', "SELECT", "t", None),
        ("select a.b[0], \"from\" from t where x = 'FROM v'", "SELECT", "t", None),
        ('SELECT "x FROM v WHERE " FROM "my.table-1"', "SELECT", "my.table-1", None),
        ("SELECT ' FROM v' FROM t", "SELECT", "t", None),
        ('SELECT * FROM "t"."by_kind"', "SELECT", "t", "by_kind"),
        ("SELECT * FROM t.i ORDER BY a DESC;", "SELECT", "t", "i"),
        ("INSERT INTO t VALUE {'id': 'a', 'text': 'INTO v'}", "INSERT", "t", None),
        ("  UPDATE/* v */ \"t\" SET a='FROM v' WHERE id='1'", "UPDATE", "t", None),
        ("DELETE -- FROM v\n FROM t WHERE id = 'it''s'", "DELETE", "t", None),
        ('EXISTS(SELECT * FROM "t" WHERE id = 1)', "EXISTS", "t", None),
    ],
)
def test_the_table(text, verb, table, index):
    found = parse(text)
    assert (found.verb, found.table, found.index) == (verb, table, index)
    again = parse(found.text)
    assert (again.verb, again.table, again.index, again.text) == (verb, table, index, found.text)


@pytest.mark.parametrize(
    "text",
    ["", ";", "SELECT", "SELECT *", "SELECT * FROM", "SELECT * FROM a, b", "SELECT * FROM a b", "SELECT * FROM a AS b",
     "SELECT * FROM (SELECT * FROM v)", "SELECT * FROM t WHERE EXISTS (SELECT * FROM v)", "SELECT * FROM 't'",
     "SELECT * FROM t.i.x", 'SELECT * FROM ""', 'SELECT * FROM "a b"', "SELECT * FROM t WHERE a = 'open",
     'SELECT * FROM "t', "SELECT * FROM t /* open", "DELETE FROM t WHERE a = 1; DELETE FROM v", "DELETE t", "DROP t",
     "INSERT v INTO t VALUE {}", "UPDATE t", "UPDATE a, b SET x = 1", "EXISTS(DELETE FROM t WHERE a = 1)", "\0",
     "SELECT (SELECT a FROM v) FROM t"],
)  # fmt: skip
def test_what_is_no_statement_of_one_table(text):
    with pytest.raises(NotParsed, match="wasn't well formed"):
        parse(text)


PIECES = st.sampled_from(
    ["SELECT", "FROM", "INSERT", "INTO", "UPDATE", "SET", "DELETE", "WHERE", "VALUE", "EXISTS(", ")", "*", "t", '"t"']
    + ["v", '"v"', ".", ",", "'", '"', "'FROM v'", "--", "\n", "/*", "*/", ";", "=", "?", "{'a': 'b'}", "a", "a = 'b'"]
)


@examples(600)
@given(st.lists(PIECES, max_size=14).map(" ".join))
def test_any_text_has_one_table_or_none(text):
    try:
        found = parse(text)
    except NotParsed:
        return
    assert parse(found.text).table == found.table and found.table in text


class TestInAnAccount:
    """IAM is asked about that table, and moto acts on no other."""

    @pytest.fixture
    def two(self, aws) -> tuple[Session, str, str]:
        """A session that may do everything with the first table, and nothing with the second."""
        own, other = (aws.table(f"{kind}_{uuid.uuid4().hex[:8]}") for kind in ("own", "other"))
        for table in (own, other):
            aws.client("dynamodb").put_item(TableName=table, Item={"OrderId": {"S": "1"}})
        session = Session(aws)
        resource = f"arn:aws:dynamodb:us-east-1:123456789012:table/{own}"
        statement = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": [resource, f"{resource}/*"]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("iam").put_role_policy(RoleName=session.role, PolicyName="own", PolicyDocument=policy)
        return session, own, other

    @pytest.mark.parametrize(
        "statement",
        ['SELECT * FROM "{other}"', 'SELECT "x FROM {own} WHERE " FROM {other}', "SELECT * FROM /* {own} */ {other}",
         'SELECT "x FROM {other} WHERE " FROM {own}', "SELECT ' FROM {other} WHERE ' FROM {own}",
         "SELECT * FROM {own}, {other}", "DELETE FROM {other} WHERE OrderId = '1'", "SELECT * FROM {other}.{own}",
         "DELETE FROM -- {own}\n{other} WHERE OrderId = '1'", "UPDATE {other} SET a = '{own}' WHERE OrderId = '1'"],
    )  # fmt: skip
    def test_the_other_table_is_out_of_reach(self, aws, two, statement):
        session, own, other = two
        dynamodb = session.client("dynamodb")
        text = statement.format(own=own, other=other)
        for call in (
            lambda: dynamodb.execute_statement(Statement=text)["Items"],
            lambda: dynamodb.batch_execute_statement(Statements=[{"Statement": text}])["Responses"],
            lambda: dynamodb.execute_transaction(TransactStatements=[{"Statement": text}])["Responses"],
        ):
            with pytest.raises(ClientError) as refusal:
                call()
            code = refusal.value.response["Error"]["Code"]
            assert code in ("AccessDeniedException", "ValidationException", "NotImplemented")
        found = aws.client("dynamodb").scan(TableName=other)["Items"]
        assert found == [{"OrderId": {"S": "1"}}]

    def test_its_own_is_read_and_written(self, two):
        session, own, _ = two
        dynamodb = session.client("dynamodb")
        dynamodb.execute_statement(Statement=f"INSERT INTO \"{own}\" VALUE {{'OrderId': '2'}} -- new")
        assert len(dynamodb.execute_statement(Statement=f"SELECT /* all */ * FROM {own}")["Items"]) == 2

    @pytest.mark.parametrize("index", ['"{}"."by-kind"', "{}.by_kind"])
    def test_an_index_is_a_resource_of_its_own(self, aws, index):
        name = "by-kind" if "-" in index else "by_kind"
        keys = [{"AttributeName": each, "AttributeType": "S"} for each in ("OrderId", "Kind")]
        schema = [{"AttributeName": "Kind", "KeyType": "HASH"}]
        indexes = [{"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}]
        table = aws.table(f"t_{uuid.uuid4().hex}", AttributeDefinitions=keys, GlobalSecondaryIndexes=indexes)
        aws.client("dynamodb").put_item(TableName=table, Item={"OrderId": {"S": "1"}, "Kind": {"S": "k"}})
        session, arn = Session(aws), f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}"
        statement = {"Effect": "Allow", "Action": "dynamodb:PartiQLSelect", "Resource": f"{arn}/index/{name}"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("iam").put_role_policy(RoleName=session.role, PolicyName="own", PolicyDocument=policy)
        dynamodb = session.client("dynamodb")
        found = dynamodb.execute_statement(Statement=f"SELECT * FROM {index.format(table)} WHERE Kind = 'k'")["Items"]
        assert len(found) == 1
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.execute_statement(Statement=f"SELECT * FROM \"{table}\" WHERE Kind = 'k'")

    @pytest.mark.parametrize("text", ["SELECT * FROM a, b", "nonsense"])
    def test_what_cannot_be_parsed_is_refused_to_the_administrator_too(self, aws, text):
        dynamodb = aws.client("dynamodb")
        for call in (
            lambda: dynamodb.execute_statement(Statement=text),
            lambda: dynamodb.batch_execute_statement(Statements=[{"Statement": text}]),
            lambda: dynamodb.execute_transaction(TransactStatements=[{"Statement": text}]),
        ):
            with pytest.raises(ClientError, match="ValidationException.*wasn't well formed"):
                call()
