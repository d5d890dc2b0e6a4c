"""PutEvents: what it accepts, what it answers, and the event that it makes of an entry."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from tests.support.event_probe import Probe, entry

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def events(aws):
    return aws.client("events")


@pytest.fixture
def probe(aws) -> Probe:
    return Probe(aws)


def test_answers_in_the_order_of_the_entries(events, probe: Probe) -> None:
    entries = [entry(probe.source), {"DetailType": "order", "Detail": "{}"}, entry(probe.source)]
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 1
    assert [sorted(result) for result in answer["Entries"]] == [
        ["EventId"],
        ["ErrorCode", "ErrorMessage"],
        ["EventId"],
    ]
    ids = [json.loads(text)["id"] for text in probe.texts(2)]
    assert sorted(ids) == sorted(result["EventId"] for result in answer["Entries"] if "EventId" in result)


MALFORMED = ("MalformedDetail", "Detail is malformed.")
BAD_ENTRIES = {
    "no source": ({"DetailType": "t", "Detail": "{}"}, "Source"),
    "empty source": ({"Source": "", "DetailType": "t", "Detail": "{}"}, "Source"),
    "no detail type": ({"Source": "s", "Detail": "{}"}, "DetailType"),
    "no detail": ({"Source": "s", "DetailType": "t"}, "Detail"),
    "nothing": ({"EventBusName": "default"}, "Source"),
    "source of AWS": (
        entry("aws.s3"),
        ("NotAuthorizedForSourceException", "Not authorized for the source."),
    ),
    "not JSON": (entry(Detail='{"a": }'), MALFORMED),
    "text": (entry(Detail="order"), MALFORMED),
    "JSON text": (entry(Detail='"order"'), MALFORMED),
    "list": (entry(Detail="[{}]"), MALFORMED),
    "number": (entry(Detail="1"), MALFORMED),
    "null": (entry(Detail="null"), MALFORMED),
    "NaN": (entry(Detail='{"Amount": NaN}'), MALFORMED),
    "Infinity": (entry(Detail='{"Amount": -Infinity}'), MALFORMED),
    "single quotes": (entry(Detail="{'a': 1}"), MALFORMED),
    "two objects": (entry(Detail="{}{}"), MALFORMED),
    "endless nesting": (entry(Detail='{"a":' * 1001 + "1" + "}" * 1001), MALFORMED),
    "endless lists": (entry(Detail='{"a":' + "[" * 100_000), MALFORMED),
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_refuses_an_entry(events, name: str) -> None:
    sent, expected = BAD_ENTRIES[name]
    if isinstance(expected, str):
        reason = f"Parameter {expected} is not valid. Reason: {expected} is a required argument."
        expected = ("InvalidArgument", reason)
    answer = events.put_events(Entries=[sent])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"] == [{"ErrorCode": expected[0], "ErrorMessage": expected[1]}]


def test_accepts_nesting_and_brackets_in_texts(events) -> None:
    nested = '{"a":' * 400 + "1" + "}" * 400
    brackets = json.dumps({"a": "[" * 5000})
    answer = events.put_events(Entries=[entry(Detail=nested), entry(Detail=brackets)])
    assert answer["FailedEntryCount"] == 0


def refusal(events, entries: list[dict]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        events.put_events(Entries=entries)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_refuses_more_than_ten_entries_and_shows_them_as_aws_does(events) -> None:
    code, message = refusal(events, [entry("s", Resources=["a", "b"], EventBusName="bus")] * 11)
    shown = (
        "PutEventsRequestEntry(time=null, source=s, resources=[a, b], detailType=order, detail={}, "
        "eventBusName=bus, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)"
    )
    assert code == "ValidationException"
    assert message == (
        f"1 validation error detected: Value '[{', '.join([shown] * 11)}]' at 'entries' failed to satisfy "
        "constraint: Member must have length less than or equal to 10"
    )


def test_a_refused_request_delivers_nothing(events, probe: Probe) -> None:
    refusal(events, [entry(probe.source)] * 11)
    refusal(events, [entry(probe.source), entry(Detail=json.dumps({"a": "x" * MIB}))])
    assert probe.texts(1, seconds=0.3) == []


def test_limits_the_size_of_all_entries_together(events) -> None:
    """1 MiB since January 2026: source, detail type, detail, resources, and 14 bytes for a time."""
    overhead = len("orders" + "order" + '{"a": ""}')
    fits = entry(Detail=json.dumps({"a": "x" * (MIB - 1 - overhead)}))
    assert events.put_events(Entries=[fits])["FailedEntryCount"] == 0
    too_large = ("ValidationException", "Total size of the entries in the request is over the limit.")
    assert refusal(events, [fits | {"Resources": ["r"]}]) == too_large
    assert refusal(events, [fits | {"Time": 0}]) == too_large
    half = entry(Detail=json.dumps({"a": "é" * (MIB // 4)}, ensure_ascii=False))  # "é" has two bytes
    assert refusal(events, [half, half]) == too_large


def test_makes_the_envelope_of_aws(events, aws, probe: Probe) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sent = entry(probe.source, Detail='{ "body" : {"OrderId": "o 1"} }', Resources=["arn:x", "é"])
    event_id = events.put_events(Entries=[sent])["Entries"][0]["EventId"]
    [text] = probe.texts()
    event = json.loads(text)
    moment = event["time"]
    assert text == (
        f'{{"version":"0","id":"{event_id}","detail-type":"order","source":"{probe.source}",'
        f'"account":"{aws.account.account_id}","time":"{moment}","region":"{aws.account.region}",'
        '"resources":["arn:x","é"],"detail":{"body":{"OrderId":"o 1"}}}'
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment)
    assert before <= datetime.fromisoformat(moment) <= datetime.now(UTC)
    assert str(uuid.UUID(event_id)) == event_id


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (datetime(2022, 1, 1, tzinfo=UTC), "2022-01-01T00:00:00Z"),
        (datetime(2022, 1, 1, 12, 30, 15, 999999, tzinfo=UTC), "2022-01-01T12:30:15Z"),
        (datetime(2022, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2021-12-31T22:00:00Z"),
        (datetime(1960, 5, 6, tzinfo=UTC), "1960-05-06T00:00:00Z"),
        (datetime(2999, 5, 6, tzinfo=UTC), "2999-05-06T00:00:00Z"),
    ],
)
def test_takes_the_time_of_the_entry(events, probe: Probe, sent: datetime, expected: str) -> None:
    events.put_events(Entries=[entry(probe.source, Time=sent)])
    assert json.loads(probe.texts()[0])["time"] == expected


@pytest.mark.parametrize(
    "value",
    [
        "65.50",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890123456789",
        "1E-7",
        "1e999999999999999999999",
        "-0.0",
        "9" * 5000,
        r'"\u00e9\ud83d\ude00\"\\ \t"',
        '"é 😀 {\\"a\\": [1, 2]}"',
        r'"\ud800"',
    ],
)
def test_hands_values_on_as_they_were_written(events, probe: Probe, value: str) -> None:
    events.put_events(Entries=[entry(probe.source, Detail=f'{{"value" : {value}}}')])
    assert probe.texts()[0].endswith(f'"detail":{{"value":{value}}}}}')


def test_an_unknown_bus_takes_events_and_drops_them(events, probe: Probe) -> None:
    entries = [entry(probe.source, EventBusName="nowhere"), entry(probe.source, DetailType="kept")]
    answer = events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 0
    assert all("EventId" in result for result in answer["Entries"])
    assert [event["detail-type"] for event in probe.only()] == ["kept"]


def test_takes_a_bus_by_name_and_by_arn(aws, events) -> None:
    name = f"bus-{uuid.uuid4().hex[:8]}"
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    probe = Probe(aws, bus=name)
    foreign = arn.replace(aws.account.region, "eu-west-1")
    for bus in (name, arn, foreign):
        events.put_events(Entries=[entry(probe.source, EventBusName=bus, DetailType=bus)])
    assert sorted(event["detail-type"] for event in probe.only(2)) == sorted([name, arn])


def test_a_trace_header_is_no_part_of_the_event(events, probe: Probe) -> None:
    events.put_events(Entries=[entry(probe.source, TraceHeader="Root=1-5759e988-bd862e3fe1be46a994272793")])
    assert "Root" not in probe.texts()[0]


def test_refuses_members_of_the_wrong_type(aws) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    for entries in ([entry(Source=1)], [entry(Resources="r")], ["entry"], [entry(Time=[])]):
        request = AWSRequest(
            "POST",
            aws.account.endpoint_url,
            headers={"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"},
            data=json.dumps({"Entries": entries}),
        )
        SigV4Auth(aws.session.get_credentials(), "events", aws.account.region).add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        assert (answer.status_code, json.loads(answer.content)["__type"]) == (400, "SerializationException")


def test_recorded_errors(events, conformance) -> None:
    recorded = conformance("events/test_events.snapshot.json")
    cases = {
        "test_put_events_without_source": {"DetailType": "t", "Detail": "{}"},
        "test_put_event_without_detail": {"Source": "s", "DetailType": "t"},
        "test_put_event_without_detail_type": {"Source": "s", "Detail": "{}"},
        "test_put_event_malformed_detail[STRING]": entry(Detail="text"),
        "test_put_event_malformed_detail[ARRAY]": entry(Detail="[]"),
        "test_put_event_malformed_detail[MALFORMED_JSON]": entry(Detail='{"a"'),
        "test_put_event_malformed_detail[SERIALIZED_STRING]": entry(Detail='"{}"'),
    }
    for name, sent in cases.items():
        answer = events.put_events(Entries=[sent])
        expected = recorded[f"TestEvents::{name}"]["put-events"]
        assert answer["Entries"] == expected["Entries"], name
        assert answer["FailedEntryCount"] == expected["FailedEntryCount"]
    too_big = recorded["TestEvents::test_put_event_with_too_big_detail"]["put-events-too-big-detail-error"]
    code, message = refusal(events, [entry(Detail=json.dumps({"a": "x" * MIB}))])
    assert {"Code": code, "Message": message} == too_big["Error"]


def test_recorded_refusal_of_more_than_ten_entries(events, conformance) -> None:
    recorded = conformance("events/test_events.snapshot.json")
    error = recorded["TestEvents::test_put_events_exceed_limit_ten_entries[custom]"]["put-events-exceed-limit-error"][
        "Error"
    ]
    detail = re.search(r"detail=(.*?), eventBusName", error["Message"])[1]
    kind = re.search(r"detailType=(.*?),", error["Message"])[1]
    sent = {"Source": kind, "DetailType": kind, "Detail": detail, "EventBusName": "<bus-name>"}
    count = error["Message"].count("PutEventsRequestEntry")
    assert refusal(events, [sent] * count) == (error["Code"], error["Message"])
