"""Exercise 04-2: the first station on an event's way that says no."""

from helpers.exercises import check


def diagnose(rule, targets, policy):
    """Where an event gets stuck: "disabled", "no target", "not allowed"; or "fine"."""
    if rule["State"] == "DISABLED":
        return "disabled"
    if not targets:
        return "no target"
    for statement in policy["Statement"] if policy else []:
        condition = statement.get("Condition", {}).get("ArnLike", {})
        source = condition.get("AWS:SourceArn", rule["Arn"])  # without a condition, any rule will do
        if statement["Principal"] == {"Service": "events.amazonaws.com"} and source == rule["Arn"]:
            return "fine"
    return "not allowed"


check("04-2", diagnose)
