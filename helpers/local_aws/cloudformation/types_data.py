"""Define the types AWS::DynamoDB::Table, AWS::SQS::Queue, AWS::SQS::QueuePolicy and AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from .errors import already_exists
from .resource_type import Properties, ResourceType, Work, allowed, changed, json_text, pick
from .services import wait


class Table(ResourceType):
    name = "AWS::DynamoDB::Table"
    properties = allowed(
        ["KeySchema"],
        ["AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes",
         "LocalSecondaryIndexes", "PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification",
         "StreamSpecification", "TableClass", "TableName", "Tags", "TimeToLiveSpecification"],
    )  # fmt: skip
    create_only = frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"})
    named_by = "TableName"
    attributes = frozenset({"Arn", "StreamArn"})
    takes_tags = True
    longest_name = 255
    _plain = (
        "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput", "TableClass",
    )  # fmt: skip

    def make(self, work: Work, name: str, properties: Properties) -> str:
        sse = properties.get("SSESpecification")
        work.call(
            "dynamodb",
            "CreateTable",
            TableName=name,
            Tags=work.tag_list(properties),
            SSESpecification=_renamed(sse, SSEEnabled="Enabled"),
            StreamSpecification=_stream(properties),
            **pick(properties, "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", *self._plain),
        )
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        table = work.call_if_there("dynamodb", "DescribeTable", TableName=name)
        tags = table and work.call_if_there("dynamodb", "ListTagsOfResource", ResourceArn=table["Table"]["TableArn"])
        return name if tags and work.owns(tags["Tags"]) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        self._settle(work, physical_id)
        self._extras(work, physical_id, {}, properties)
        return self._attributes(work, physical_id)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        settings = {name: new.get(name) for name in self._plain if old.get(name) != new.get(name)}
        table = work.call("dynamodb", "DescribeTable", TableName=physical_id)["Table"]
        stream = _stream(new) or {"StreamEnabled": False}
        if changed(old, new, "StreamSpecification") and stream != table.get("StreamSpecification"):
            settings["StreamSpecification"] = stream
        steps = [settings] if settings else []
        there = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or []}
        for step in [*steps, *_index_updates(old, new, there)]:
            work.call("dynamodb", "UpdateTable", TableName=physical_id, **step)
            self._settle(work, physical_id)
        self._extras(work, physical_id, old, new)
        arn = self._attributes(work, physical_id)["Arn"]
        gone = work.tags_gone(old, new)
        if gone:
            work.call("dynamodb", "UntagResource", ResourceArn=arn, TagKeys=gone)
        work.call("dynamodb", "TagResource", ResourceArn=arn, Tags=work.tag_list(new))
        return self._attributes(work, physical_id)

    def _extras(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        """Time to live and point-in-time recovery have calls of their own."""
        if changed(old, new, "TimeToLiveSpecification"):
            self._expire(
                work, name, new.get("TimeToLiveSpecification") or {**old["TimeToLiveSpecification"], "Enabled": False}
            )
        if changed(old, new, "PointInTimeRecoverySpecification"):
            recovery = new.get("PointInTimeRecoverySpecification") or {"PointInTimeRecoveryEnabled": False}
            work.call("dynamodb", "UpdateContinuousBackups", TableName=name, PointInTimeRecoverySpecification=recovery)

    def _expire(self, work: Work, name: str, wanted: dict[str, Any]) -> None:
        """Have items expire, or no longer. DynamoDB refuses to be told what is so already."""
        now = work.call("dynamodb", "DescribeTimeToLive", TableName=name)["TimeToLiveDescription"]
        enabled = now.get("TimeToLiveStatus") == "ENABLED"
        on = str(wanted.get("Enabled")).lower() == "true"
        if on != enabled or (on and now.get("AttributeName") != wanted.get("AttributeName")):
            work.call("dynamodb", "UpdateTimeToLive", TableName=name, TimeToLiveSpecification=wanted)

    def _settle(self, work: Work, name: str) -> None:
        def active() -> bool:
            return work.call("dynamodb", "DescribeTable", TableName=name)["Table"]["TableStatus"] == "ACTIVE"

        wait(active, f"Table {name}")

    def _attributes(self, work: Work, name: str) -> dict[str, str]:
        table = work.call("dynamodb", "DescribeTable", TableName=name)["Table"]
        stream = table.get("LatestStreamArn")
        return {"Arn": table["TableArn"], **({"StreamArn": stream} if stream else {})}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        if work.call_if_there("dynamodb", "DeleteTable", TableName=physical_id):
            wait(
                lambda: work.call_if_there("dynamodb", "DescribeTable", TableName=physical_id) is None,
                f"Table {physical_id}",
            )


def _renamed(value: Any, **names: str) -> Any:
    return value and {names.get(name, name): each for name, each in value.items()}


def _stream(properties: Properties) -> dict[str, Any] | None:
    stream = properties.get("StreamSpecification")
    return stream and {"StreamEnabled": True, **stream}


def _index_updates(old: Properties, new: Properties, there: set[str]) -> list[dict[str, Any]]:
    """One call of UpdateTable for each secondary index that comes or goes, as DynamoDB wants it; `there` are those that
    the table has.
    """
    before = {index["IndexName"]: index for index in old.get("GlobalSecondaryIndexes", [])}
    after = {index["IndexName"]: index for index in new.get("GlobalSecondaryIndexes", [])}
    gone = {name for name in before if before[name] != after.get(name)} & there
    changes = [{"Delete": {"IndexName": name}} for name in before if name in gone]
    changes += [
        {"Create": index} for name, index in after.items() if index != before.get(name) and name not in there - gone
    ]
    definitions = new.get("AttributeDefinitions")
    return [{"GlobalSecondaryIndexUpdates": [each], "AttributeDefinitions": definitions} for each in changes]


class Queue(ResourceType):
    name = "AWS::SQS::Queue"
    _settings = (
        "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled",
        "VisibilityTimeout",
    )  # fmt: skip
    # What a setting is that the template no longer has.
    _defaults = {
        "DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30",
    }  # fmt: skip
    properties = allowed(optional=[*_settings, "QueueName", "Tags"])
    create_only = frozenset({"FifoQueue", "QueueName"})
    named_by = "QueueName"
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})
    takes_tags = True

    def planned_name(self, work: Work, properties: Properties) -> str:
        ending = ".fifo" if str(properties.get("FifoQueue", "")).lower() == "true" else ""
        return properties.get("QueueName") or work.name(80, ending)

    def make(self, work: Work, name: str, properties: Properties) -> str:
        if work.call_if_there("sqs", "GetQueueUrl", QueueName=name):  # CreateQueue would take it as it is
            raise already_exists(self.name, name)
        answer = work.call(
            "sqs", "CreateQueue", QueueName=name, Attributes=self._api(properties), tags=work.tags(properties)
        )
        return str(answer["QueueUrl"])

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        found = work.call_if_there("sqs", "GetQueueUrl", QueueName=name)
        tags = found and work.call_if_there("sqs", "ListQueueTags", QueueUrl=found["QueueUrl"])
        return found["QueueUrl"] if found and tags and work.owns(tags.get("Tags", {})) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return self._attributes(work, physical_id)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        before, after = self._api(old), self._api(new)
        gone = {name: self._defaults.get(name, "") for name in before if name not in after}
        if before != after:
            work.call("sqs", "SetQueueAttributes", QueueUrl=physical_id, Attributes={**gone, **after})
        untagged = work.tags_gone(old, new)
        if untagged:
            work.call("sqs", "UntagQueue", QueueUrl=physical_id, TagKeys=untagged)
        work.call("sqs", "TagQueue", QueueUrl=physical_id, Tags=work.tags(new))
        return self._attributes(work, physical_id)

    def _api(self, properties: Properties) -> dict[str, Any]:
        settings = pick(properties, *self._settings)
        return {name: json_text(value) if isinstance(value, dict) else value for name, value in settings.items()}

    def _attributes(self, work: Work, url: str) -> dict[str, str]:
        answer = work.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
        return {"Arn": answer["Attributes"]["QueueArn"], "QueueName": url.rpartition("/")[2], "QueueUrl": url}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("sqs", "DeleteQueue", QueueUrl=physical_id)


class QueuePolicy(ResourceType):
    """The policy of one or more queues: who may send to them."""

    name = "AWS::SQS::QueuePolicy"
    properties = allowed(["PolicyDocument", "Queues"])
    attributes = frozenset({"Id"})
    longest_name = 255

    def make(self, work: Work, name: str, properties: Properties) -> str:
        return name  # it is nothing of its own

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        return name

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return self.update(work, physical_id, {"Queues": []}, properties)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        for url in new["Queues"]:
            self._set(work, url, json_text(new["PolicyDocument"]) or "")
        for url in [url for url in old["Queues"] if url not in new["Queues"]]:
            self._set(work, url, "")
        return {"Id": physical_id}

    def _set(self, work: Work, url: str, policy: str) -> None:
        operation = work.call if policy else work.call_if_there
        operation("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": policy})

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        for url in properties.get("Queues", []):
            self._set(work, url, "")


class LogGroup(ResourceType):
    name = "AWS::Logs::LogGroup"
    properties = allowed(optional=["KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"])
    create_only = frozenset({"LogGroupClass", "LogGroupName"})
    named_by = "LogGroupName"
    attributes = frozenset({"Arn"})
    takes_tags = True
    longest_name = 512

    def make(self, work: Work, name: str, properties: Properties) -> str:
        settings = {"kmsKeyId": properties.get("KmsKeyId"), "logGroupClass": properties.get("LogGroupClass")}
        work.call("logs", "CreateLogGroup", logGroupName=name, tags=work.tags(properties), **settings)
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        tags = work.call_if_there("logs", "ListTagsForResource", resourceArn=self._arn(work, name))
        return name if tags and work.owns(tags.get("tags", {})) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return self.update(work, physical_id, {}, properties)

    def _arn(self, work: Work, name: str) -> str:
        return f"arn:aws:logs:{work.services.region}:{work.account_id}:log-group:{name}"

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        days = new.get("RetentionInDays")
        if changed(old, new, "RetentionInDays"):
            operation = "PutRetentionPolicy" if days else "DeleteRetentionPolicy"
            work.call("logs", operation, logGroupName=physical_id, retentionInDays=days)
        if changed(old, new, "KmsKeyId") and old:
            operation = "AssociateKmsKey" if new.get("KmsKeyId") else "DisassociateKmsKey"
            work.call("logs", operation, logGroupName=physical_id, kmsKeyId=new.get("KmsKeyId"))
        arn = self._arn(work, physical_id)
        gone = work.tags_gone(old, new) if old else []
        if gone:
            work.call("logs", "UntagResource", resourceArn=arn, tagKeys=gone)
        if old:
            work.call("logs", "TagResource", resourceArn=arn, tags=work.tags(new))
        return {"Arn": f"{arn}:*"}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("logs", "DeleteLogGroup", logGroupName=physical_id)
