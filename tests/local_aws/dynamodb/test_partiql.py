"""DynamoDB's PartiQL, for learners who would rather write SQL: moto has it, with a parser of its own."""

import uuid


def test_a_table_can_be_asked_in_partiql(aws):
    dynamodb, table = aws.client("dynamodb"), f"table-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "OrderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "OrderId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in ("1", "2"):
        dynamodb.put_item(TableName=table, Item={"OrderId": {"S": number}, "Amount": {"N": number}})
    question = f"SELECT Amount FROM \"{table}\" WHERE OrderId = '2'"
    assert dynamodb.execute_statement(Statement=question)["Items"] == [{"Amount": {"N": "2"}}]
