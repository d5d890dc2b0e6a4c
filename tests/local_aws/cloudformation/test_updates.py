"""Updates of stacks: in place, by replacement, taken back; and change sets."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import WaiterError

from tests.support.embedded_aws import Aws
from tests.support.stacks import BAD_QUEUE, IAM, QUEUE, ROLE, Stacks, name, table


@pytest.fixture(scope="module")
def stacks(aws: Aws) -> Stacks:
    return Stacks(aws)


def queue(**properties: object) -> dict:
    return {**QUEUE, "Properties": properties}


def delay(aws: Aws, url: str) -> str:
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    return answer["Attributes"]["DelaySeconds"]


def test_in_place(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Queue": queue(DelaySeconds=1), "Other": QUEUE})
    before, seen = stacks.physical(arn), len(stacks.events(arn))
    stacks.update(arn, {"Queue": queue(DelaySeconds=2), "Other": QUEUE})
    assert stacks.physical(arn) == before and delay(aws, before["Queue"]) == "2"
    assert stacks.events(arn, seen) == [
        "stack UPDATE_IN_PROGRESS",
        "Queue UPDATE_IN_PROGRESS",
        "Queue UPDATE_COMPLETE",
        "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "stack UPDATE_COMPLETE",
    ]
    stacks.update(arn, {"Queue": QUEUE, "Other": QUEUE})  # what the template no longer says has its default again
    assert delay(aws, before["Queue"]) == "0"
    stacks.delete(arn)


def test_nothing_to_do(stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE})
    refusal = stacks.refusal(stacks.update, arn=arn, resources={"Queue": QUEUE})
    assert refusal == ("ValidationError", "No updates are to be performed.")
    refusal = stacks.refusal(stacks.client.update_stack, StackName=arn, UsePreviousTemplate=True)
    assert refusal == ("ValidationError", "No updates are to be performed.")
    stacks.delete(arn)


def test_parameters_of_last_time(aws: Aws, stacks: Stacks):
    rules = {"Seconds": {"Type": "Number", "Default": 3}}
    resources = {"Queue": queue(DelaySeconds={"Ref": "Seconds"})}
    value = [{"ParameterKey": "Seconds", "ParameterValue": "9"}]
    arn = stacks.create(resources, parameters=rules, Parameters=value)
    url = stacks.physical(arn)["Queue"]
    again = [{"ParameterKey": "Seconds", "UsePreviousValue": True}]
    more = {**resources, "Other": QUEUE}
    stacks.update(arn, more, parameters=rules, Parameters=again)
    assert delay(aws, url) == "9"
    stacks.client.update_stack(StackName=arn, UsePreviousTemplate=True)  # not given: the default
    stacks.wait("stack_update_complete", arn)
    assert delay(aws, url) == "3"
    stacks.delete(arn)


def test_resources_come_and_go(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Old": QUEUE, "Both": QUEUE})
    old = stacks.physical(arn)["Old"]
    stacks.update(arn, {"New": QUEUE, "Both": QUEUE})
    assert sorted(stacks.physical(arn)) == ["Both", "New"]
    events = stacks.events(arn)
    cleanup = events.index("stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert events.index("New CREATE_COMPLETE") < cleanup < events.index("Old DELETE_COMPLETE")
    sqs = aws.client("sqs")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_attributes(QueueUrl=old)
    stacks.delete(arn)


def test_replacement(aws: Aws, stacks: Stacks):
    """A table cannot change its key: another one is made, whoever refers to it is told, and then the old one goes."""
    user = queue(QueueName={"Ref": "Table"})
    arn = stacks.create({"Table": table(), "Queue": user})
    before, seen = stacks.physical(arn), len(stacks.events(arn))
    stacks.update(arn, {"Table": table("Id"), "Queue": user})
    after = stacks.physical(arn)
    assert after["Table"] != before["Table"] and after["Queue"].endswith(after["Table"])
    dynamodb = aws.client("dynamodb")
    assert dynamodb.describe_table(TableName=after["Table"])["Table"]["KeySchema"][0]["AttributeName"] == "Id"
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.describe_table(TableName=before["Table"])
    assert stacks.events(arn, seen)[1:4] == ["Table UPDATE_IN_PROGRESS"] * 2 + ["Table UPDATE_COMPLETE"]
    why = "Requested update requires the creation of a new physical resource; hence creating one."
    reasons = stacks.client.describe_stack_events(StackName=arn)["StackEvents"]
    assert why in [event.get("ResourceStatusReason") for event in reasons]
    stacks.delete(arn)


def test_a_replaced_resource_may_be_kept(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Table": {**table(), "UpdateReplacePolicy": "Retain"}})
    before = stacks.physical(arn)["Table"]
    stacks.update(arn, {"Table": {**table("Id"), "UpdateReplacePolicy": "Retain"}})
    assert "Table DELETE_SKIPPED" in stacks.events(arn)
    assert aws.client("dynamodb").describe_table(TableName=before)
    stacks.delete(arn)


def test_a_name_of_ones_own_prevents_replacement(stacks: Stacks):
    named = name("table")
    arn = stacks.create({"Table": table(TableName=named)})
    stacks.update(arn, {"Table": table("Id", TableName=named)}, waiter=None)
    assert stacks.settled(arn)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.reason(arn, "UPDATE_FAILED") == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        f"Rename {named} and update the stack again."
    )
    assert stacks.physical(arn) == {"Table": named}
    stacks.delete(arn)


def test_a_failed_update_is_taken_back(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Changed": queue(DelaySeconds=1), "Table": table()})
    before, seen = stacks.physical(arn), len(stacks.events(arn))
    failing = {
        "Changed": queue(DelaySeconds=2),
        "Table": table("Id"),
        "Added": QUEUE,
        "Bad": {**BAD_QUEUE, "DependsOn": ["Changed", "Table", "Added"]},
    }
    stacks.update(arn, failing, waiter=None)
    assert stacks.settled(arn)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(WaiterError, match="UPDATE_ROLLBACK_COMPLETE"):
        stacks.wait("stack_update_complete", arn)
    assert stacks.physical(arn) == before and delay(aws, before["Changed"]) == "1"
    assert aws.client("dynamodb").describe_table(TableName=before["Table"])
    events = stacks.events(arn, seen)
    assert events[events.index("stack UPDATE_ROLLBACK_IN_PROGRESS") :] == [
        "stack UPDATE_ROLLBACK_IN_PROGRESS",
        "Table UPDATE_COMPLETE",
        "Changed UPDATE_IN_PROGRESS",
        "Changed UPDATE_COMPLETE",
        "stack UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "Bad DELETE_COMPLETE",
        "Added DELETE_IN_PROGRESS",
        "Added DELETE_COMPLETE",
        "Table DELETE_IN_PROGRESS",
        "Table DELETE_COMPLETE",
        "stack UPDATE_ROLLBACK_COMPLETE",
    ]
    assert "failed to create: [Bad]" in stacks.reason(arn, "UPDATE_ROLLBACK_IN_PROGRESS")
    stacks.update(arn, {"Changed": queue(DelaySeconds=3)})  # and it can be updated again
    assert delay(aws, before["Changed"]) == "3"
    stacks.delete(arn)


def test_a_failed_update_may_stay_as_it_is(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Queue": queue(DelaySeconds=1)})
    failing = {"Queue": queue(DelaySeconds=2), "Bad": {**BAD_QUEUE, "DependsOn": "Queue"}}
    stacks.update(arn, failing, waiter=None, DisableRollback=True)
    assert stacks.settled(arn)["StackStatus"] == "UPDATE_FAILED"
    assert delay(aws, stacks.physical(arn)["Queue"]) == "2"
    stacks.update(arn, {"Queue": queue(DelaySeconds=1)})
    assert delay(aws, stacks.physical(arn)["Queue"]) == "1"
    stacks.delete(arn)


def test_tags_of_the_stack_reach_its_resources(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE}, Tags=[{"Key": "stage", "Value": "test"}])
    url, sqs = stacks.physical(arn)["Queue"], aws.client("sqs")
    stacks.update(arn, {"Queue": QUEUE}, Tags=[{"Key": "owner", "Value": "x"}])
    tags = sqs.list_queue_tags(QueueUrl=url)["Tags"]
    assert "stage" not in tags and tags["owner"] == "x" and tags["aws:cloudformation:stack-id"] == arn
    stacks.delete(arn)


FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    return 1"},
    },
}


def test_each_type_is_updated(aws: Aws, stacks: Stacks):
    """The types of the workbook's service, all in one stack: made, changed and taken away again."""
    prefix = name("all")

    def resources(seconds: int, source: str, retries: int) -> dict:
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": f"sqs:Action{seconds}", "Resource": "*"}],
        }
        settings = {**FUNCTION["Properties"], "Timeout": seconds, "FunctionName": f"{prefix}-function"}
        settings["Code"] = {"ZipFile": f"def handler(event, context):\n    return {seconds}"}
        target = {"Id": f"target-{seconds}", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "Input": json.dumps(seconds)}
        return {
            "Role": {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": f"{prefix}-role",
                     "Policies": [{"PolicyName": f"inline-{seconds}", "PolicyDocument": policy}]}},
            "Managed": {"Type": "AWS::IAM::ManagedPolicy",
                        "Properties": {"PolicyDocument": policy, "Roles": [{"Ref": "Role"}]}},
            "Written": {"Type": "AWS::IAM::Policy",
                        "Properties": {"PolicyName": "w", "PolicyDocument": policy, "Roles": [{"Ref": "Role"}]}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": settings},
            "Invoke": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {
                "FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": retries}},
            "Permission": {"Type": "AWS::Lambda::Permission", "Properties": {
                "FunctionName": {"Ref": "Function"}, "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com", "SourceAccount": str(seconds) * 12}},
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": f"{prefix}-bus"}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {
                "EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": [source]}, "Targets": [target]}},
            "Archive": {"Type": "AWS::Events::Archive", "Properties": {
                "ArchiveName": f"{prefix}-archive", "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
                "RetentionDays": seconds, "EventPattern": {"source": [source]}}},
            "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {
                "LogGroupName": f"/{prefix}", "RetentionInDays": seconds}},
            "Queue": queue(DelaySeconds=seconds),
            "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {
                "Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
                     "Condition": {"StringEquals": {"aws:SourceAccount": str(seconds)}}}]}}},
        }  # fmt: skip

    def found(arn: str) -> dict:
        lambda_, events, iam, sqs = (aws.client(each) for each in ("lambda", "events", "iam", "sqs"))
        physical = stacks.physical(arn)
        function, role = f"{prefix}-function", f"{prefix}-role"
        bus, rule = physical["Rule"].split("|")
        [target] = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
        [statement] = json.loads(lambda_.get_policy(FunctionName=function)["Policy"])["Statement"]
        version = iam.get_policy(PolicyArn=physical["Managed"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=physical["Managed"], VersionId=version)["PolicyVersion"]["Document"]
        attributes = sqs.get_queue_attributes(QueueUrl=physical["Queue"], AttributeNames=["All"])["Attributes"]
        [group] = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/{prefix}")["logGroups"]
        archive = events.describe_archive(ArchiveName=f"{prefix}-archive")
        queue_policy = json.loads(attributes["Policy"])["Statement"][0]["Condition"]["StringEquals"]
        return {
            "inline": sorted(iam.list_role_policies(RoleName=role)["PolicyNames"]),
            "attached": len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]),
            "managed": document["Statement"][0]["Action"],
            "written": iam.get_role_policy(RoleName=role, PolicyName="w")["PolicyDocument"]["Statement"][0]["Action"],
            "timeout": lambda_.get_function_configuration(FunctionName=function)["Timeout"],
            "result": aws.invoke(function)["Json"],
            "retries": lambda_.get_function_event_invoke_config(FunctionName=function)["MaximumRetryAttempts"],
            "permission": statement["Condition"]["StringEquals"]["AWS:SourceAccount"],
            "pattern": json.loads(events.describe_rule(Name=rule, EventBusName=bus)["EventPattern"]),
            "target": (target["Id"], target["Input"]),
            "archive": (archive["RetentionDays"], json.loads(archive["EventPattern"])),
            "logs": group["retentionInDays"],
            "queue": (attributes["DelaySeconds"], queue_policy["aws:SourceAccount"]),
        }

    def expected(seconds: int, source: str, retries: int) -> dict:
        return {
            "inline": [f"inline-{seconds}", "w"],
            "attached": 2,
            "managed": f"sqs:Action{seconds}",
            "written": f"sqs:Action{seconds}",
            "timeout": seconds,
            "result": seconds,
            "retries": retries,
            "permission": str(seconds) * 12,
            "pattern": {"source": [source]},
            "target": (f"target-{seconds}", str(seconds)),
            "archive": (seconds, {"source": [source]}),
            "logs": seconds,
            "queue": (str(seconds), str(seconds)),
        }

    arn = stacks.create(resources(1, "first", 0))
    assert found(arn) == expected(1, "first", 0)
    stacks.update(arn, resources(3, "second", 1))
    assert found(arn) == expected(3, "second", 1)
    stacks.update(arn, {**resources(1, "first", 0), "Bad": {**BAD_QUEUE, "DependsOn": list(resources(1, "", 0))}}, None)
    assert stacks.settled(arn)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", stacks.events(arn)
    assert found(arn) == expected(3, "second", 1)
    stacks.delete(arn)
    assert aws.client("events").list_event_buses(NamePrefix=prefix)["EventBuses"] == []
    iam = aws.client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=f"{prefix}-role")


def test_code_from_a_bucket_is_taken_when_its_key_changes(aws: Aws, stacks: Stacks):
    from tests.support.embedded_aws import zip_of

    s3 = aws.client("s3")
    s3.create_bucket(Bucket="the-code")

    def deployed(number: int, key: str) -> dict:
        s3.put_object(Bucket="the-code", Key=key, Body=zip_of({"app.py": f"def main(e, c): return {number}"}))
        settings = {**FUNCTION["Properties"], "Handler": "app.main", "Code": {"S3Bucket": "the-code", "S3Key": key}}
        return {"Role": ROLE, "Function": {**FUNCTION, "Properties": settings}}

    arn = stacks.create(deployed(1, "one.zip"))
    function = stacks.physical(arn)["Function"]
    assert aws.invoke(function)["Json"] == 1
    refusal = stacks.refusal(stacks.update, arn=arn, resources=deployed(2, "one.zip"))
    assert refusal[1] == "No updates are to be performed."  # nobody looks into the bucket
    stacks.update(arn, deployed(2, "two.zip"))
    assert aws.invoke(function)["Json"] == 2
    stacks.delete(arn)


# ---- change sets


def change_set(stacks: Stacks, stack: str, resources: dict, kind: str = "UPDATE", **more: object) -> str:
    return stacks.client.create_change_set(
        StackName=stack,
        ChangeSetName=name("changes"),
        ChangeSetType=kind,
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=IAM,
        **more,
    )["Id"]


def test_change_sets_say_what_would_happen_and_do_it(stacks: Stacks):
    stack = name("by-changes")
    first = change_set(stacks, stack, {"Table": table(), "Queue": queue(DelaySeconds=1), "Old": QUEUE}, "CREATE")
    assert stacks.stack(stack)["StackStatus"] == "REVIEW_IN_PROGRESS"
    described = stacks.client.describe_change_set(ChangeSetName=first)
    assert {each["ResourceChange"]["Action"] for each in described["Changes"]} == {"Add"}
    stacks.client.execute_change_set(ChangeSetName=first)
    stacks.wait("stack_create_complete", stack)

    second = change_set(stacks, stack, {"Table": table("Id"), "Queue": queue(DelaySeconds=2), "New": QUEUE})
    described = stacks.client.describe_change_set(ChangeSetName=second)
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    changes = [each["ResourceChange"] for each in described["Changes"]]
    assert {(each["LogicalResourceId"], each["Action"], each.get("Replacement")) for each in changes} == {
        ("Table", "Modify", "True"),
        ("Queue", "Modify", "False"),
        ("New", "Add", None),
        ("Old", "Remove", None),
    }
    assert "New" not in stacks.physical(stack)  # so far it was only words
    stacks.client.execute_change_set(ChangeSetName=second)
    stacks.wait("stack_update_complete", stack)
    assert sorted(stacks.physical(stack)) == ["New", "Queue", "Table"]
    stacks.delete(stacks.stack(stack)["StackId"])


def test_a_change_set_without_changes(stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE})
    stack = arn.split("/")[1]
    empty = change_set(stacks, stack, {"Queue": QUEUE})
    described = stacks.client.describe_change_set(ChangeSetName=empty)
    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")
    refusal = stacks.refusal(stacks.client.execute_change_set, ChangeSetName=empty)
    assert refusal[0] == "InvalidChangeSetStatus"
    stacks.client.delete_change_set(ChangeSetName=empty)
    refusal = stacks.refusal(stacks.client.describe_change_set, ChangeSetName=empty)
    assert refusal == ("ChangeSetNotFound", f"ChangeSet [{empty}] does not exist")
    stacks.delete(arn)
