"""What learners get wrong in lesson 4."""

from __future__ import annotations

import io
import json
import zipfile

import boto3

from helpers.exercises.tools import found
from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 04-1 ---

secrets("04-1", "0", "zero", "refused")


def predicted(**changed) -> tuple[dict]:
    right = {"A": "bus", "B": "bus", "C": "bus", "D": "function", "E": "bus", "F": "table", "failed entries": 0}
    return (right | changed,)


@wrong_answer("04-1", "while it is disabled")
def disabled_means_later():
    return predicted(A="table")


@wrong_answer("04-1", "the rule matches, and then?")
def a_match_is_enough():
    return predicted(B="function")


@wrong_answer("04-1", "lay two ARNs side by side")
def any_permission_will_do():
    return predicted(C="table")


@wrong_answer("04-1", "nothing on the way in has changed")
def the_role_is_the_way_in():
    return predicted(D="bus")


@wrong_answer("04-1", "wants to store the order")
def who_may_run_may_store():
    return predicted(D="table")


@wrong_answer("04-1", "compare the new pattern")
def patterns_are_prefixes():
    return predicted(E="table")


@wrong_answer("04-1", "does the permission hold a rule")
def permissions_die_with_the_rule():
    return predicted(F="bus")


@wrong_answer("04-1", "at which moment does put_events answer")
def failures_are_counted_at_once():
    return (predicted()[0] | {"failed entries": 5},)


@wrong_answer("04-1", "in one of these words")
def the_rule_as_a_station():
    return predicted(A="rule")


# --- 04-2 ---

secrets("04-2", "events.amazonaws.com", "ArnLike", "AWS:SourceArn")


def fits(statement: dict, rule: dict) -> bool:
    source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", rule["Arn"])
    return statement["Principal"]["Service"] == "events.amazonaws.com" and source == rule["Arn"]


def diagnosis(allows, *, backwards: bool = False) -> tuple:
    """A function that finds each obstacle, if `allows(statements, rule)` is right."""

    def diagnose(rule, targets, policy):
        found = {
            "disabled": rule["State"] == "DISABLED",
            "no target": not targets,
            "not allowed": not allows(policy["Statement"] if policy else [], rule),
        }
        order = reversed(found) if backwards else found
        return next((each for each in order if found[each]), "fine")

    return (diagnose,)


@wrong_answer("04-2", "nobody has given any permission")
def permissions_forgotten():
    return diagnosis(lambda statements, rule: True)


@wrong_answer("04-2", "For whom is it")
def any_permission():
    return diagnosis(lambda statements, rule: bool(statements))


@wrong_answer("04-2", "takes that for EventBridge")
def the_condition_alone():
    def allows(statements, rule):
        return any(fits(each | {"Principal": {"Service": "events.amazonaws.com"}}, rule) for each in statements)

    return diagnosis(allows)


@wrong_answer("04-2", "stands behind another one")
def the_first_statement_alone():
    return diagnosis(lambda statements, rule: bool(statements) and fits(statements[0], rule))


@wrong_answer("04-2", "about somebody else")
def the_last_statement_alone():
    return diagnosis(lambda statements, rule: bool(statements) and fits(statements[-1], rule))


@wrong_answer("04-2", "does it stop this rule")
def a_condition_is_needed():
    return diagnosis(lambda statements, rule: any(fits(each, rule) and "Condition" in each for each in statements))


@wrong_answer("04-2", "which one does an event meet first")
def from_the_end():
    return diagnosis(lambda statements, rule: any(fits(each, rule) for each in statements), backwards=True)


@wrong_answer("04-2", "raises")
def a_policy_is_always_there():
    def diagnose(rule, targets, policy):
        if rule["State"] == "DISABLED":
            return "disabled"
        if not targets:
            return "no target"
        return "fine" if any(fits(each, rule) for each in policy["Statement"]) else "not allowed"

    return (diagnose,)


@wrong_answer("04-2", "one of these texts")
def yes_or_no():
    return (lambda rule, targets, policy: rule["State"] == "ENABLED" and bool(targets) and bool(policy),)


# --- 04-3 ---

secrets("04-3", "add_permission", "put_targets", "SourceArn", "events.amazonaws.com", "audit.demo")
NAME = "exercise-audit"
CODE = "def lambda_handler(event, context):\n    print(event['source'])\n"


def build(pattern=None, *, targets=(NAME,), function=True, rule=True, permission=True, **changed) -> tuple[()]:
    """The service of the task, with something different about it; no event is sent."""
    nothing_of_it()
    events, lambda_client = boto3.client("events"), boto3.client("lambda")
    rule_arn = f"arn:aws:events:us-east-1:123456789012:rule/{NAME}"
    if function:
        create_function()
    if rule:
        pattern = json.dumps(pattern or {"source": ["audit.demo"]})
        rule_arn = events.put_rule(Name=NAME, EventPattern=pattern)["RuleArn"]
    for position, each in enumerate(targets if rule else ()):
        arn = lambda_client.get_function_configuration(FunctionName=each)["FunctionArn"]
        events.put_targets(Rule=NAME, Targets=[{"Id": str(position), "Arn": arn}])
    if function and permission:
        given = {"Principal": "events.amazonaws.com", "SourceArn": rule_arn} | changed
        given = {name: value for name, value in given.items() if value is not None}
        lambda_client.add_permission(FunctionName=NAME, StatementId="1", Action="lambda:InvokeFunction", **given)
    return ()


def create_function() -> None:
    lambda_client = boto3.client("lambda")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", CODE)
    role_arn = boto3.client("iam").get_role(RoleName="microservice-role")["Role"]["Arn"]
    lambda_client.create_function(
        FunctionName=NAME,
        Runtime="python3.13",
        Role=role_arn,
        Handler="handler.lambda_handler",
        Code={"ZipFile": package.getvalue()},
    )
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=NAME)


@undo("04-3")
def nothing_of_it():
    events, lambda_client = boto3.client("events"), boto3.client("lambda")
    if targets := (found(events, "list_targets_by_rule", Rule=NAME) or {}).get("Targets"):
        events.remove_targets(Rule=NAME, Ids=[target["Id"] for target in targets])
    found(events, "delete_rule", Name=NAME)
    found(lambda_client, "delete_function", FunctionName=NAME)
    found(boto3.client("logs"), "delete_log_group", logGroupName=f"/aws/lambda/{NAME}")


@wrong_answer("04-3", "There is no rule on the default bus")
def only_the_function():
    return build(rule=False, permission=False)


@wrong_answer("04-3", "There is no function")
def only_the_rule():
    return build(function=False, targets=())


@wrong_answer("04-3", "does not match every event of the auditors")
def the_detail_type_instead():
    return build({"detail-type": ["audit.demo"]})


@wrong_answer("04-3", "that are not the auditors' as well")
def everything_as_in_the_lesson():
    return build({"source": [{"prefix": ""}]})


@wrong_answer("04-3", "The rule has no target")
def no_target():
    return build(targets=())


@wrong_answer("04-3", "to something else")
def the_function_of_the_lesson_too():
    return build(targets=(NAME, "sample-function"))


@wrong_answer("04-3", "more than once")
def the_same_target_twice():
    return build(targets=(NAME, NAME))


@wrong_answer("04-3", "Nobody has allowed")
def no_permission():
    return build(permission=False)


@wrong_answer("04-3", "for Lambda itself")
def the_principal_of_the_trust_policy():
    return build(Principal="lambda.amazonaws.com")


@wrong_answer("04-3", "not one for this rule")
def the_permission_of_the_other_rule():
    return build(SourceArn="arn:aws:events:us-east-1:123456789012:rule/sample-rule")


@wrong_answer("04-3", "lets in more than this rule")
def a_permission_for_any_rule():
    return build(SourceArn=None)


@wrong_answer("04-3", "no line with the source")
def nothing_sent():
    return build()
