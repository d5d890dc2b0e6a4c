"""A table's stream: what is in it, for how long, and who reads it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.exceptions import JsonRESTError

from helpers.local_aws.dynamodb import item_rows, stream
from helpers.local_aws.engine import clock
from helpers.local_aws.recovery import snapshots
from helpers.local_aws.storage import journal
from tests.support.embedded_aws import Gate
from tests.support.one_thread import restart
from tests.support.polling import eventually

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
HOUR = 3600.0


class Reader:
    """Reads a table's stream from outside."""

    def __init__(self, aws: Any, table: str) -> None:
        self.client = aws.client("dynamodbstreams")
        self.arn = aws.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]

    def place(self, kind: str, **settings: str) -> str:
        (shard,) = self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        asked = {"StreamArn": self.arn, "ShardId": shard["ShardId"], "ShardIteratorType": kind, **settings}
        return self.client.get_shard_iterator(**asked)["ShardIterator"]

    def read(self, place: str, **settings: int) -> tuple[list[str], str]:
        """The orders that the records are about, and the next place."""
        answer = self.client.get_records(ShardIterator=place, **settings)
        return [each["dynamodb"]["Keys"]["OrderId"]["S"] for each in answer["Records"]], answer["NextShardIterator"]


@pytest.fixture
def table(aws) -> str:
    return aws.table(StreamSpecification=STREAM)


def put(aws: Any, table: str, *orders: str) -> None:
    for order in orders:
        aws.client("dynamodb").put_item(TableName=table, Item={"OrderId": {"S": order}})


def test_a_reader_goes_on_where_it_was(aws, table):
    reader = Reader(aws, table)
    put(aws, table, "a", "b", "c")
    found, place = reader.read(reader.place("TRIM_HORIZON"), Limit=2)
    assert found == ["a", "b"]
    found, place = reader.read(place)
    assert found == ["c"]
    assert reader.read(place) == ([], place)
    put(aws, table, "d")
    assert reader.read(place)[0] == ["d"]


def test_places_of_all_kinds(aws, table):
    reader = Reader(aws, table)
    put(aws, table, "a", "b")
    latest = reader.place("LATEST")
    records = reader.client.get_records(ShardIterator=reader.place("TRIM_HORIZON"))["Records"]
    number = records[0]["dynamodb"]["SequenceNumber"]
    put(aws, table, "c")
    assert reader.read(reader.place("AT_SEQUENCE_NUMBER", SequenceNumber=number))[0] == ["a", "b", "c"]
    assert reader.read(reader.place("AFTER_SEQUENCE_NUMBER", SequenceNumber=number))[0] == ["b", "c"]
    assert reader.read(latest)[0] == ["c"]


@pytest.mark.parametrize("place", ["nothing", "arn:aws:dynamodb:us-east-1:123456789012:table/x/stream/y|1|!!"])
def test_a_place_that_is_none_is_refused(aws, table, place):
    with pytest.raises(ClientError, match="ValidationException"):
        Reader(aws, table).client.get_records(ShardIterator=place)


def test_a_stream_of_a_deleted_table_is_not_there(aws, table):
    reader = Reader(aws, table)
    place = reader.place("TRIM_HORIZON")
    aws.client("dynamodb").delete_table(TableName=table)
    with pytest.raises(reader.client.exceptions.ResourceNotFoundException):
        reader.read(place)


def test_a_key_of_bytes_is_read_as_it_was_written(aws):
    table = aws.table(keys={"Id": "B"}, StreamSpecification=STREAM)
    aws.client("dynamodb").put_item(TableName=table, Item={"Id": {"B": b"\x00\xff"}, "More": {"B": b"x"}})
    reader = Reader(aws, table)
    (record,) = reader.client.get_records(ShardIterator=reader.place("TRIM_HORIZON"))["Records"]
    change = record["dynamodb"]
    assert change["Keys"] == {"Id": {"B": b"\x00\xff"}}
    assert change["NewImage"] == {"Id": {"B": b"\x00\xff"}, "More": {"B": b"x"}}
    assert change["SizeBytes"] == (2 + 2) + (2 + 2) + (4 + 1)


def test_a_table_whose_stream_has_ended_takes_items(aws, table):
    dynamodb, reader = aws.client("dynamodb"), Reader(aws, table)
    place = reader.place("TRIM_HORIZON")
    put(aws, table, "a")
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    put(aws, table, "b")
    dynamodb.delete_item(TableName=table, Key={"OrderId": {"S": "b"}})
    assert [item["OrderId"]["S"] for item in dynamodb.scan(TableName=table)["Items"]] == ["a"]
    answer = reader.client.get_records(ShardIterator=place)
    assert [each["dynamodb"]["Keys"]["OrderId"]["S"] for each in answer["Records"]] == ["a"]
    assert "NextShardIterator" not in answer, "the shard is closed"


def test_a_stream_can_be_disabled_and_enabled_again_and_the_old_one_be_read(aws, table):
    dynamodb, reader = aws.client("dynamodb"), Reader(aws, table)
    put(aws, table, "a")
    with pytest.raises(dynamodb.exceptions.ResourceInUseException):
        dynamodb.update_table(TableName=table, StreamSpecification=STREAM)
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    description = reader.client.describe_stream(StreamArn=reader.arn)["StreamDescription"]
    assert (description["StreamStatus"], description["StreamViewType"]) == ("DISABLED", "NEW_AND_OLD_IMAGES")
    assert "EndingSequenceNumber" in description["Shards"][0]["SequenceNumberRange"]
    put(aws, table, "nobody hears of it")
    keys_only = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    dynamodb.update_table(TableName=table, StreamSpecification=keys_only)
    put(aws, table, "b")
    newer = Reader(aws, table)
    assert newer.arn != reader.arn
    assert newer.read(newer.place("TRIM_HORIZON"))[0] == ["b"]
    old = reader.client.get_records(ShardIterator=reader.place("TRIM_HORIZON"))["Records"]
    assert [each["dynamodb"]["Keys"]["OrderId"]["S"] for each in old] == ["a"]
    listed = [each["StreamArn"] for each in reader.client.list_streams(TableName=table)["Streams"]]
    assert listed == [reader.arn, newer.arn]


def test_a_former_stream_survives_and_goes_when_its_records_do(service):
    table = service.table(StreamSpecification={**STREAM})
    table.put_item({"id": {"S": "a"}})
    old = table.stream_shard
    table.set_stream_specification({"StreamEnabled": False})
    table.set_stream_specification({**STREAM})
    table.put_item({"id": {"S": "b"}})
    service.store.commit()
    assert {owner for owner, _, _ in service.rows(stream.KIND)} == {old.arn, table.stream_shard.arn}
    again = snapshots.loaded(snapshots.dumped(table))
    assert [shard.arn for shard in again.shards()] == [shard.arn for shard in table.shards()]
    clock.sleep(26 * HOUR)
    table.set_stream_specification({"StreamEnabled": False})
    table.set_stream_specification({**STREAM})
    assert table.shards() == [table.stream_shard]


COPYING = """
import boto3, os
table = boto3.client("dynamodb")
def handler(event, context):
    for record in event["Records"]:
        item = record["dynamodb"]["NewImage"] | {"Number": {"S": record["dynamodb"]["SequenceNumber"]}}
        table.put_item(TableName=os.environ["TABLE"], Item=item)
"""


def test_a_function_has_each_record_once_and_may_write_to_tables_itself(aws, table):
    """The puts do not wait for it, so it finds the service free."""
    target = aws.table()
    name = aws.function(COPYING, Environment={"Variables": {"TABLE": target}}, Timeout=30)
    source = Reader(aws, table).arn
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=source, FunctionName=name, StartingPosition="LATEST"
    )
    orders = [f"O-{number}" for number in range(5)]
    put(aws, table, *orders)

    def copied() -> dict[str, str]:
        items = aws.client("dynamodb").scan(TableName=target)["Items"]
        return {item["OrderId"]["S"]: item["Number"]["S"] for item in items}

    eventually(lambda: len(copied()) == len(orders), "the copies")
    assert sorted(copied(), key=copied().__getitem__) == orders
    found, _ = Reader(aws, table).read(Reader(aws, table).place("TRIM_HORIZON"))
    assert found == orders, "others can still read what a function has had"


COUNTING = """
def handler(event, context):
    print("batch", len(event["Records"]))
"""


def test_a_function_has_as_many_records_at_once_as_it_takes(aws, table, tmp_path):
    """The others follow, though nothing more changes."""
    gate = Gate(tmp_path / "gate")
    source = f"{Gate.SOURCE}{COUNTING}    pass_gate({gate.folder!r})\n"
    name = aws.function(source)
    aws.client("lambda").create_event_source_mapping(
        EventSourceArn=Reader(aws, table).arn, FunctionName=name, StartingPosition="LATEST", BatchSize=3
    )
    put(aws, table, "first")
    gate.wait_for()
    put(aws, table, *"abcdefg")
    gate.open()
    eventually(lambda: batches(aws, name) == [1, 3, 3, 1], "all records in batches")


def batches(aws: Any, function: str) -> list[int]:
    try:
        lines = aws.log(function)
    except aws.client("logs").exceptions.ResourceNotFoundException:  # it has not written anything yet
        return []
    return [int(line.split()[1]) for line in lines if line.startswith("batch")]


# A day later


def numbers(shard: Any) -> list[int]:
    shard.trim()  # as a reader does who begins at the oldest
    return [int(record["dynamodb"]["SequenceNumber"]) for record in shard.get(shard.starting_sequence_number, 100)]


def test_records_of_more_than_a_day_go_and_the_others_keep_their_numbers(service):
    table = service.table(StreamSpecification=STREAM)
    shard = table.stream_shard
    for name in "ab":
        table.put_item({"id": {"S": name}})
    first = shard.to_json()["SequenceNumberRange"]["StartingSequenceNumber"]
    clock.sleep(23 * HOUR)
    table.put_item({"id": {"S": "c"}})
    assert len(shard.items) == 3
    before = numbers(shard)
    clock.sleep(3 * HOUR)
    assert numbers(shard) == before[2:]
    table.put_item({"id": {"S": "d"}})
    assert numbers(shard) == [before[2], before[2] + 1]
    with pytest.raises(JsonRESTError, match="read past the oldest"):
        shard.get(before[0], 10)
    assert shard.to_json()["SequenceNumberRange"]["StartingSequenceNumber"] == first
    service.store.commit()
    assert [int(key) for _, key, _ in service.rows(stream.KIND)] == numbers(shard)


@pytest.mark.parametrize("jump_s", [HOUR, -HOUR, 30 * 24 * HOUR], ids=["on", "back", "asleep"])
def test_a_clock_that_is_set_takes_no_record_away(service, jump_s):
    table = service.table(StreamSpecification=STREAM)
    table.put_item({"id": {"S": "a"}})
    clock._clock.set_on(jump_s)
    table.put_item({"id": {"S": "b"}})
    assert len(numbers(table.stream_shard)) == 2
    clock.sleep(26 * HOUR)
    assert numbers(table.stream_shard) == []


def test_records_do_not_age_while_nobody_is_there(service):
    table = service.table(StreamSpecification=STREAM)
    table.put_item({"id": {"S": "a"}})
    before = table.stream_shard.items[0].record
    clock.sleep(20 * HOUR)
    table.put_item({"id": {"S": "b"}})
    service.store.commit()
    restart(hours_between=60)
    table.stream_shard.items.clear()
    stream.restore(lambda region: service.backend)
    shard = table.stream_shard
    assert [len(numbers(shard)), shard.items[0].record] == [2, before]
    clock.sleep(6 * HOUR)
    assert len(numbers(shard)) == 1


def test_numbers_go_on_when_no_record_is_left(service, monkeypatch):
    saved = []
    monkeypatch.setattr(journal, "changed", lambda *place: saved.append(place))
    table = service.table(StreamSpecification=STREAM)
    table.put_item({"id": {"S": "a"}})
    (number,) = numbers(table.stream_shard)
    clock.sleep(26 * HOUR)
    assert numbers(table.stream_shard) == []
    assert saved == [("dynamodb", "us-east-1")], "the state says from where to count"
    snapshot = snapshots.dumped(table)
    table = snapshots.loaded(snapshot)
    table.put_item({"id": {"S": "b"}})
    assert numbers(table.stream_shard) == [number + 1]


def test_a_put_saves_its_own_rows_and_no_state(service, monkeypatch):
    """Whatever is in the stream already: that is what makes the next put as quick as the first."""
    table = service.table(StreamSpecification=STREAM)
    monkeypatch.setattr(journal, "changed", lambda *place: pytest.fail("the state is saved as a whole"))
    state, put = len(snapshots.dumped(table)), []
    monkeypatch.setattr(service.store, "put", lambda kind, owner, key, value, **_: put.append((kind, len(value))))
    for number in range(50):
        table.put_item({"id": {"S": f"{number:03}"}})
    assert put == [(item_rows.KIND, put[0][1]), (stream.KIND, put[1][1])] * 50
    assert len(snapshots.dumped(table)) == state, "and the state does not grow"
