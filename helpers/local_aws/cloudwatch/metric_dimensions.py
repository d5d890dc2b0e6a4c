"""Tell under which dimensions, and in which unit, AWS's services write their metrics.

AWS/Lambda: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concepts.html
AWS/Events: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
AWS/DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import functools

from .metric_store import Dimensions, dimensions_of

DEFAULT_BUS = "default"

#: Lambda counts these once more for all functions together: they are no sum of the functions' own values.
_NOT_SUMMED = frozenset({"ConcurrentExecutions"})
#: Metrics of rules that EventBridge also sums up over the bus and over all buses.
_OF_BUS_AND_REGION = frozenset(
    {
        "InvocationAttempts",
        "RetryInvocationAttempts",
        "SuccessfulInvocationAttempts",
        "ThrottledRules",
        "TriggeredRules",
        "IngestionToInvocationStartLatency",
        "IngestionToInvocationCompleteLatency",
        "IngestionToInvocationSuccessLatency",
    }
)
#: Metrics of rules that it sums up over all buses only.
_OF_REGION = frozenset({"Invocations"})
#: Metrics that it writes for the whole region, and for nothing smaller.
_REGION_ALONE = frozenset({"InvocationsCreated"})


@functools.lru_cache(maxsize=4096)
def views(namespace: str, name: str, exact: Dimensions) -> tuple[Dimensions, ...]:
    """Return the sets of dimensions under which AWS writes a metric of what happened in `exact`."""
    given = dict(exact)
    if namespace == "AWS/Lambda" and set(given) == {"FunctionName"}:
        of_function = exact, dimensions_of({**given, "Resource": given["FunctionName"]})
        return of_function if name in _NOT_SUMMED else (*of_function, ())
    if namespace == "AWS/Events":
        return _of_events(name, given)
    return (exact,)


def _of_events(name: str, given: dict[str, str]) -> tuple[Dimensions, ...]:
    """Return the views of a metric of EventBridge's.

    A rule of the default bus goes by RuleName alone, a rule of another bus by EventBusName and RuleName.
    """
    if name in _REGION_ALONE or name.startswith("PutEvents"):
        return ((),)
    bus = given.get("EventBusName", DEFAULT_BUS)
    if "RuleName" not in given:
        return (dimensions_of(given),)
    exact = dimensions_of({"RuleName": given["RuleName"]} if bus == DEFAULT_BUS else given)
    if name in _OF_BUS_AND_REGION:
        return exact, dimensions_of({"EventBusName": bus}), ()
    return (exact, ()) if name in _OF_REGION else (exact,)


def unit_of(name: str) -> str:
    """Return the unit of a service's metric, which its name tells."""
    if name.endswith(("Latency", "Duration", "Age")):
        return "Milliseconds"
    return "Bytes" if name.endswith("Size") else "Count"
