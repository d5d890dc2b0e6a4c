"""A request that is sent twice with the same token runs once, and is answered twice."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto.core.model import ServiceModel

from helpers.local_aws.account import service_models
from helpers.local_aws.http import request_tokens
from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.local_aws.test_in_process import run
from tests.support.lambda_requests import refused
from tests.support.polling import PATIENCE


def adding(table: str, amount: int = 1, name: str = "a") -> dict[str, Any]:
    """A transaction that shows how often it has run."""
    values = {":n": {"N": str(amount)}}
    update = {"TableName": table, "Key": {"OrderId": {"S": name}}, "UpdateExpression": "ADD n :n"}
    return {"TransactItems": [{"Update": {**update, "ExpressionAttributeValues": values}}]}


def sum_of(client: Any, table: str) -> int:
    return int(client.get_item(TableName=table, Key={"OrderId": {"S": "a"}})["Item"]["n"]["N"])


def token() -> str:
    return uuid.uuid4().hex


def test_a_transaction_runs_once(aws):
    client, table, first = aws.client("dynamodb"), aws.table(), token()
    answers = [client.transact_write_items(**adding(table), ClientRequestToken=first) for _ in range(3)]
    assert sum_of(client, table) == 1
    assert len({answer["ResponseMetadata"]["RequestId"] for answer in answers}) == 1, "the very same answer"
    client.transact_write_items(**adding(table), ClientRequestToken=token())
    client.transact_write_items(**adding(table))
    client.transact_write_items(**adding(table))
    assert sum_of(client, table) == 4, "without a token of one's own, SDKs send one each time"


def test_a_token_is_of_one_request(aws):
    client, table, first = aws.client("dynamodb"), aws.table(), token()
    client.transact_write_items(**adding(table), ClientRequestToken=first)
    code, message = refused(client.transact_write_items, **adding(table, 2), ClientRequestToken=first)
    assert code == "IdempotentParameterMismatchException" and "token" in message
    assert sum_of(client, table) == 1
    other = aws.own_client("dynamodb")
    assert refused(other.transact_write_items, **adding(table, 3), ClientRequestToken=first)[0] == code


def test_a_statement_and_a_transaction_may_have_the_same_token(aws):
    client, table, first = aws.client("dynamodb"), aws.table(), token()
    statement = {"TransactStatements": [{"Statement": f"INSERT INTO \"{table}\" VALUE {{'OrderId': 'b'}}"}]}
    for _ in range(2):  # a second INSERT would be refused
        client.execute_transaction(**statement, ClientRequestToken=first)
        client.transact_write_items(**adding(table), ClientRequestToken=first)
    assert sum_of(client, table) == 1


def test_what_failed_may_be_sent_again(aws):
    client, table, first = aws.client("dynamodb"), aws.table(), token()
    check = {"TableName": table, "Key": {"OrderId": {"S": "b"}}, "ConditionExpression": "attribute_exists(OrderId)"}
    items = {"TransactItems": [*adding(table)["TransactItems"], {"ConditionCheck": check}]}
    for _ in range(2):
        assert refused(client.transact_write_items, **items, ClientRequestToken=first)[0] == (
            "TransactionCanceledException"
        )
    client.put_item(TableName=table, Item={"OrderId": {"S": "b"}})
    for _ in range(2):
        client.transact_write_items(**items, ClientRequestToken=first)
    assert sum_of(client, table) == 1


def test_who_asks_at_the_same_moment_waits(aws):
    client, table, first = aws.client("dynamodb"), aws.table(), token()

    def ask() -> None:
        aws.own_client("dynamodb").transact_write_items(**adding(table), ClientRequestToken=first)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum_of(client, table) == 1


TEMPLATE = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})


def test_a_stack_is_begun_once_with_a_token(aws):
    client, name, first = aws.client("cloudformation"), f"stack-{token()}", token()
    stack = {"StackName": name, "TemplateBody": TEMPLATE}
    ids = {client.create_stack(**stack, ClientRequestToken=first)["StackId"] for _ in range(3)}
    assert len(ids) == 1
    code, _ = refused(client.create_stack, **stack, DisableRollback=True, ClientRequestToken=first)
    assert code == "TokenAlreadyExistsException"
    assert refused(client.create_stack, **stack)[0] == "AlreadyExistsException"
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})


def test_no_answer_speaks_of_what_was_deleted_since(aws):
    """Or a script with a token of its own would be told the second time that its stack is there."""
    client, name = aws.client("cloudformation"), f"stack-{token()}"
    made, gone = token(), token()
    for _ in range(2):
        client.create_stack(StackName=name, TemplateBody=TEMPLATE, ClientRequestToken=made)
        waiting = {"StackName": name, "WaiterConfig": {"Delay": 0.1, "MaxAttempts": 600}}
        client.get_waiter("stack_create_complete").wait(**waiting)
        client.delete_stack(StackName=name, ClientRequestToken=gone)
        client.get_waiter("stack_delete_complete").wait(**waiting)


def test_a_service_that_says_so_otherwise(aws):
    """EC2 has the error's name in its guide alone, and Step Functions goes by the execution's name and input."""
    ec2 = aws.client("ec2")
    asked = {"CidrBlock": "10.0.0.0/16"}
    vpc = ec2.create_vpc(**asked)["Vpc"]["VpcId"]
    first = token()
    gateways = {
        ec2.create_egress_only_internet_gateway(VpcId=vpc, ClientToken=first)["EgressOnlyInternetGateway"][
            "EgressOnlyInternetGatewayId"
        ]
        for _ in range(2)
    }
    assert len(gateways) == 1
    other = ec2.create_vpc(**asked)["Vpc"]["VpcId"]
    code, _ = refused(ec2.create_egress_only_internet_gateway, VpcId=other, ClientToken=first)
    assert code == "IdempotentParameterMismatch"


def test_a_secrets_token_is_its_version(aws):
    client, name, first = aws.client("secretsmanager"), f"secret-{token()}", token()
    for _ in range(2):
        made = client.create_secret(Name=name, SecretString="a", ClientRequestToken=first)
        assert made["VersionId"] == first
    assert refused(client.create_secret, Name=name, SecretString="b", ClientRequestToken=first)[0] == (
        "ResourceExistsException"
    )
    second = token()
    for _ in range(2):
        client.put_secret_value(SecretId=name, SecretString="b", ClientRequestToken=second)
    assert refused(client.put_secret_value, SecretId=name, SecretString="c", ClientRequestToken=second)[0] == (
        "ResourceExistsException"
    )
    assert client.get_secret_value(SecretId=name)["SecretString"] == "b"


def test_a_token_outlives_the_server(account):  # noqa: F811
    account.make_table()
    first, second = token(), token()
    stack = {"StackName": "stack", "TemplateBody": TEMPLATE, "ClientRequestToken": second}
    account.client("dynamodb").transact_write_items(**adding("orders"), ClientRequestToken=first)
    made = account.client("cloudformation").create_stack(**stack)["StackId"]
    account.restart()
    client = account.client("dynamodb")
    client.transact_write_items(**adding("orders"), ClientRequestToken=first)
    assert sum_of(client, "orders") == 1
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        client.transact_write_items(**adding("orders", 2), ClientRequestToken=first)
    assert account.client("cloudformation").create_stack(**stack)["StackId"] == made


def test_a_token_holds_ten_minutes_and_comes_to_disk_with_what_it_stands_for(tmp_path):
    """Its row is in the same batch as the items, or as the state; and it goes when its time is over."""
    found = run("""
        import pickle, sys
        from helpers.local_aws import in_process
        from helpers.local_aws.engine.clock import ManualClock
        from helpers.local_aws.storage import journal
        from tests.local_aws.http.test_request_tokens import TEMPLATE, adding, sum_of
        clock = ManualClock()
        with in_process(sys.argv[1], clock=clock, scale=0.0) as account:
            client = account.client("dynamodb")
            key = [{"AttributeName": "OrderId", "KeyType": "HASH"}]
            kinds = [{"AttributeName": "OrderId", "AttributeType": "S"}]
            table = {"TableName": "orders", "KeySchema": key, "AttributeDefinitions": kinds}
            client.create_table(**table, BillingMode="PAY_PER_REQUEST")
            batches, append = [], journal.store._append
            def noting(batch):
                emptied, changed = pickle.loads(batch)
                batches.append(sorted({kind for kind, _ in emptied} | {name[0] for name, _ in changed} - {"uptime"}))
                append(batch)
            journal.store._append = noting
            sums = []
            for seconds in (0, 599, 2, 300):
                clock.advance(seconds)
                client.transact_write_items(**adding("orders"), ClientRequestToken="one")
                sums.append(sum_of(client, "orders"))
            transactions = [each for each in batches if "item" in each or "request token" in each]
            tokens = len([1 for _ in journal.store.rows("request token")])
            batches.clear()
            account.client("cloudformation").create_stack(
                StackName="stack", TemplateBody=TEMPLATE, ClientRequestToken="two")
            stack = [each for each in batches if "request token" in each]
            batches.clear()
            client.delete_table(TableName="orders")
            deleted = [each for each in batches if "item" in each]
        result = [sums, transactions, tokens, stack, deleted]
    """, str(tmp_path))  # fmt: skip
    sums, transactions, tokens, stack, deleted = found
    assert sums == [1, 1, 2, 2] and tokens == 1
    assert transactions == [["item", "request token"]] * 2
    assert len(stack) == 1 and "our state" in stack[0]
    assert len(deleted) == 1 and "state" in deleted[0], "a table and its items go together, too"


def all_models() -> list[ServiceModel]:
    names = botocore.session.get_session().get_available_services()
    return [model for name in names if (model := service_models.find(name)) is not None]


@pytest.mark.deep
def test_every_token_in_the_models_is_one_here_or_there_is_a_reason():
    """What looks like a token, in any of AWS's services: by the models' own mark, or by its name."""
    left_out, counted = set(), 0
    for model in all_models():
        for name in model.operation_names:
            operation = model.operation_model(name)
            members = operation.input_shape.members if operation.input_shape else {}
            looks = [each for each in members if each in operation.idempotent_members or each in request_tokens._NAMES]
            taken = request_tokens.member(operation)
            counted += taken is not None
            left_out |= {(model.service_name, each) for each in looks if each != taken}
    assert left_out == set(request_tokens.NO_TOKENS)
    assert counted > 1500
