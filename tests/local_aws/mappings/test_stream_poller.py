"""What a mapping reads from a table's stream, in which order, and what becomes of what a function fails with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models as models
import moto.dynamodb.models.table as table_models
import pytest

from helpers.local_aws.dynamodb.backend import Backend
from helpers.local_aws.dynamodb.stream import Shard
from helpers.local_aws.dynamodb.table import Table
from helpers.local_aws.engine import clock, executor
from helpers.local_aws.mappings import discarded, positions, records, sources
from helpers.local_aws.mappings.stream_poller import StreamPoller
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store
from tests.local_aws.mappings.conftest import Worker, mapping_of
from tests.support.embedded_aws import table_request

pytestmark = pytest.mark.usefixtures("thread")

HOUR = 3600.0
REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
Start = Callable[..., StreamPoller]


@pytest.fixture
def table(monkeypatch) -> Any:
    monkeypatch.setattr(models, "Table", Table)
    monkeypatch.setattr(table_models, "StreamShard", Shard)
    asked = table_request("things", {"id": "S"})
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    made = Backend("us-east-1", "123456789012").create_table(
        "things", asked["KeySchema"], None, asked["AttributeDefinitions"], [], [], stream, "PAY_PER_REQUEST", None, [],
        False, None,
    )  # fmt: skip
    monkeypatch.setattr(sources, "shard", made.shard_of)
    return made


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    """What the destination of discarded records was told."""
    found: list[dict] = []
    monkeypatch.setattr(discarded, "_send", lambda destination, text, role: found.append(records.as_read(text)))
    return found


@pytest.fixture
def start(table, worker) -> Start:
    def begin(position: int | None = None, **settings: Any) -> StreamPoller:
        given = {"StartingPosition": "TRIM_HORIZON", **settings}
        made = StreamPoller(mapping_of(table.stream_shard.arn, **given), lambda: worker, position)
        made.wake()
        executor.run_due()
        return made

    return begin


def put(table: Any, *names: str, **more: Any) -> None:
    for name in names:
        table.put_item({"id": {"S": name}, **more})
    executor.run_due()


def keys(worker: Worker) -> list[str]:
    return ["".join(record["dynamodb"]["Keys"]["id"]["S"] for record in event) for event in worker.events]


def number_of(record: dict[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def test_records_come_in_batches_one_after_the_other(table, worker, start):
    put(table, *"abcde")
    polling = start(BatchSize=2)
    assert keys(worker) == ["ab"]
    assert polling.mapping.result == "No records processed"
    worker.end()
    worker.end()
    assert keys(worker) == ["ab", "cd", "e"] and polling.mapping.result == "OK"
    worker.end()
    put(table, "f")
    assert keys(worker)[3:] == ["f"]


def test_latest_is_what_comes_after_the_mapping(table, worker, start):
    put(table, "a")
    start(StartingPosition="LATEST")
    assert worker.events == []
    put(table, "b")
    assert keys(worker) == ["b"]


def test_a_record_is_as_aws_writes_it(table, worker, start):
    table.put_item(
        {"id": {"S": "x"}, "bytes": {"B": b"\x00\xff"}, "set": {"BS": [b"a"]}, "m": {"M": {"n": {"N": "1"}}}}
    )
    table.put_item({"id": {"S": "x"}, "Message": {"S": "New"}})
    table.delete_item(*table.key_of({"id": {"S": "x"}}))
    start()
    ((first, second, third),) = worker.events
    assert [record["eventName"] for record in (first, second, third)] == ["INSERT", "MODIFY", "REMOVE"]
    assert first["dynamodb"]["NewImage"] == {
        "id": {"S": "x"}, "bytes": {"B": "AP8="}, "set": {"BS": ["YQ=="]}, "m": {"M": {"n": {"N": "1"}}},
    }  # fmt: skip
    assert second["dynamodb"]["SizeBytes"] == 3 + (3 + 7 + 4 + 8) + (3 + 10), "key, old image and new"
    assert "NewImage" not in third["dynamodb"] and third["dynamodb"]["OldImage"]["Message"] == {"S": "New"}
    assert [int(number_of(record)) for record in (second, third)] == [int(number_of(first)) + n for n in (1, 2)]
    assert abs(first["dynamodb"]["ApproximateCreationDateTime"] - clock.now()) < 60
    assert (first["eventSource"], first["eventVersion"]) == ("aws:dynamodb", "1.1")
    assert first["eventSourceARN"] == table.stream_shard.arn


def test_a_put_that_changes_nothing_writes_no_record(table):
    every = {"n": {"N": "1.0"}, "s": {"SS": ["a", "b"]}, "l": {"L": [{"B": b"x"}]}, "m": {"M": {"t": {"BOOL": True}}}}
    table.put_item({"id": {"S": "a"}, **every})
    table.put_item({"id": {"S": "a"}, **every})
    assert len(table.stream_shard.items) == 1
    table.put_item({"id": {"S": "a"}, **every, "m": {"M": {"t": {"BOOL": False}}}})
    assert len(table.stream_shard.items) == 2


def test_a_window_gathers_records(table, worker, start):
    start(BatchSize=3, MaximumBatchingWindowInSeconds=10)
    put(table, "a")
    executor.sleep(9)
    put(table, "b")
    assert worker.events == []
    executor.sleep(1.5)
    assert keys(worker) == ["ab"]
    worker.end()
    put(table, *"cdef")
    assert keys(worker)[1:] == ["cde"]


def test_a_batch_is_no_larger_than_a_function_takes(table, worker, start, monkeypatch):
    put(table, *"abc", Text={"S": "x" * 1000})
    monkeypatch.setattr(records, "MAX_PAYLOAD", 3500)
    start()
    worker.end()
    worker.end()
    assert keys(worker) == ["ab", "c"]


def test_filters_look_at_names_and_images_and_skipped_records_are_done(table, worker, start):
    pattern = '{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["order"]}}}}'
    polling = start(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    put(table, "a", kind={"S": "note"})
    put(table, "b", kind={"S": "order"})
    put(table, "b", kind={"S": "order"}, more={"S": "x"})
    assert keys(worker) == ["b"]
    worker.end()
    assert polling._kept == table.stream_shard.next_sequence_number


def test_a_failing_batch_holds_up_the_shard_until_its_attempts_are_used_up(table, worker, start, told):
    put(table, *"ab")
    polling = start(MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:r:1:dead"}})
    for seconds in (1, 2):
        put(table, "c")
        worker.fail()
        assert worker.busy == 0, "not at once"
        executor.sleep(seconds + 0.1)
    assert keys(worker) == ["ab"] * 3
    assert polling.mapping.result == "PROBLEM: Function call failed"
    worker.fail()
    assert keys(worker)[3:] == ["c"]
    (record,) = told
    numbers = [number_of(record) for record in worker.events[0]]
    info = record["DDBStreamBatchInfo"]
    assert record["requestContext"] == {
        "requestId": "request", "functionArn": polling.mapping.function_arn, "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }  # fmt: skip
    assert record["responseContext"] == {
        "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"
    }  # fmt: skip
    assert [info["startSequenceNumber"], info["endSequenceNumber"]] == numbers
    assert (info["batchSize"], info["streamArn"]) == (2, table.stream_shard.arn)
    assert info["shardId"] == table.stream_shard.id and info["approximateArrivalOfFirstRecord"].endswith("Z")


def test_a_record_that_has_become_too_old_is_discarded(table, worker, start, told):
    put(table, *"a")
    start(MaximumRecordAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:r:1:dead"}})
    worker.fail()
    executor.sleep(50)
    put(table, "b")
    while worker.busy:
        worker.fail()
        executor.sleep(15)
    assert keys(worker)[-1] == "b" and told[0]["requestContext"]["condition"] == "RecordAgeExceeded"
    assert "responseContext" not in told[0] and told[0]["requestContext"]["approximateInvokeCount"] > 1


def test_without_limits_a_batch_is_tried_until_its_records_are_gone_from_the_stream(table, worker, start):
    put(table, "a")
    start()
    for _ in range(30):
        worker.fail()
        executor.sleep(HOUR)
        if not worker.busy:
            break
    assert 20 < len(worker.events) < 30
    put(table, "b")
    assert keys(worker)[-1] == "b"


def test_bisecting_finds_the_bad_record_and_uses_up_no_attempt(table, worker, start, told):
    put(table, *"abcd")
    destination = {"OnFailure": {"Destination": "arn:aws:sqs:r:1:dead"}}
    start(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0, DestinationConfig=destination)
    while worker.busy:
        if "c" in keys(worker)[-1]:
            worker.fail()
        else:
            worker.end()
        executor.sleep(2)
    assert keys(worker) == ["abcd", "ab", "cd", "c", "d"]
    assert [each["DDBStreamBatchInfo"]["batchSize"] for each in told] == [1]


def test_a_report_moves_on_to_the_first_record_that_failed(table, worker, start):
    put(table, *"abcd")
    polling = start(**REPORTING)
    failed = [{"itemIdentifier": number_of(worker.events[0][place])} for place in (3, 1)]
    worker.end({"batchItemFailures": failed})
    executor.sleep(2)
    assert keys(worker) == ["abcd", "bcd"]
    assert polling._kept == int(failed[1]["itemIdentifier"])
    worker.end({"batchItemFailures": [{"itemIdentifier": "unknown"}]})
    executor.sleep(5)
    worker.end({"batchItemFailures": []})
    assert keys(worker) == ["abcd", "bcd", "bcd"]


def test_a_factor_lets_batches_run_beside_each_other_and_keeps_the_order_of_each_item(table, worker, start):
    for version in "12":
        put(table, *"abcdefgh", version={"S": version})
    start(ParallelizationFactor=4, BatchSize=100)
    assert 1 < worker.busy <= 4
    while worker.busy:
        worker.end()
    seen: dict[str, str] = {}
    for record in (record for event in worker.events for record in event):
        image = record["dynamodb"]["NewImage"]
        seen[image["id"]["S"]] = seen.get(image["id"]["S"], "") + image["version"]["S"]
    assert seen == dict.fromkeys("abcdefgh", "12")


def test_a_disabled_mapping_goes_on_where_it_stood(table, worker, start):
    polling = start()
    put(table, "a")
    polling.mapping.enabled = False
    worker.end()
    put(table, *"bc")
    assert keys(worker) == ["a"]
    polling.mapping.enabled = True
    polling.wake()
    executor.run_due()
    assert keys(worker) == ["a", "bc"]


def test_what_was_in_a_stream_when_it_was_disabled_is_handed_over(table, worker, start):
    start(BatchSize=1)
    put(table, "a", "b")
    table.set_stream_specification({"StreamEnabled": False})
    table.set_stream_specification({"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    put(table, "of another stream")
    worker.end()
    worker.end()
    assert keys(worker) == ["a", "b"]


def test_a_function_without_room_gets_the_batch_later(table, worker, start):
    worker.room = False
    put(table, "a")
    start(MaximumRetryAttempts=0)
    executor.sleep(10)
    worker.room = True
    executor.sleep(2)
    assert keys(worker) == ["a"], "no attempt was used up"


@pytest.fixture
def store(tmp_path: Path, monkeypatch) -> Iterator[Store]:
    made = Store(tmp_path / "account.sqlite", "test")
    monkeypatch.setattr(journal, "store", None)
    journal.open_with(made, lambda *_: None, lambda: None)
    yield made
    journal.close()


def test_the_position_is_kept_and_what_was_not_done_comes_again(table, worker, start, store):
    put(table, *"abcd")
    polling = start(BatchSize=2)
    worker.end()
    store.commit()
    kept = positions.read("us-east-1")
    assert kept == {polling.mapping.uuid: int(number_of(worker.events[1][0]))}
    start(kept[polling.mapping.uuid], BatchSize=2)  # as the next process does
    assert keys(worker) == ["ab", "cd", "cd"]
    polling.close()
    store.commit()
    assert positions.read("us-east-1").keys().isdisjoint(kept)


def test_the_destination_is_found_by_its_arn_and_asked_with_the_functions_role(monkeypatch):
    sent: list[tuple] = []
    queues = {"us-east-1": SimpleNamespace(send_message=lambda name, text: sent.append((name, text)))}
    monkeypatch.setattr(discarded, "sqs_backends", {"1": queues})
    monkeypatch.setattr(discarded.destinations, "exists", lambda arn: True)
    monkeypatch.setattr(discarded, "role_may", lambda role, action, arn: role == "may")
    discarded._send("arn:aws:sqs:us-east-1:1:dead", "text", "may")
    with pytest.raises(discarded.destinations.NotDelivered, match="may not do sqs:SendMessage"):
        discarded._send("arn:aws:sqs:us-east-1:1:dead", "text", "may not")
    assert sent == [("dead", "text")]


@pytest.mark.parametrize("stopped_first", [True, False])
def test_an_account_that_is_closed_takes_no_end_of_an_invocation_for_a_failure(
    table, worker, start, told, stopped_first
):
    """Its functions are ended with it; the next process hands the batch over again."""
    put(table, "a")
    destination = {"OnFailure": {"Destination": "arn:aws:sqs:r:1:dead"}}
    polling = start(MaximumRetryAttempts=0, DestinationConfig=destination)
    kept = polling._kept
    for step in (polling.stop, worker.break_off) if stopped_first else (worker.break_off, polling.stop):
        step()
    executor.run_due()
    assert told == [] and polling._kept == kept
