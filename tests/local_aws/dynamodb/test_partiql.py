"""DynamoDB's PartiQL, for learners who would rather write SQL: moto has it, with a parser of its own."""

from __future__ import annotations

import uuid

import pytest


def test_a_table_can_be_asked_in_partiql(aws):
    dynamodb, table = aws.client("dynamodb"), aws.table()
    for number in ("1", "2"):
        dynamodb.put_item(TableName=table, Item={"OrderId": {"S": number}, "Amount": {"N": number}})
    question = f"SELECT Amount FROM \"{table}\" WHERE OrderId = '2'"
    assert dynamodb.execute_statement(Statement=question)["Items"] == [{"Amount": {"N": "2"}}]


@pytest.fixture
def things(aws):
    """A client and a table with both keys, where some values look like parts of statements."""
    dynamodb, table = aws.client("dynamodb"), aws.table(f"things_{uuid.uuid4().hex}", keys={"id": "S", "at": "S"})
    for name, text in {"a": "plain", "x AND y": "why?", "?": "plain"}.items():
        for at in "12":
            item = {"id": {"S": name}, "at": {"S": at}, "text": {"S": text}}
            dynamodb.put_item(TableName=table, Item=item)
    return dynamodb, table


def stored(dynamodb, table) -> list[str]:
    return sorted(item["id"]["S"] + item["at"]["S"] for item in dynamodb.scan(TableName=table)["Items"])


@pytest.mark.parametrize("condition, parameters, found", [
    ("id = 'a' AND at = '1'", "", ["a1"]),
    ("id = 'a' and at = '1'", "", ["a1"]),
    ("at = '2' AND id='a'", "", ["a2"]),
    ("id = ? AND at = ?", "a2", ["a2"]),
    ("id = 'a' AND at = ?", "2", ["a2"]),
    ("id = ? AND at = '1'", ["x AND y"], ["x AND y1"]),
    ("id = ? AND at = '1'", "?", ["?1"]),
    ("id = 'a' AND at = '1' AND text = 'plain'", "", ["a1"]),
    ("id = 'a' AND at = '1' AND text = 'other'", "", []),
    ("id = 'a' AND at = '3'", "", []),
    ("id = 'a' AND text = 'plain'", "", ["a1", "a2"]),
    ("text = 'plain' AND at = '1'", "", ["?1", "a1"]),
    ("id = 'a' OR id = '?'", "", ["?1", "?2", "a1", "a2"]),
])  # fmt: skip
def test_a_condition_selects_what_it_says(things, condition, parameters, found):
    dynamodb, table = things
    given = {"Parameters": [{"S": each} for each in parameters]} if parameters else {}
    answer = dynamodb.execute_statement(Statement=f'SELECT * FROM "{table}" WHERE {condition}', **given)
    assert sorted(item["id"]["S"] + item["at"]["S"] for item in answer["Items"]) == found


def test_parameters_are_counted_past_question_marks_in_texts(things):
    dynamodb, table = things
    statement = f"UPDATE {table} SET text='what?' WHERE id=? AND at=?"
    dynamodb.execute_statement(Statement=statement, Parameters=[{"S": "a"}, {"S": "1"}])
    changed = [item for item in dynamodb.scan(TableName=table)["Items"] if item["text"] == {"S": "what?"}]
    assert changed == [{"id": {"S": "a"}, "at": {"S": "1"}, "text": {"S": "what?"}}]


def test_a_statement_changes_its_own_item_alone(things):
    dynamodb, table = things
    dynamodb.execute_statement(Statement=f"DELETE FROM {table} WHERE id='a' AND at='1'")
    dynamodb.execute_statement(Statement=f"INSERT INTO {table} VALUE {{'id': 'new', 'at': '1'}}")
    assert stored(dynamodb, table) == ["?1", "?2", "a2", "new1", "x AND y1", "x AND y2"]
    dynamodb.execute_statement(Statement=f"DELETE FROM {table} WHERE text='plain'")
    assert stored(dynamodb, table) == ["new1", "x AND y1", "x AND y2"]


def test_what_is_not_there_is_said(things):
    dynamodb, table = things
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.execute_statement(Statement="SELECT * FROM absent WHERE id = 'a'")
    with pytest.raises(dynamodb.exceptions.ClientError, match="does not have the specified index"):
        dynamodb.execute_statement(Statement=f"SELECT * FROM {table}.by_text WHERE id = 'a'")
