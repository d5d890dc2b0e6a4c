"""EventBridge's archives and replays, from outside."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.support.async_aws import account
from tests.support.embedded_aws import Aws
from tests.support.event_probe import Probe, entry
from tests.support.polling import eventually

ALWAYS = {"EventStartTime": datetime(2000, 1, 1, tzinfo=UTC), "EventEndTime": datetime(2100, 1, 1, tzinfo=UTC)}
HOUR = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def events(aws):
    return aws.client("events")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An account whose replays wait two seconds before they run: long enough for a test to do something before."""
    with account(tmp_path_factory.mktemp("patient"), 0.07) as started:
        yield started


class Bus:
    """A bus of a test's own, with an archive of all that comes."""

    def __init__(self, aws, **archive: object) -> None:
        self.name = f"bus-{uuid.uuid4().hex[:8]}"
        self.events = aws.client("events")
        self.arn = self.events.create_event_bus(Name=self.name)["EventBusArn"]
        self.archive = self.events.create_archive(ArchiveName=self.name, EventSourceArn=self.arn, **archive)[
            "ArchiveArn"
        ]

    def put(self, *entries: dict, kept: int | None = None) -> None:
        """Send, and wait until the archive holds `kept` events (as many as were sent)."""
        for start in range(0, len(entries), 10):
            some = [{**entry, "EventBusName": self.name} for entry in entries[start : start + 10]]
            assert self.events.put_events(Entries=some)["FailedEntryCount"] == 0
        kept = len(entries) if kept is None else kept
        eventually(lambda: self.describe()["EventCount"] == kept)

    def describe(self) -> dict:
        return self.events.describe_archive(ArchiveName=self.name)

    def replay(self, wait: bool = True, rules: list[str] | None = None, **window: object) -> str:
        """Start a replay; its name. `wait`: until it is over."""
        name = f"replay-{uuid.uuid4().hex[:8]}"
        destination = {"Arn": self.arn, **({"FilterArns": rules} if rules else {})}
        self.events.start_replay(
            ReplayName=name, EventSourceArn=self.archive, Destination=destination, **{**ALWAYS, **window}
        )
        if wait:
            eventually(lambda: self.events.describe_replay(ReplayName=name)["State"] == "COMPLETED")
        return name


@pytest.fixture
def bus(aws) -> Bus:
    return Bus(aws)


def refusal(call, **request: object) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def shape(answer: dict) -> dict:
    """What can be compared with a recorded answer: names, and the values that do not vary."""
    fixed = ("State", "EventCount", "RetentionDays", "SizeBytes")
    return {
        name: value if name in fixed else "…"
        for name, value in answer.items()
        if name not in ("ResponseMetadata", "NextToken")
    }


# Archives


def test_an_archive_answers_as_aws_was_recorded(aws, events, conformance) -> None:
    [recorded] = [
        content
        for test, content in conformance("events/test_archive_and_replay.snapshot.json").items()
        if "list_describe_update_delete_archive[custom]" in test
    ]
    name = f"archive-{uuid.uuid4().hex[:8]}"
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    pattern = json.dumps(recorded["describe-archive"]["EventPattern"])
    created = events.create_archive(
        ArchiveName=name, EventSourceArn=bus, Description="d", EventPattern=pattern, RetentionDays=1
    )
    assert shape(created) == shape(recorded["create-archive"])
    [listed] = events.list_archives(NamePrefix=name)["Archives"]
    assert shape(listed) == shape(recorded["list-archives"]["Archives"][0])
    described = events.describe_archive(ArchiveName=name)
    assert shape(described) == shape(recorded["describe-archive"])
    assert json.loads(described["EventPattern"]) == recorded["describe-archive"]["EventPattern"]
    updated = events.update_archive(
        ArchiveName=name, Description="e", EventPattern='{"source": ["a"]}', RetentionDays=2
    )
    assert shape(updated) == shape(recorded["update-archive"])
    assert shape(events.delete_archive(ArchiveName=name)) == shape(recorded["delete-archive"])


def test_size_is_counted_as_aws_was_recorded(aws, conformance) -> None:
    recorded = conformance("events/test_archive_and_replay.snapshot.json")
    content = recorded["TestArchive::test_list_archive_with_events[True-custom]"]["describe-archive"]
    [message, *_] = recorded["TestReplay::test_start_list_describe_canceled_replay[custom]"]["replay-messages"]
    event = message["Body"]
    bus = Bus(aws)
    sent = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
    bus.put(*[sent] * content["EventCount"])
    assert bus.describe()["SizeBytes"] == content["SizeBytes"]


def test_an_archive_keeps_what_its_pattern_matches_even_without_any_rule(aws) -> None:
    bus = Bus(aws, EventPattern=json.dumps({"detail": {"Amount": [{"numeric": [">", 100]}]}}))
    amounts = [entry(Detail=json.dumps({"Amount": amount})) for amount in (99, 100.5, 250)]
    bus.put(*amounts, kept=2)
    probe = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    bus.replay()
    assert sorted(event["detail"]["Amount"] for event in probe.events(2)) == [100.5, 250]


def test_a_changed_archive_keeps_by_its_new_pattern(bus, events) -> None:
    bus.put(entry("a"), entry("b"))
    events.update_archive(ArchiveName=bus.name, EventPattern='{"source": ["b"]}')
    bus.put(entry("a"), entry("b"), kept=3)
    rule = events.describe_rule(Name=f"Events-Archive-{bus.name}", EventBusName=bus.name)
    assert json.loads(rule["EventPattern"]) == {"source": ["b"], "replay-name": [{"exists": False}]}
    events.update_archive(ArchiveName=bus.name, RetentionDays=7, Description="")
    described = bus.describe()
    assert (described["RetentionDays"], described["EventPattern"]) == (7, '{"source": ["b"]}')
    events.update_archive(ArchiveName=bus.name, RetentionDays=0)
    assert bus.describe()["RetentionDays"] == 0


def test_events_come_into_an_archive_once_and_replays_do_not(aws, bus) -> None:
    bus.put(entry(Detail='{"n": 1}'), entry(Detail='{"n": 2}'))
    before = bus.describe()["SizeBytes"]
    probe = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    bus.replay()
    bus.replay()
    assert len(probe.events(4)) == 4
    assert (bus.describe()["EventCount"], bus.describe()["SizeBytes"]) == (2, before)


@pytest.mark.parametrize(
    "change, code, message",
    [
        ({"ArchiveName": "n" * 49}, "ValidationException", "length less than or equal to 48"),
        (
            {"ArchiveName": "no spaces"},
            "ValidationException",
            r"at 'archiveName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Z",
        ),
        ({"EventSourceArn": "default"}, "ValidationException", "'eventSourceArn' failed to satisfy constraint"),
        ({"EventPattern": "{"}, "InvalidEventPatternException", "Event pattern is not valid. Reason: "),
        ({"EventPattern": '{"source": "a"}'}, "InvalidEventPatternException", '"source" must be an object or an array'),
        ({"Description": "d" * 513}, "ValidationException", "length less than or equal to 512"),
    ],
)
def test_what_create_archive_refuses(aws, events, change, code, message) -> None:
    arn = f"arn:aws:events:{aws.account.region}:{aws.account.account_id}:event-bus/default"
    refused = refusal(events.create_archive, **{"ArchiveName": "refused", "EventSourceArn": arn, **change})
    assert refused[0] == code
    assert message in refused[1]
    assert events.list_archives(NamePrefix="refused")["Archives"] == []


def test_errors_of_archives_as_recorded(bus, events, conformance) -> None:
    recorded = conformance("events/test_archive_and_replay.snapshot.json")

    def expected(test: str, **names: str) -> tuple[str, str]:
        [answer] = recorded[f"TestArchive::{test}"].values()
        message = answer["Error"]["Message"]
        for name, value in names.items():
            message = message.replace(f"<{name.replace('_', '-')}>", value)
        return answer["Error"]["Code"], message

    nowhere = bus.arn.replace(bus.name, "nowhere")
    assert refusal(events.create_archive, ArchiveName="x", EventSourceArn=nowhere) == expected(
        "test_create_archive_error_unknown_event_bus", event_bus_name="nowhere"
    )
    assert refusal(events.list_archives, EventSourceArn=nowhere) == expected(
        "test_list_archive_error_unknown_source_arn", event_bus_name="nowhere"
    )
    assert refusal(events.create_archive, ArchiveName=bus.name, EventSourceArn=bus.arn) == expected(
        "test_create_archive_error_duplicate[custom]", archive_name=bus.name
    )
    assert refusal(events.update_archive, ArchiveName="none") == expected("test_update_archive_error_unknown_archive")
    for call, test in (
        (events.describe_archive, "test_describe_archive_error_unknown_archive"),
        (events.delete_archive, "test_delete_archive_error_unknown_archive"),
    ):
        assert refusal(call, ArchiveName="none") == expected(test, archive_name="none")


def test_archives_are_listed_in_pages_and_by_one_filter(bus, events) -> None:
    names = [f"{bus.name}-{number}" for number in range(5)]
    for name in names:
        events.create_archive(ArchiveName=name, EventSourceArn=bus.arn)
    first = events.list_archives(NamePrefix=f"{bus.name}-", Limit=3)
    second = events.list_archives(NamePrefix=f"{bus.name}-", Limit=3, NextToken=first["NextToken"])
    assert [archive["ArchiveName"] for page in (first, second) for archive in page["Archives"]] == names
    assert "NextToken" not in second
    of_bus = events.list_archives(EventSourceArn=bus.arn)["Archives"]
    assert {archive["ArchiveName"] for archive in of_bus} == {bus.name, *names}
    assert refusal(events.list_archives, NamePrefix="a", State="ENABLED") == (
        "ValidationException",
        "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.",
    )


# The managed rule


def test_the_managed_rule_is_seen_but_not_to_be_changed_by_hand(bus, events) -> None:
    name = f"Events-Archive-{bus.name}"
    [rule] = events.list_rules(EventBusName=bus.name)["Rules"]
    assert (rule["Name"], rule["ManagedBy"]) == (name, "prod.vhs.events.aws.internal")
    assert json.loads(rule["EventPattern"]) == {"replay-name": [{"exists": False}]}
    [target] = events.list_targets_by_rule(Rule=name, EventBusName=bus.name)["Targets"]
    with_force = ("ManagedRuleException", f"{name} is a managed rule. Set 'force' parameter to true to override.")
    assert refusal(events.delete_rule, Name=name, EventBusName=bus.name) == with_force
    assert refusal(events.remove_targets, Rule=name, EventBusName=bus.name, Ids=[target["Id"]]) == with_force
    pattern = '{"source": ["a"]}'
    changes = [
        (events.disable_rule, {"Name": name}),
        (events.enable_rule, {"Name": name}),
        (events.put_rule, {"Name": name, "EventPattern": pattern}),
        (events.put_targets, {"Rule": name, "Targets": [{"Id": "mine", "Arn": bus.arn}]}),
    ]
    for call, request in changes:
        assert refusal(call, EventBusName=bus.name, **request)[0] == "ManagedRuleException"
    events.put_rule(Name="mine", EventPattern=pattern, EventBusName=bus.name)
    events.delete_rule(Name="mine", EventBusName=bus.name)
    bus.put(entry())


def test_the_archive_takes_its_rule_with_it_and_force_removes_the_rule_alone(bus, events) -> None:
    name = f"Events-Archive-{bus.name}"
    events.delete_archive(ArchiveName=bus.name)
    assert events.list_rules(EventBusName=bus.name)["Rules"] == []
    events.create_archive(ArchiveName=bus.name, EventSourceArn=bus.arn)
    bus.put(entry())
    [target] = events.list_targets_by_rule(Rule=name, EventBusName=bus.name)["Targets"]
    events.remove_targets(Rule=name, EventBusName=bus.name, Ids=[target["Id"]], Force=True)
    events.delete_rule(Name=name, EventBusName=bus.name, Force=True)
    assert events.list_rules(EventBusName=bus.name)["Rules"] == []
    assert bus.describe()["EventCount"] == 1
    events.delete_archive(ArchiveName=bus.name)


# Replays


def test_a_replay_answers_as_aws_was_recorded(patient, conformance) -> None:
    bus, events = Bus(patient), patient.client("events")
    recorded = conformance("events/test_archive_and_replay.snapshot.json")[
        "TestReplay::test_start_list_describe_canceled_replay[custom]"
    ]
    bus.put(entry(Detail='{"n": 1}'))
    probe = Probe(patient, {"source": ["orders"]}, bus=bus.name)
    request = {
        "EventSourceArn": bus.archive,
        "Destination": {"Arn": bus.arn, "FilterArns": [probe.rule_arn]},
        "Description": "d",
        **ALWAYS,
    }
    started = events.start_replay(ReplayName=f"{bus.name}-a", **request)
    assert shape(started) == shape(recorded["start-replay"])
    [event] = probe.events()
    assert list(event) == list(recorded["replay-messages"][0]["Body"])
    eventually(lambda: events.describe_replay(ReplayName=f"{bus.name}-a")["State"] == "COMPLETED")
    described = events.describe_replay(ReplayName=f"{bus.name}-a")
    assert shape(described) == shape(recorded["describe-replay"])
    assert described["ReplayStartTime"] <= described["ReplayEndTime"]
    [listed] = events.list_replays(EventSourceArn=bus.archive)["Replays"]
    assert shape(listed) == shape(recorded["list-replays"]["Replays"][0])
    events.start_replay(ReplayName=f"{bus.name}-b", **request)
    cancelled = events.cancel_replay(ReplayName=f"{bus.name}-b")
    assert shape(cancelled) == shape(recorded["cancel-replay"])
    assert shape(events.describe_replay(ReplayName=f"{bus.name}-b")) == shape(recorded["describe-replay-canceled"])
    eventually(lambda: events.describe_replay(ReplayName=f"{bus.name}-b")["State"] == "CANCELLED")
    assert "ReplayEndTime" in events.describe_replay(ReplayName=f"{bus.name}-b")
    assert probe.events(seconds=0.2) == []


def test_a_replayed_event_is_the_old_one_with_the_replays_name(aws, bus) -> None:
    probe = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    resource = "arn:aws:s3:::a-bucket"
    bus.put(entry(Detail='{"Amount": 65.50, "Größe": 30e2}', Time=HOUR, Resources=[resource]))
    [first] = probe.texts()
    name = bus.replay()
    [again] = probe.texts()
    before, after = json.loads(first), json.loads(again)
    assert after.pop("replay-name") == name
    assert after.pop("id") != before.pop("id")
    assert after == before
    assert after["time"] == "2026-11-23T09:00:00Z"
    assert again.endswith('"detail":{"Amount":65.50,"Größe":30e2}}')
    assert f'"replay-name":"{name}","resources":["{resource}"]' in again


def test_only_events_of_the_time_window_come_back_by_their_own_time(aws, bus, events) -> None:
    times = [HOUR + timedelta(minutes=minutes) for minutes in (0, 5, 10, 15)]
    bus.put(*[entry(Detail=json.dumps({"n": number}), Time=time) for number, time in enumerate(times)])
    probe = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    name = bus.replay(EventStartTime=times[1], EventEndTime=times[2] + timedelta(seconds=1))
    assert [event["detail"]["n"] for event in probe.events(2)] == [1, 2]
    assert events.describe_replay(ReplayName=name)["EventLastReplayedTime"] == times[2]
    empty = bus.replay(EventStartTime=times[3] + timedelta(seconds=1), EventEndTime=times[3] + timedelta(hours=1))
    assert probe.events(seconds=0.2) == []
    assert "EventLastReplayedTime" not in events.describe_replay(ReplayName=empty)


def test_minutes_come_back_in_their_order(aws, bus) -> None:
    minutes = [3, 0, 2, 1]
    bus.put(*[entry(Detail=json.dumps({"m": minute}), Time=HOUR + timedelta(minutes=minute)) for minute in minutes])
    probe = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    bus.replay()
    assert [event["detail"]["m"] for event in probe.events(4)] == [0, 1, 2, 3]


def test_a_replay_reaches_the_chosen_rules_alone(aws, bus) -> None:
    bus.put(entry(Detail='{"n": 1}'))
    chosen, other = (Probe(aws, {"source": ["orders"]}, bus=bus.name) for _ in range(2))
    foreign = Probe(aws, {"source": ["something else"]}, bus=bus.name)
    bus.replay(rules=[chosen.rule_arn, foreign.rule_arn])
    assert len(chosen.events()) == 1
    assert other.events(seconds=0.2) == foreign.events(seconds=0.1) == []


def test_rules_can_pick_replays_and_ignore_them(aws, bus) -> None:
    live = Probe(aws, {"source": ["orders"], "replay-name": [{"exists": False}]}, bus=bus.name)
    replays = Probe(aws, {"source": ["orders"], "replay-name": [{"prefix": "replay-"}]}, bus=bus.name)
    bus.put(entry())
    assert len(live.events()) == 1
    name = bus.replay()
    [event] = replays.events()
    assert event["replay-name"] == name
    assert live.events(seconds=0.2) == []


def test_an_archive_outlives_rules_and_is_there_for_new_ones(aws, bus, events) -> None:
    old = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    bus.put(entry(Detail='{"n": 1}'))
    assert len(old.events()) == 1
    events.remove_targets(Rule=old.name, EventBusName=bus.name, Ids=["queue"])
    events.delete_rule(Name=old.name, EventBusName=bus.name)
    new = Probe(aws, {"source": ["orders"]}, bus=bus.name)
    bus.replay()
    assert [event["detail"] for event in new.events()] == [{"n": 1}]


def test_errors_of_replays_as_recorded(patient, conformance) -> None:
    bus, events = Bus(patient), patient.client("events")
    recorded = conformance("events/test_archive_and_replay.snapshot.json")

    def expected(test: str, answer: str = "", **names: str) -> tuple[str, str]:
        answers = recorded[f"TestReplay::{test}"]
        error = (answers[answer] if answer else next(iter(answers.values())))["Error"]
        message = error["Message"]
        for name, value in names.items():
            message = message.replace(f"<{name.replace('_', '-')}>", value)
        return error["Code"], message

    def refused(**changes: object) -> tuple[str, str]:
        request = {"ReplayName": bus.name, "EventSourceArn": bus.archive, "Destination": {"Arn": bus.arn}, **ALWAYS}
        return refusal(events.start_replay, **{**request, **changes})

    nowhere = {"Arn": bus.arn.replace(bus.name, "nowhere")}
    assert refused(Destination=nowhere) == expected(
        "test_start_replay_error_unknown_event_bus", "start-replay-unknown-event-bus-error", event_bus_name="nowhere"
    )
    assert refused(Destination={"Arn": Bus(patient).arn}) == expected(
        "test_start_replay_error_unknown_event_bus", "start-replay-wrong-event-bus-error"
    )
    assert refused(EventSourceArn=bus.archive.replace(bus.name, "nothing")) == expected(
        "test_start_replay_error_unknown_archive", archive_name="nothing"
    )
    for seconds in (0, 10):
        assert refused(EventStartTime=HOUR, EventEndTime=HOUR - timedelta(seconds=seconds)) == expected(
            f"test_start_replay_error_invalid_end_time[{seconds}]"
        )
    assert refusal(events.describe_replay, ReplayName="none") == expected(
        "test_describe_replay_error_unknown_replay", replay_name="none"
    )
    name = bus.replay()
    assert refused(ReplayName=name) == expected("test_start_replay_error_duplicate_name_same_archive", replay_name=name)
    assert refusal(events.cancel_replay, ReplayName=name) == (
        "IllegalStatusException",
        f"Replay {name} is not in a valid state for this operation.",
    )
    with ThreadPoolExecutor(10) as pool:
        started = list(pool.map(lambda _: bus.replay(wait=False), range(10)))
    assert refused() == expected("tests_concurrency_error_too_many_active_replays")
    states = [events.describe_replay(ReplayName=name)["State"] for name in started]
    assert set(states) <= {"STARTING", "RUNNING"}
    for name in started:
        eventually(lambda name=name: events.describe_replay(ReplayName=name)["State"] == "COMPLETED")


def test_replays_are_listed_in_pages_and_by_one_filter(bus, events) -> None:
    names = [bus.replay() for _ in range(3)]
    listed = events.list_replays(EventSourceArn=bus.archive, Limit=2)
    rest = events.list_replays(EventSourceArn=bus.archive, Limit=2, NextToken=listed["NextToken"])
    assert [replay["ReplayName"] for page in (listed, rest) for replay in page["Replays"]] == names
    assert [replay["ReplayName"] for replay in events.list_replays(NamePrefix=names[1])["Replays"]] == [names[1]]
    completed = events.list_replays(State="COMPLETED")["Replays"]
    assert set(names) <= {replay["ReplayName"] for replay in completed}
    assert refusal(events.list_replays, NamePrefix="a", State="COMPLETED")[0] == "ValidationException"


@pytest.mark.deep
def test_a_large_archive_is_replayed_whole_and_can_be_cancelled(patient) -> None:
    bus, events = Bus(patient), patient.client("events")
    bus.put(*[entry(Detail=json.dumps({"n": number})) for number in range(1500)])
    probe = Probe(patient, {"source": ["orders"]}, bus=bus.name)
    bus.replay()
    eventually(lambda: probe.waiting() == 1500)
    name = bus.replay(wait=False)
    assert events.cancel_replay(ReplayName=name)["State"] == "CANCELLING"
    eventually(lambda: events.describe_replay(ReplayName=name)["State"] == "CANCELLED")
    replay = events.describe_replay(ReplayName=name)
    assert "ReplayEndTime" in replay and "EventLastReplayedTime" not in replay
    assert probe.waiting() == 1500
