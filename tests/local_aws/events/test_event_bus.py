"""From the bus to the targets: which rules deliver, what targets get, and what happens when one refuses."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.support.event_probe import Probe, entry, open_to_events
from tests.support.polling import eventually

ECHO = """
def handler(event, context):
    print("got", event["id"], event["detail-type"])
"""


@pytest.fixture(scope="module")
def events(aws):
    return aws.client("events")


@pytest.fixture(scope="module")
def echo(aws) -> str:
    """A function that logs each event it gets."""
    return aws.function(ECHO)


@pytest.fixture
def source() -> str:
    return f"source-{uuid.uuid4().hex[:8]}"


def function_arn(aws, name: str) -> str:
    return f"arn:aws:lambda:{aws.account.region}:{aws.account.account_id}:function:{name}"


def rule_for(aws, source: str, *targets: dict, pattern: dict | None = None) -> str:
    """A rule on the default bus; returns its name."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    events = aws.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern or {"source": [source]}))
    if targets:
        events.put_targets(Rule=name, Targets=list(targets))
    return name


def permit(aws, function: str, rule: str) -> None:
    aws.client("lambda").add_permission(
        FunctionName=function,
        StatementId=rule,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=f"arn:aws:events:{aws.account.region}:{aws.account.account_id}:rule/{rule}",
    )


def got(aws, function: str, event_id: str = "") -> list[str]:
    """The lines in which the function says that it got an event."""
    try:
        return [line for line in aws.log(function) if f"got {event_id}" in line]
    except aws.client("logs").exceptions.ResourceNotFoundException:  # it never ran
        return []


def put(events, *entries: dict) -> list[str]:
    answer = events.put_events(Entries=list(entries))
    assert answer["FailedEntryCount"] == 0
    return [result["EventId"] for result in answer["Entries"]]


# Lambda


def test_a_function_gets_the_event_once_the_rule_is_permitted(aws, events, echo, source) -> None:
    rule = rule_for(aws, source, {"Id": "f", "Arn": function_arn(aws, echo)})
    [before] = put(events, entry(source))
    eventually(lambda: before in aws.server_log(), "the word that it was not delivered")
    permit(aws, echo, rule)
    [after] = put(events, entry(source))
    assert eventually(lambda: got(aws, echo, after))
    assert not got(aws, echo, before)


def test_a_permission_for_another_rule_does_not_help(aws, events, echo, source) -> None:
    rule_for(aws, source, {"Id": "f", "Arn": function_arn(aws, echo)})
    permitted = rule_for(aws, source, {"Id": "f", "Arn": function_arn(aws, echo)})
    permit(aws, echo, permitted)
    [event] = put(events, entry(source))
    assert eventually(lambda: got(aws, echo, event))
    time.sleep(0.2)
    assert len(got(aws, echo, event)) == 1


def test_a_failing_or_missing_target_disturbs_no_one(aws, events, echo, source) -> None:
    missing = {"Id": "gone", "Arn": function_arn(aws, "no-such-function")}
    no_queue = {"Id": "q", "Arn": f"arn:aws:sqs:us-east-1:{aws.account.account_id}:no-such-queue"}
    odd = {"Id": "odd", "Arn": f"arn:aws:sns:us-east-1:{aws.account.account_id}:topic"}
    rule = rule_for(aws, source, missing, no_queue, odd, {"Id": "f", "Arn": function_arn(aws, echo)})
    permit(aws, echo, rule)
    [event] = put(events, entry(source))
    assert eventually(lambda: got(aws, echo, event))


def test_a_function_gets_each_of_many_events(aws, events, echo, source) -> None:
    rule = rule_for(aws, source, {"Id": "f", "Arn": function_arn(aws, echo)})
    permit(aws, echo, rule)
    sent = {event for _ in range(10) for event in put(events, *[entry(source)] * 10)}
    assert eventually(lambda: sent <= {line.split()[1] for line in got(aws, echo)})


# Rules


def test_every_matching_rule_delivers_to_each_of_its_targets(aws, events, source) -> None:
    probes = [Probe(aws, {"source": [source]}), Probe(aws, {"detail": {"n": [1]}, "source": [source]})]
    other = Probe(aws, {"source": [source], "detail": {"n": [2]}})
    events.put_targets(Rule=probes[0].name, Targets=[{"Id": "second", "Arn": probes[1].arn}])
    [event] = put(events, entry(source, Detail='{"n": 1}'))
    assert [found["id"] for found in probes[0].only()] == [event]
    assert [found["id"] for found in probes[1].only(2)] == [event, event]
    assert other.texts(1, seconds=0.2) == []


def test_a_disabled_rule_does_not_deliver(aws, events) -> None:
    probe = Probe(aws)
    events.disable_rule(Name=probe.name)
    put(events, entry(probe.source, DetailType="disabled"))
    assert probe.texts(1, seconds=0.3) == []
    events.enable_rule(Name=probe.name)
    put(events, entry(probe.source, DetailType="enabled"))
    assert [found["detail-type"] for found in probe.only()] == ["enabled"]


def test_a_rule_put_again_has_its_new_pattern_and_its_targets(aws, events, source) -> None:
    probe = Probe(aws)
    events.put_rule(Name=probe.name, EventPattern=json.dumps({"source": [source]}), Description="new")
    put(events, entry(probe.source), entry(source))
    assert [found["source"] for found in probe.only()] == [source]


def test_a_rule_with_a_schedule_only_matches_no_event(aws, events) -> None:
    probe = Probe(aws)
    name = f"schedule-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=name, ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": probe.arn}])
    put(events, entry("anything"))
    assert probe.texts(1, seconds=0.3) == []


def test_removed_targets_and_deleted_rules_get_nothing(aws, events) -> None:
    probe = Probe(aws)
    assert events.remove_targets(Rule=probe.name, Ids=["queue"])["FailedEntryCount"] == 0
    put(events, entry(probe.source))
    events.delete_rule(Name=probe.name)
    put(events, entry(probe.source))
    assert probe.texts(1, seconds=0.3) == []


def test_many_rules_are_told_apart(aws, events, source) -> None:
    for number in range(40):
        rule_for(aws, source, pattern={"source": [f"{source}-{number}"]})
        rule_for(aws, source, pattern={"source": [source], "detail": {"n": [number]}})
    probe = Probe(aws, {"detail-type": [source], "detail": {"n": [7]}})
    [_, wanted] = put(events, entry(source, Detail='{"n": 7}'), entry(DetailType=source, Detail='{"n": 7}'))
    assert [found["id"] for found in probe.only()] == [wanted]


def refusal(call: Callable, **arguments: object) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


PATTERN = '{"source": ["nobody"]}'
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


def test_refuses_bad_rules(events) -> None:
    name = "a b" * 30
    code, message = refusal(events.put_rule, Name=name, EventPattern=PATTERN)
    failed = f"Value '{name}' at 'name' failed to satisfy constraint: Member must"
    assert code == "ValidationException"
    assert message == (
        f"2 validation errors detected: {failed} satisfy regular expression pattern: "
        rf"[\.\-_A-Za-z0-9]+; {failed} have length less than or equal to 64"
    )
    for bad in ({"State": "ON"}, {"Description": "x" * 513}, {"EventPattern": PATTERN + " " * 4096}):
        assert refusal(events.put_rule, **{"Name": "r", "EventPattern": PATTERN} | bad)[0] == "ValidationException"
    assert refusal(events.put_rule, Name="r")[0] == "ValidationException"
    unknown = refusal(events.put_rule, Name="r", EventPattern=PATTERN, EventBusName="no-such-bus")
    assert unknown == ("ResourceNotFoundException", "Event bus no-such-bus does not exist.")


def test_unknown_rules(events) -> None:
    expected = ("ResourceNotFoundException", "Rule no-such-rule does not exist on EventBus default.")
    for call in (events.describe_rule, events.enable_rule, events.disable_rule):
        assert refusal(call, Name="no-such-rule") == expected
    assert refusal(events.put_targets, Rule="no-such-rule", Targets=[{"Id": "1", "Arn": ARN}]) == expected
    assert refusal(events.remove_targets, Rule="no-such-rule", Ids=["1"]) == expected
    assert refusal(events.list_targets_by_rule, Rule="no-such-rule") == expected
    events.delete_rule(Name="no-such-rule")  # as on AWS: nothing to delete is no error


def test_describes_and_lists_rules_as_aws_does(aws, events) -> None:
    name = f"described-{uuid.uuid4().hex[:8]}"
    arn = events.put_rule(Name=name, EventPattern=PATTERN, State="DISABLED", Description="d")["RuleArn"]
    common = {
        "Arn": f"arn:aws:events:{aws.account.region}:{aws.account.account_id}:rule/{name}",
        "Name": name,
        "EventPattern": PATTERN,
        "State": "DISABLED",
        "Description": "d",
        "EventBusName": "default",
    }
    described = events.describe_rule(Name=name)
    described.pop("ResponseMetadata")
    assert described == common | {"CreatedBy": aws.account.account_id}
    assert events.list_rules(NamePrefix=name)["Rules"] == [common]
    assert arn == common["Arn"]


def test_a_rule_with_targets_cannot_be_deleted(aws, events) -> None:
    name = rule_for(aws, "nobody", {"Id": "1", "Arn": ARN})
    assert refusal(events.delete_rule, Name=name) == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )


def test_refuses_bad_targets(aws, events) -> None:
    name = rule_for(aws, "nobody", {"Id": "1", "Arn": ARN})
    bad_targets = {
        "id": {"Id": "!", "Arn": ARN},
        "long id": {"Id": "x" * 65, "Arn": ARN},
        "arn": {"Id": "2", "Arn": "function:f"},
        "two inputs": {"Id": "2", "Arn": ARN, "Input": "{}", "InputPath": "$.detail"},
        "input": {"Id": "2", "Arn": ARN, "Input": "{"},
        "path": {"Id": "2", "Arn": ARN, "InputPath": "detail"},
        "placeholder": {"Id": "2", "Arn": ARN, "InputTransformer": {"InputTemplate": '"<a>"'}},
    }
    for what, target in bad_targets.items():
        refused = refusal(events.put_targets, Rule=name, Targets=[{"Id": "3", "Arn": ARN}, target])
        assert refused[0] == "ValidationException", what
    assert [target["Id"] for target in events.list_targets_by_rule(Rule=name)["Targets"]] == ["1"]
    five_more = [{"Id": str(number), "Arn": ARN} for number in range(2, 7)]
    assert refusal(events.put_targets, Rule=name, Targets=five_more) == (
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
    events.put_targets(Rule=name, Targets=five_more[:4])
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": ARN}])  # the same one again is no more


def test_recorded_rules_and_targets(aws, events, conformance) -> None:
    recorded = conformance("events/test_events.snapshot.json")
    name = rule_for(aws, "nobody", {"Id": "1", "Arn": ARN})

    def error(test: str, key: str) -> dict:
        return recorded[test][key]["Error"]

    def refused(call: Callable, **arguments: object) -> dict:
        return dict(zip(("Code", "Message"), refusal(call, **arguments), strict=True))

    unknown = error("TestEventRule::test_describe_nonexistent_rule", "describe-not-existing-rule-error")
    unknown["Message"] = unknown["Message"].replace("<rule-name>", "unknown")
    assert refused(events.describe_rule, Name="unknown") == unknown
    expected = error("TestEventRule::test_delete_rule_with_targets", "delete-rule-with-targets-error")
    assert refused(events.delete_rule, Name=name) == expected
    six = [{"Id": str(number), "Arn": ARN} for number in range(6)]
    expected = error("TestEventTarget::test_add_exceed_fife_targets_per_rule", "put-targets-client-error")
    assert refused(events.put_targets, Rule=name, Targets=six) == expected
    bad_id = error("TestEventTarget::test_put_target_id_validation", "put-targets-invalid-id-error")
    target = {"Id": bad_id["Message"].split("'")[1], "Arn": ARN}
    assert refused(events.put_targets, Rule=name, Targets=[target]) == bad_id
    long_id = error("TestEventTarget::test_put_target_id_validation", "put-targets-length-error")
    long_id["Message"] = long_id["Message"].replace("second-invalid-target-id", "x" * 65)
    assert refused(events.put_targets, Rule=name, Targets=[{"Id": "x" * 65, "Arn": ARN}]) == long_id


@pytest.mark.parametrize("custom", [False, True])
def test_recorded_shape_of_targets(aws, events, conformance, custom: bool) -> None:
    kind = "custom" if custom else "default"
    recorded = conformance("events/test_events.snapshot.json")
    expected = recorded[f"TestEventTarget::test_put_list_remove_target[{kind}]"]
    bus = f"bus-{uuid.uuid4().hex[:8]}" if custom else "default"
    if custom:
        events.create_event_bus(Name=bus)
    where = {"Rule": f"rule-{uuid.uuid4().hex[:8]}", "EventBusName": bus}
    events.put_rule(Name=where["Rule"], EventBusName=bus, EventPattern=PATTERN)
    steps = {
        "put-target": lambda: events.put_targets(Targets=[{"Id": "t", "Arn": ARN}], **where),
        "list-targets": lambda: events.list_targets_by_rule(**where),
        "remove-target": lambda: events.remove_targets(Ids=["t"], **where),
        "list-targets-after-delete": lambda: events.list_targets_by_rule(**where),
    }
    for step, call in steps.items():
        answer = call()
        answer.pop("ResponseMetadata")
        shape = json.loads(json.dumps(expected[step]).replace("<queue-arn>", ARN).replace("<target-id>", "t"))
        shape.pop("ResponseMetadata")
        assert answer == shape, step


# What targets get

DETAIL = '{"order": {"id": "o1", "amount": 65.50, "lines": [{"sku": "A"}, {"sku": "B"}]}, "note": "say \\"hi\\""}'


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"fixed":  1}'}, '{"fixed":  1}'),
        ({"InputPath": "$.detail.order"}, '{"id":"o1","amount":65.50,"lines":[{"sku":"A"},{"sku":"B"}]}'),
        ({"InputPath": "$.detail.order.lines[1].sku"}, '"B"'),
        ({"InputPath": "$.detail['order'].amount"}, "65.50"),
        ({"InputPath": "$.detail-type"}, '"order"'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {
                        "id": "$.detail.order.id",
                        "order": "$.detail.order",
                        "no": "$.detail.no",
                    },
                    "InputTemplate": '{"id": <id>, "text": "order <id> <no>", "lines": <order>, "no": <no>}',
                }
            },
            '{"id": "o1", "text": "order o1 ", "lines": {"id":"o1","amount":65.50,"lines":'
            '[{"sku":"A"},{"sku":"B"}]}, "no": ""}',
        ),
        (
            {"InputTransformer": {"InputTemplate": '"by <aws.events.rule-name>"\n"again"'}},
            '"by {rule}"\n"again"',
        ),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"lines": "$.detail.order.lines", "note": "$.detail.note"},
                    "InputTemplate": '"<lines> <note> <unknown"',
                }
            },
            r'"[{sku:A},{sku:B}] say \"hi\" <unknown"',
        ),
        (
            {"InputTransformer": {"InputTemplate": '{"arn": "<aws.events.rule-arn>"}'}},
            '{"arn": "{arn}"}',
        ),
    ],
)
def test_shapes_what_a_target_gets(aws, events, target: dict, expected: str) -> None:
    probe = Probe(aws, **target)
    put(events, entry(probe.source, Detail=DETAIL))
    [text] = probe.texts()
    assert text == expected.replace("{rule}", probe.name).replace("{arn}", probe.rule_arn)


def test_a_template_can_hold_the_event(aws, events) -> None:
    template = '{"event": <aws.events.event>, "json": <aws.events.event.json>, "at": <aws.events.event.ingestion-time>}'
    probe = Probe(aws, InputTransformer={"InputTemplate": template})
    plain = Probe(aws, {"source": [probe.source]})
    put(events, entry(probe.source, Detail=DETAIL))
    [shaped], [event] = probe.events(), plain.events()
    assert shaped["json"] == event
    assert shaped["at"] == event["time"]
    assert shaped["event"]["detailType"] == "order"
    assert "detail" not in shaped["event"]


def test_a_log_group_gets_the_event(aws, events, source) -> None:
    logs, group = aws.client("logs"), f"/aws/events/{source}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{aws.account.region}:{aws.account.account_id}:log-group:{group}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{arn}:*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    logs.put_resource_policy(policyName=source, policyDocument=policy)
    rule_for(aws, source, {"Id": "log", "Arn": arn})
    [event] = put(events, entry(source))
    found = eventually(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert [json.loads(line["message"])["id"] for line in found] == [event]


def test_a_fifo_queue_gets_events_in_order(aws, events, source) -> None:
    sqs, name = aws.client("sqs"), f"{source}.fifo"
    arn = f"arn:aws:sqs:{aws.account.region}:{aws.account.account_id}:{name}"
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} | open_to_events(arn)
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    rule_for(aws, source, {"Id": "q", "Arn": arn, "SqsParameters": {"MessageGroupId": "g"}})
    sent = put(events, *[entry(source)] * 10)
    found: list[str] = []

    def receive() -> bool:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            found.append(json.loads(message["Body"])["id"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) == 10

    eventually(receive)
    assert found == sent


def test_an_event_goes_on_to_another_bus_but_to_no_third(aws, events, source) -> None:
    buses = [f"{source}-{number}" for number in range(2)]
    arns = [events.create_event_bus(Name=name)["EventBusArn"] for name in buses]
    rule_for(aws, source, {"Id": "bus", "Arn": arns[0]})
    events.put_rule(Name="on", EventBusName=buses[0], EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule="on", EventBusName=buses[0], Targets=[{"Id": "bus", "Arn": arns[1]}])
    second, third = (Probe(aws, {"source": [source]}, bus=name) for name in buses)
    [event] = put(events, entry(source, Detail=DETAIL, Resources=["arn:x"]))
    [found] = second.events()
    assert (found["id"], found["resources"]) == (event, ["arn:x"])
    assert third.texts(1, seconds=0.3) == []


def test_archives_keep_what_they_ask_for_and_replay_it(aws, events, source) -> None:
    bus = events.create_event_bus(Name=source)["EventBusArn"]
    pattern = json.dumps({"detail": {"keep": [True]}})
    archive = events.create_archive(ArchiveName=source, EventSourceArn=bus, EventPattern=pattern)["ArchiveArn"]
    probe = Probe(aws, {"source": [source]}, bus=source)
    quiet = Probe(aws, {"source": [source]}, bus=source)
    kept = entry(source, EventBusName=source, Detail='{"keep": true, "amount": 65.50}')
    put(events, kept, entry(source, EventBusName=source))
    assert len(probe.texts(2)) == len(quiet.texts(2)) == 2
    assert events.describe_archive(ArchiveName=source)["EventCount"] == 1
    events.start_replay(
        ReplayName=source,
        EventSourceArn=archive,
        EventStartTime=0,
        EventEndTime=int(time.time()) + 10,
        Destination={"Arn": bus, "FilterArns": [probe.rule_arn]},
    )
    [text] = probe.texts()
    assert f'"region":"{aws.account.region}","replay-name":"{source}","resources":[]' in text
    assert text.endswith('"detail":{"keep":true,"amount":65.50}}')
    assert quiet.texts(1, seconds=0.3) == []
    assert events.describe_archive(ArchiveName=source)["EventCount"] == 1


def test_an_upload_to_a_bucket_is_an_event(aws, events, source) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=source)
    s3.put_bucket_notification_configuration(Bucket=source, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [source]}},
    }
    probe = Probe(aws, pattern)
    s3.put_object(Bucket=source, Key="orders.csv", Body=b"x")
    [event] = probe.events()
    assert event["detail"]["object"]["key"] == "orders.csv"
    assert event["time"].endswith("Z")


# Time


def test_put_events_waits_for_no_delivery(aws, events, source, tmp_path) -> None:
    """The function waits until all events have been accepted."""
    gate = tmp_path / "gate"
    waiting = f"""
import os, time
def handler(event, context):
    while not os.path.exists({str(gate)!r}):
        time.sleep(0.02)
    print("got", event["id"])
"""
    name = aws.function(waiting, Timeout=600)
    permit(aws, name, rule_for(aws, source, {"Id": "f", "Arn": function_arn(aws, name)}))
    sent = [event for _ in range(5) for event in put(events, *[entry(source)] * 10)]
    assert not got(aws, name)
    gate.touch()
    assert eventually(lambda: sorted(line.split()[1] for line in got(aws, name)) == sorted(sent))
