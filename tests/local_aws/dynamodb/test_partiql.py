"""DynamoDB's PartiQL, for learners who would rather write SQL: moto has it, with a parser of its own."""


def test_a_table_can_be_asked_in_partiql(aws):
    dynamodb, table = aws.client("dynamodb"), aws.table()
    for number in ("1", "2"):
        dynamodb.put_item(TableName=table, Item={"OrderId": {"S": number}, "Amount": {"N": number}})
    question = f"SELECT Amount FROM \"{table}\" WHERE OrderId = '2'"
    assert dynamodb.execute_statement(Statement=question)["Items"] == [{"Amount": {"N": "2"}}]
