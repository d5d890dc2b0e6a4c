"""Check lesson 13: what an update does, what a reference gives, and a table that outlives its stack."""

import re
from typing import Any

import boto3
from botocore.exceptions import ClientError

from helpers.exercises.tools import found
from helpers.exercises.verdicts import EarlyVerdict, Verdict, correct, exercise, wrong
from helpers.local_aws.cloudformation import yaml_text
from helpers.local_aws.cloudformation.errors import Refused

# --- 13-1: six changes of a text ---

IN_PLACE, REPLACED, UNTOUCHED = WORDS = "in place", "replaced", "untouched"
BECOMES = {"A": IN_PLACE, "B": IN_PLACE, "C": REPLACED, "D": UNTOUCHED, "E": UNTOUCHED, "F": REPLACED}
ORDERS, ALONG = "orders after F", "along with F"
BEFORE, AFTER = 3, 0  # orders: in the old table, and in the one that takes its place
MENTION_TABLE = {"Role", "Function"}
ABOUT = {  # (change, what was said): the misconception
    ("A", REPLACED): "you have set the memory of a function yourself, in lesson 3. Was it a new one afterwards?",
    ("B", REPLACED): "put_rule for a rule that is there writes a new pattern into it. Must its name change for that?",
    ("C", IN_PLACE): "is there any call in boto3 that renames a rule?",
    ("D", IN_PLACE): "what does a comment say about how the resources should be?",
    ("D", REPLACED): "what does a comment say about how the resources should be?",
    ("E", IN_PLACE): "the text has not changed by one letter. Who would look into the bucket?",
    ("E", REPLACED): "the text has not changed by one letter. Who would look into the bucket?",
    ("F", IN_PLACE): "is there any call in boto3 that renames a table?",
}


@exercise("13-1", takes=dict)
def six_changes(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != {*BECOMES, ORDERS, ALONG}:
        return wrong("Keep the eight names in the dict, and put your predictions behind them.")
    if any(prediction[letter] not in WORDS for letter in BECOMES):
        return wrong('What becomes of a resource is one of three: "in place", "replaced" or "untouched".')
    for letter, becomes in BECOMES.items():
        if prediction[letter] != becomes:
            about = ABOUT.get((letter, prediction[letter]), "the text differs, and CloudFormation compares texts.")
            return wrong(f"{letter}: {about}", see="template")
    if type(prediction[ORDERS]) is not int:
        return wrong("The orders after F are a whole number.")
    if prediction[ORDERS] != AFTER:
        return wrong(_about_orders(prediction[ORDERS]))
    return _about_others(prediction[ALONG]) or correct(
        "One line that looks like tidying up, and the orders are gone: read what an update requires before you make it."
    )


def _about_orders(number: int) -> str:
    if number == BEFORE:
        return "Orders after F: a new table takes the old one's place. Does CloudFormation carry items into it?"
    return "Orders after F: which table does the service write to now, and who has put anything into it?"


def _about_others(answer: object) -> Verdict | None:
    if not isinstance(answer, (list, tuple, set)) or not all(isinstance(each, str) for each in answer):
        return wrong("Along with F: a list of two logical ids, each as a text.")
    if any(each not in ("Table", "Role", "Function", "Permission", "LogGroup", "Rule") for each in answer):
        return wrong("Along with F: use the logical ids of section 1's template, as they are spelt there.")
    if "Table" in answer:
        return wrong("Along with F: the table itself is not one of the others.")
    if needless := sorted(set(answer) - MENTION_TABLE):
        return wrong(
            f"Along with F: {needless[0]} does not mention the table. What does it mention, and does that change?"
        )
    if set(answer) != MENTION_TABLE:
        return wrong("Along with F: one is missing. The table is mentioned in two ways, by name and by ARN: by whom?")
    return None


# --- 13-2: what a reference gives ---

NAME, URL, ARN = "name", "URL", "ARN"
GIVES = {  # what !Ref or !GetAtt gives: (whose, what); the values themselves do not matter
    "Waiting": ("queue", URL),
    "Waiting.Arn": ("queue", ARN),
    "Waiting.QueueUrl": ("queue", URL),
    "Waiting.QueueName": ("queue", NAME),
    "Late": ("rule", NAME),
    "Late.Arn": ("rule", ARN),
    "Caller": ("function", NAME),
    "Caller.Arn": ("function", ARN),
    "MayWait": ("policy", NAME),
    "MayWait.Id": ("policy", NAME),
    "Log": ("log group", NAME),
    "Log.Arn": ("log group", ARN),
}
PSEUDO = {f"AWS::{name}": f"<{name}>" for name in ("Region", "AccountId", "Partition", "URLSuffix")}
VALUES = PSEUDO | {place: f"<{' '.join(gives)}>" for place, gives in GIVES.items()}
ARN_BY_HAND = {  # an ARN put together from its parts is right as well
    "arn:aws:sqs:<Region>:<AccountId>:<queue name>": VALUES["Waiting.Arn"],
    "arn:aws:events:<Region>:<AccountId>:rule/<rule name>": VALUES["Late.Arn"],
}
WANTED = {
    "target": ("queue", ARN),
    "queues": ("queue", URL),
    "resource": ("queue", ARN),
    "condition": ("rule", ARN),
    "variable": ("queue", URL),
}
LOG_GROUP = f"/aws/lambda/{VALUES['Caller']}"
KNOWN_BY = {  # what to ask whoever gives something else
    "target": "How does put_targets identify a target?",
    "queues": "How does SQS identify a queue to which you give a policy?",
    "resource": "In which form does a policy name a resource?",
    "condition": "In which form does a service say on whose behalf it comes?",
    "variable": "What does receive_message ask for?",
}


@exercise("13-2", takes=dict)
def references(gaps: dict[str, Any]) -> Verdict:
    if set(gaps) != {*WANTED, "log group"} or not all(isinstance(text, str) for text in gaps.values()):
        return wrong("Keep the six names in the dict, and give each a text, in YAML's short form.")
    for gap in [*WANTED, "log group"]:
        value = _value(gap, gaps[gap])
        message = _about_log_group(value) if gap == "log group" else _about_value(gap, value)
        if message:
            return wrong(f"{gap}: {message}", see="arn" if gap in ("target", "resource", "condition") else "template")
    return correct("Not one name is written down, so the text works in every account, as often as somebody wants it.")


def _value(gap: str, text: str) -> str:
    """Return what CloudFormation would put into the gap. Raises EarlyVerdict for a text that it could not read."""
    try:
        read = yaml_text.parse(f"gap: {text.strip()}")["gap"]
    except (Refused, KeyError, TypeError) as error:
        raise EarlyVerdict(wrong(f"{gap}: that is no YAML, or no function that CloudFormation knows.")) from error
    if isinstance(read, str):
        return read
    function, given = next(iter(read.items())) if isinstance(read, dict) and len(read) == 1 else ("", None)
    if function == "Fn::Sub" and isinstance(given, str):
        return re.sub(r"\$\{([^!}]+)\}", lambda match: _looked_up(gap, match[1].strip()), given)
    if function == "Fn::GetAtt" and isinstance(given, list):
        if len(given) == 1:
            raise EarlyVerdict(wrong(f"{gap}: an attribute of a resource has two parts, with a dot between them."))
        return _looked_up(gap, ".".join(map(str, given)))
    if function == "Ref" and isinstance(given, str):
        if "." in given:
            raise EarlyVerdict(
                wrong(f"{gap}: !Ref takes a logical id alone. Which function takes an attribute as well?")
            )
        return _looked_up(gap, given)
    raise EarlyVerdict(wrong(f"{gap}: the three functions of section 1 are enough here. Which of them is it?"))


def _looked_up(gap: str, place: str) -> str:
    if place.partition(".")[0] not in VALUES:
        raise EarlyVerdict(wrong(f"{gap}: the template has no resource with that logical id."))
    if place not in VALUES:
        raise EarlyVerdict(
            wrong(f"{gap}: this resource gives no attribute of that name; the reference lists those it gives.")
        )
    return VALUES[place]


def _about_value(gap: str, value: str) -> str:
    """Say what is wrong with a value, or an empty text."""
    value = ARN_BY_HAND.get(value.replace("<Partition>", "aws"), value)
    if value == f"<{' '.join(WANTED[gap])}>":
        return ""
    if value not in VALUES.values() or value in PSEUDO.values():
        return "that is a fixed text, or one with a fixed part. Does anybody know these names before the stack exists?"
    given = next(gives for place, gives in GIVES.items() if VALUES[place] == value)
    if given[0] != WANTED[gap][0]:
        return f"that leads to the {given[0]}. Which resource is meant in this place?"
    return f"that gives the {given[0]}'s {given[1]}. {KNOWN_BY[gap]}"


def _about_log_group(value: str) -> str:
    if value == LOG_GROUP:
        return ""
    if value in VALUES.values():
        return "that is one value alone. How does the name of a function's log group begin?"
    if "${" in value or "Caller" in value:
        return "your text stays as it is, letter by letter. Which function puts a value into a text?"
    if value.startswith("/aws/lambda/<"):
        return "the beginning is right. What does Lambda put behind it: whose name, and is it a name?"
    return "to which log group does Lambda write, for a function of any name?"


# --- 13-3: a table that outlives its stack ---

STACK, KEPT = "exercise-stack", "KEEP-1"
TABLE, QUEUE = "AWS::DynamoDB::Table", "AWS::SQS::Queue"


@exercise("13-3", takes=str)
def outlives(stack_id: str) -> Verdict:
    if not stack_id.startswith("arn:"):
        return wrong("A stack that is deleted has given its name back. How can you still refer to it?", see="stack")
    stack = _stack(stack_id)
    if stack is None or stack["StackName"] != STACK:
        return wrong(f"That is not the ARN of a stack {STACK}, neither of one that is there nor of a deleted one.")
    status = stack["StackStatus"]
    if status.startswith("ROLLBACK") or "CREATE_FAILED" in status:
        return wrong("The creation has failed, and was rolled back. What does the first FAILED in its events say?")
    if status != "DELETE_COMPLETE":
        return wrong("The stack is not deleted yet. The table should be there without it.", see="stack")
    states = _states(stack_id)
    for kind, name in ((TABLE, "table"), (QUEUE, "queue")):
        if not any(states[each]["made"] for each in states if each[0] == kind):
            return wrong(f"This stack has never made a {name}. What is made by hand was never its own.", see="stack")
    return _about_what_is_left(states) or correct(
        "The stack is gone and its table is not. Whoever deletes the shop's stack no longer deletes its orders."
    )


def _stack(stack_id: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = boto3.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"][0]
        return stack
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None


def _states(stack_id: str) -> dict[tuple[str, str], dict[str, bool]]:
    """{(type, physical id): whether the stack has made it, and whether it has deleted it}, from the stack's events."""
    pages = boto3.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    states: dict[tuple[str, str], dict[str, bool]] = {}
    for each in (event for page in pages for event in page["StackEvents"]):
        state = states.setdefault(
            (each["ResourceType"], each.get("PhysicalResourceId", "")), {"made": False, "deleted": False}
        )
        state["made"] |= each["ResourceStatus"] == "CREATE_COMPLETE"
        state["deleted"] |= each["ResourceStatus"] == "DELETE_COMPLETE"
    return states


def _about_what_is_left(states: dict[tuple[str, str], dict[str, bool]]) -> Verdict | None:
    dynamodb = boto3.client("dynamodb")
    (_, table), state = next(item for item in states.items() if item[0][0] == TABLE and item[1]["made"])
    description = found(dynamodb, "describe_table", TableName=table)
    if state["deleted"]:
        if description is not None:
            return wrong("The stack has deleted its table; the one of that name is another, made afterwards.")
        return wrong(
            "The table has gone with its stack, and the order with the table. Who could have told CloudFormation "
            "to leave it, and where?",
            see="template",
        )
    if not all(state["deleted"] for (kind, _), state in states.items() if kind == QUEUE and state["made"]):
        return wrong("The queue has stayed as well, and now nobody owns it. Which line belongs to the table alone?")
    if description is None:
        return wrong("The stack has left its table alone, but somebody has deleted it since.")
    if [key["AttributeName"] for key in description["Table"]["KeySchema"]] != ["OrderId"]:
        return wrong("The table has stayed, but its key is not that of the task.", see="partition-key")
    answer = dynamodb.get_item(TableName=table, Key={"OrderId": {"S": KEPT}}, ConsistentRead=True)
    return None if "Item" in answer else wrong(f"The table has stayed, but there is no order {KEPT} in it.", see="item")
