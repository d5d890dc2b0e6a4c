"""Check lesson 4: how far an order gets, the first station that says no, and a service of one's own."""

import json
from collections.abc import Callable
from typing import Any

import boto3

from helpers.exercises import tools
from helpers.exercises.tools import call, event, found
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong
from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide

EVENTBRIDGE = "events.amazonaws.com"
HERE = "arn:aws:events:us-east-1:123456789012:rule"

# --- 04-1: one thing is changed, one order is sent ---

BUS, FUNCTION, TABLE = STATIONS = ["bus", "function", "table"]
FAILED = "failed entries"  # all six are accepted: put_events answers before anything is decided
# account: (how far the order gets, {what was said: the question})
CONFUSED: dict[str, tuple[str, dict[str | None, str]]] = {
    "A": (BUS, {None: "Account A: does a rule match anything while it is disabled?"}),
    "B": (BUS, {None: "Account B: the rule matches, and then? Who is it that a rule hands events to?"}),
    "C": (
        BUS,
        {None: "Account C: lay two ARNs side by side, the rule's and the permission's. Who is let in by that policy?"},
    ),
    "D": (
        FUNCTION,
        {
            BUS: "Account D: nothing on the way in has changed. Which of the two directions is a role about?",
            TABLE: "Account D: the function is invoked, and wants to store the order. Who allows it to, now?",
        },
    ),
    "E": (BUS, {None: "Account E: compare the new pattern with the source of the order."}),
    "F": (
        TABLE,
        {None: "Account F: does the permission hold a rule, or the ARN of one? Work out the ARN of the new rule."},
    ),
}


@exercise("04-1", takes=dict)
def how_far(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != {*CONFUSED, FAILED}:
        return wrong("Keep the six accounts and the failed entries in the dict, with one value for each.")
    for account, (station, questions) in CONFUSED.items():
        answer = prediction[account]
        if answer not in STATIONS:
            return wrong(f"Account {account}: the last station reached, in one of these words: {', '.join(STATIONS)}.")
        if answer != station:
            return wrong(questions.get(answer) or questions[None], see="delivery")
    if type(prediction[FAILED]) is not int:
        return wrong("The sum of the failed entries is a whole number.")
    if prediction[FAILED] != 0:
        return wrong(
            "Failed entries: at which moment does put_events answer, and what of all this has been decided by then?",
            see="asynchronous",
        )
    return correct("Six accounts, and put_events says the same in each of them. Only looking along the way tells.")


# --- 04-2: the first station that says no ---

FINE, DISABLED, NO_TARGET, NOT_ALLOWED = ANSWERS = ["fine", "disabled", "no target", "not allowed"]
RULE = {"Name": "demo-rule", "Arn": f"{HERE}/demo-rule", "State": "ENABLED", "EventBusName": "default"}
TARGETS = [{"Id": "demo", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:demo"}]


def statement(rule: str | None = "demo-rule", service: str = EVENTBRIDGE) -> dict[str, Any]:
    """Return a statement as AddPermission writes it, for this rule (None: without a condition)."""
    written = {"Sid": f"{rule}-{service}", "Effect": "Allow", "Principal": {"Service": service}}
    written |= {"Action": "lambda:InvokeFunction", "Resource": TARGETS[0]["Arn"]}
    return written if rule is None else written | {"Condition": {"ArnLike": {"AWS:SourceArn": f"{HERE}/{rule}"}}}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "default", "Statement": list(statements)}


RIGHT, OFF = policy(statement()), RULE | {"State": "DISABLED"}
CASES = [  # (the arguments, what is returned, the question when something else is)
    ((RULE, TARGETS, RIGHT), FINE, "Where everything is right, your function finds something wrong."),
    ((OFF, TARGETS, RIGHT), DISABLED, "Your function overlooks a rule that is disabled."),
    ((RULE, [], RIGHT), NO_TARGET, "Your function overlooks a rule that has nobody to hand events to."),
    ((RULE, TARGETS, None), NOT_ALLOWED, "Your function is content where nobody has given any permission."),
    (
        (RULE, TARGETS, policy(statement("demo-rule-2"))),
        NOT_ALLOWED,
        "There is a permission, and your function is content. For whom is it?",
    ),
    (
        (RULE, TARGETS, policy(statement(None, "s3.amazonaws.com"))),
        NOT_ALLOWED,
        "Some other service may invoke the function, and yours takes that for EventBridge.",
    ),
    (
        (RULE, TARGETS, policy(statement("old-rule"), statement())),
        FINE,
        "Your function does not find a permission that stands behind another one.",
    ),
    (
        (RULE, TARGETS, policy(statement(), statement("old-rule"))),
        FINE,
        "A statement about somebody else makes your function forget the one that fits.",
    ),
    (
        (RULE, TARGETS, policy(statement(None))),
        FINE,
        "A statement without a condition is careless. But does it stop this rule?",
    ),
    ((OFF, [], None), DISABLED, "Where several things are wrong, which one does an event meet first?"),
    ((RULE, [], None), NO_TARGET, "Where several things are wrong, which one does an event meet first?"),
]


@exercise("04-2", takes=Callable)
def obstacle(function: Callable[..., Any]) -> Verdict:
    for arguments, expected, question in CASES:
        answer = call(function, *json.loads(json.dumps(arguments)))
        if answer not in ANSWERS:
            return wrong(f"Your function must return one of these texts: {', '.join(ANSWERS)}.")
        if answer != expected:
            return wrong(question, see="resource-based-policy")
    return correct("You have written the checklist as code: it finds the first station that says no.")


# --- 04-3: a second service on the bus ---

NAME, SOURCE = "exercise-audit", "audit.demo"
ORDER = {"OrderId": "R-9", "Item": "mug", "Amount": 12.9, "IsMember": True, "ShippingMethod": "Pickup"}


@exercise("04-3")
def second_service() -> Verdict:
    function = found(boto3.client("lambda"), "get_function_configuration", FunctionName=NAME)
    rule = found(boto3.client("events"), "describe_rule", Name=NAME)
    if not function and not rule:
        return not_attempted()
    if not function or not rule:
        missing = "function" if rule else "rule on the default bus"
        return wrong(f"There is no {missing} {NAME} yet. Rule, function, target, permission: each is made on its own.")
    arn = function["FunctionArn"]
    return _about_rule(rule) or _about_targets(arn) or _about_permission(arn, rule["Arn"]) or _about_log()


def _about_rule(rule: dict[str, Any]) -> Verdict | None:
    if rule["State"] != "ENABLED":
        return wrong("The rule is disabled, so it matches nothing.", see="rule")
    if not rule.get("EventPattern"):
        return wrong("The rule has a schedule and no pattern. Whose events should it match?", see="event-pattern")
    if not all(tools.matches(rule["EventPattern"], event({}, SOURCE, each)) for each in ("AuditStarted", "Note")):
        return wrong("The rule does not match every event of the auditors. Which field says who sends?", see="source")
    others = [event({"body": ORDER}), event({}, "aws.s3", "Object Created"), event({}, "audit.demo.trainees", "Note")]
    if any(tools.matches(rule["EventPattern"], each) for each in others):
        return wrong(
            "The rule matches events that are not the auditors' as well. Who pays for those invocations?",
            see="event-pattern",
        )
    return None


def _about_targets(function_arn: str) -> Verdict | None:
    targets = boto3.client("events").list_targets_by_rule(Rule=NAME)["Targets"]
    if not targets:
        return wrong("The rule has no target. What follows from a match, then?", see="target")
    if any(target["Arn"] != function_arn for target in targets):
        return wrong("The rule hands its events to something else than the auditors' function.", see="target")
    if len(targets) > 1:
        return wrong("The function is a target more than once. How often would each event come?", see="target")
    return None


def _about_permission(function_arn: str, rule_arn: str) -> Verdict | None:
    answer = found(boto3.client("lambda"), "get_policy", FunctionName=NAME)
    if not answer:
        return wrong(
            "Nobody has allowed EventBridge to invoke the function. Where is such a thing written?",
            see="resource-based-policy",
        )
    written = Policy(json.loads(answer["Policy"]))

    def allowed(source_arn: str, service: str = EVENTBRIDGE) -> bool:
        context = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
        request = AccessRequest("lambda:InvokeFunction", function_arn, ("Service", service), context)
        return decide([written], request) is Decision.ALLOW

    if not allowed(rule_arn):
        if allowed(rule_arn, "lambda.amazonaws.com"):
            return wrong(
                "The permission is for Lambda itself. Which service is it that asks for the invocation?",
                see="principal",
            )
        return wrong(
            "The function has a permission, but not one for this rule. Compare what it names, letter by letter.",
            see="resource-based-policy",
        )
    if any(allowed(each) for each in (f"{rule_arn}-2", rule_arn.replace(rule_arn.split(":")[4], "999999999999"))):
        return wrong(
            "The permission lets in more than this rule. What keeps a stranger's rule out?", see="resource-based-policy"
        )
    return None


def _about_log() -> Verdict:
    arguments = {"logGroupName": f"/aws/lambda/{NAME}", "filterPattern": f'"{SOURCE}"'}
    pages = boto3.client("logs").get_paginator("filter_log_events")
    try:
        if any(page["events"] for page in pages.paginate(**arguments)):
            return correct("An event of the auditors has gone all the way, through a door that you have cut for it.")
    except boto3.client("logs").exceptions.ResourceNotFoundException:
        pass  # a function that never ran has no log group
    return wrong(
        "Everything is in place, but the function's log has no line with the source. Has an event been sent since, "
        "and does the code print its source?",
        see="log-group",
    )
