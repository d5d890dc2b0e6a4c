"""Find what operations need of services that name a resource in one or two parameters: tables, not code.

A row has a parameter, the resource that it names, and of which operations, if not of all. Each row that applies is a
resource that IAM is asked about. What no row applies to must be among `anywhere`: operations on no resource, for which
AWS asks about "*". https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..account.arn import service_of
from ..http.call import Call
from .permissions import NoResource, Permission, pass_role

_ANY = re.compile("")


@dataclass(frozen=True)
class Row:
    """resource: the end of an ARN of the account's, with {} for the parameter's value; ARNs are taken as they are."""

    parameter: str
    resource: str
    operations: re.Pattern[str] = _ANY
    regional: bool = True


@dataclass(frozen=True)
class Named:
    """anywhere: names of operations on no resource."""

    rows: tuple[Row, ...]
    anywhere: re.Pattern[str]

    def needed(self, call: Call) -> list[Permission]:
        """Return the permissions that a call needs. Raises NoResource."""
        action = f"{call.service.iam}:{call.name}"
        found = [Permission(action, arn) for arn in dict.fromkeys(self._arns(call))]
        if not found and not self.anywhere.fullmatch(call.name):
            raise NoResource(call.name)
        roles = [pass_role(role, call.service.iam) for role in dict.fromkeys(_roles(call.input))]
        return (found or [Permission(action, "*")]) + roles

    def _arns(self, call: Call) -> Iterator[str]:
        for row in self.rows:
            if row.operations.match(call.name):
                for name in call.names(row.parameter):
                    yield name if name.startswith("arn:") else _own(call, row, name)


def _own(call: Call, row: Row, name: str) -> str:
    arn = call.arn(row.resource.format(name))
    return arn if row.regional else arn.replace(f":{call.region}:", "::", 1)


def _roles(value: Any, name: str = "") -> Iterator[str]:
    """Yield the roles that an input hands to the service, at any depth."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _roles(each, str(key))
    elif isinstance(value, list):
        for each in value:
            yield from _roles(each, name)
    elif isinstance(value, str) and name.lower().endswith("rolearn") and service_of(value) == "iam":
        yield value


def _only(*operations: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(operations)})\Z")


NAMED = {
    "cloudformation": Named(
        (Row("StackName", "stack/{}/*", re.compile("(?!CreateGeneratedTemplate)")),),
        _only(
            "DescribeStacks", "ListStacks", "ListExports", "ListImports", "ValidateTemplate", "EstimateTemplateCost",
            "GetTemplateSummary", "DescribeAccountLimits", "ListTypes",
        ),
    ),
    "cloudwatch": Named(
        (
            Row("AlarmName", "alarm:{}", re.compile("(?!ListAlarmMuteRules)")),
            Row("AlarmNames", "alarm:{}"),
            Row("ChildrenOfAlarmName", "alarm:{}"),
            Row("ParentsOfAlarmName", "alarm:{}"),
            Row("DashboardName", "dashboard/{}", regional=False),
            Row("DashboardNames", "dashboard/{}", regional=False),
            Row("RuleName", "insight-rule/{}"),
            Row("RuleNames", "insight-rule/{}"),
            Row("Name", "metric-stream/{}", re.compile(".*MetricStream")),
            Row("Names", "metric-stream/{}", re.compile(".*MetricStreams")),
            Row("ResourceARN", "{}", re.compile(".*(TagResource|UntagResource|ListTagsForResource)")),
        ),
        _only(
            "PutMetricData", "GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage", "ListMetrics",
            "DescribeAlarms", "DescribeAlarmHistory", "DescribeAlarmsForMetric", "DescribeInsightRules",
            "ListDashboards", "ListMetricStreams", "DescribeAnomalyDetectors", "PutAnomalyDetector",
            "DeleteAnomalyDetector",
        ),
    ),
    "ecr": Named(
        (Row("repositoryName", "repository/{}"), Row("repositoryNames", "repository/{}"), Row("resourceArn", "{}")),
        _only("GetAuthorizationToken", "DescribeRegistry", "GetRegistryPolicy", "DescribeRepositories"),
    ),
    "firehose": Named((Row("DeliveryStreamName", "deliverystream/{}"),), _only("ListDeliveryStreams")),
    "kinesis": Named(
        (
            Row("StreamName", "stream/{}"), Row("StreamARN", "{}"), Row("ConsumerARN", "{}"),
            Row("ResourceARN", "{}"),
        ),
        _only("ListStreams", "DescribeLimits", "DescribeAccountSettings"),
    ),
    "scheduler": Named(
        (Row("Name", "schedule-group/{}", re.compile(".*ScheduleGroup")), Row("ResourceArn", "{}")),
        _only("ListSchedules", "ListScheduleGroups"),
    ),
    "sns": Named(
        (
            Row("TopicArn", "{}"), Row("TargetArn", "{}"), Row("ResourceArn", "{}"),
            Row("Name", "{}", _only("CreateTopic")),
        ),
        # A topic is SNS's only kind of resource.
        re.compile(
            r"List(Topics|Subscriptions|PlatformApplications|EndpointsByPlatformApplication|PhoneNumbersOptedOut"
            r"|OriginationNumbers|SMSSandboxPhoneNumbers)|Unsubscribe|[GS]etSubscriptionAttributes|Publish"
            r"|(Create|Delete|Verify)SMSSandboxPhoneNumber|GetSMSSandboxAccountStatus|[GS]etSMSAttributes"
            r"|(Create|Delete)PlatformApplication|[GS]etPlatformApplicationAttributes|CreatePlatformEndpoint"
            r"|DeleteEndpoint|[GS]etEndpointAttributes|CheckIfPhoneNumberIsOptedOut|OptInPhoneNumber"
        ),
    ),
    "states": Named(
        (
            Row("name", "stateMachine:{}", _only("CreateStateMachine")),
            Row("name", "activity:{}", _only("CreateActivity")),
            *(
                Row(each, "{}")
                for each in ("activityArn", "executionArn", "mapRunArn", "resourceArn", "stateMachineAliasArn")
            ),
            Row("stateMachineArn", "{}"), Row("stateMachineVersionArn", "{}"),
        ),
        _only(
            "ListActivities", "ListStateMachines", "SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess",
            "ValidateStateMachineDefinition",
        ),
    ),
    "tag": Named((), _only("GetResources", "GetTagKeys", "GetTagValues", "GetComplianceSummary")),
}  # fmt: skip


def schedule(call: Call) -> list[Permission]:
    """Return what EventBridge Scheduler's operations need: a schedule is in a group."""
    if not call.name.endswith("Schedule") or not call.names("Name"):
        return NAMED["scheduler"].needed(call)
    group = (call.names("GroupName") or ["default"])[0]
    roles = [pass_role(role, "scheduler") for role in dict.fromkeys(_roles(call.input))]
    return [Permission(f"scheduler:{call.name}", call.arn(f"schedule/{group}/{call.names('Name')[0]}")), *roles]
