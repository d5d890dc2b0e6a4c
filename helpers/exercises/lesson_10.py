"""Check lesson 10: who hears what on a bus, an old reader for a new event, and a subscriber of one's own."""

import json
import re
from typing import Any

import boto3

from helpers.exercises.tools import event, found, matches
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong
from helpers.local_aws.events.input_shape import RESERVED, is_path, placeholders, transform
from helpers.local_aws.events.put_events import Event
from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide

# --- 10-1: one order, five services ---

ANNOUNCED = 3  # by store, labels and points
COUNTS = {"store": 1, "labels": 1, "points": 1, "mail": 2, "census": 1 + ANNOUNCED}
DEPLOYED, LOOP = "deployed for census", "a loop"
LOOPS = "census"  # hears whatever has an order in it, so also what it says itself


@exercise("10-1", takes=dict)
def five_services(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != {*COUNTS, DEPLOYED, LOOP}:
        return wrong("Keep the seven names in the dict, and put your predictions behind them.")
    if any(type(prediction[name]) is not int for name in [*COUNTS, DEPLOYED]):
        return wrong("All predictions but the last are whole numbers.")
    if prediction[LOOP] not in COUNTS:
        return wrong("The last prediction is the name of one of the five services, as a text.")
    for name, count in COUNTS.items():
        if prediction[name] != count:
            return wrong(f"{name}: {_about_count(name, prediction[name])}", see="event-pattern")
    if prediction[DEPLOYED]:
        return wrong(
            "census arrived, and somebody had to redeploy? Which of the four knows that it exists, and from where?",
            see="coupled",
        )
    if prediction[LOOP] != LOOPS:
        return wrong(
            f"{prediction[LOOP]} would announce OrderNoticed, yes. Hold that event against its own pattern, "
            "field by field: does it fit?",
            see="loop",
        )
    return correct("Who hears what is decided by the rules alone, and the most curious rule is the most dangerous one.")


def _about_count(name: str, answer: int) -> str:
    if answer == 0:
        return "there is an event that fits its pattern. Who sends it, and what is it called?"
    if name == "mail":
        return "its pattern names no source. How many events of those two types are there, and does each cause a run?"
    if name == "census" and answer == 1:
        return "does its pattern ask who has sent an event? What do all events on this bus have in common?"
    if name == "census":
        return "count the events on the bus, all of them, and each one once. A service that is silent adds none."
    return "how many events on the bus have all that its pattern names?"


# --- 10-2: an input transformer between a new event and an old reader ---

NEW_FORM = ("id", "item", "price", "shipping")
ORDERS = [  # of the new form, and the label that the old code must print
    (dict(zip(NEW_FORM, ("Y-0001", "desk-lamp", 65.5, "Express"), strict=True)), "Express, desk-lamp, insured"),
    (dict(zip(NEW_FORM, ("Z-77", "mug", 12, "Pickup"), strict=True)), "Pickup, mug"),
    (dict(zip(NEW_FORM, ("Z-78", 'screen 27"', 50, "Standard"), strict=True)), 'Standard, screen 27"'),
]
RULE_ARN = "arn:aws:events:us-east-1:123456789012:rule/order-stored-rule"


@exercise("10-2", takes=dict)
def old_reader(transformer: dict[str, Any]) -> Verdict:
    paths, template = transformer.get("InputPathsMap"), transformer.get("InputTemplate")
    if set(transformer) != {"InputPathsMap", "InputTemplate"} or not isinstance(paths, dict):
        return wrong("A transformer has two parts: InputPathsMap, which is a dict, and InputTemplate.")
    if not isinstance(template, str):
        return wrong("InputTemplate is a text, even where that text is JSON: EventBridge fills it in as a text.")
    return _about_paths(paths, template) or _about_labels(transformer) or correct(
        "The producer has moved on, the reader has not, and neither was redeployed: the rule's owner translates."
    )  # fmt: skip


def _about_paths(paths: dict[str, Any], template: str) -> Verdict | None:
    if not all(isinstance(path, str) and is_path(path) for path in paths.values()):
        return wrong("One of the paths is no path. Where does each of them begin, and with which sign?")
    if set(placeholders(template)) - set(paths) - RESERVED:
        return wrong("The template has a name in < and > that InputPathsMap does not know. EventBridge refuses that.")
    if not placeholders(template):
        return wrong("Your template is the same text for every order. How does a value get into it?")
    if any(path.startswith("$.detail.body") for path in paths.values()):
        return wrong(
            "One of your paths leads to where the old event had its order. Which event does a transformer read, "
            "and which one does it write?",
            see="detail",
        )
    return None


def _about_labels(transformer: dict[str, Any]) -> Verdict | None:
    for order, label in ORDERS:
        text = transform(transformer, _stored2(order), RULE_ARN)
        try:
            given = json.loads(text)
        except ValueError:
            return wrong(_no_json(order))
        try:
            answer = _label(given)
        except KeyError as error:
            return wrong(f"Y's old code raises KeyError: {error.args[0]!r} is not where it looks.", see="envelope")
        except TypeError:
            return wrong(_wrong_type(given))
        if answer != f"{order['id']}: {label}":
            return wrong("The old code prints a label, but not the order's own. Which value has gone astray?")
    return None


def _stored2(order: dict[str, Any]) -> Event:
    fields = event({"order": order}, "order_store", "OrderStored2")
    return Event("default", fields, json.dumps(fields["detail"]), fields["time"])


def _no_json(order: dict[str, Any]) -> str:
    """Why what the transformer makes of an order is no JSON."""
    if '"' in order["item"]:
        return "For an item with a quotation mark in its name, what comes out is no JSON any more."
    return "What comes out is no JSON. Print your template, and look at its brackets, commas and quotation marks."


def _label(given: dict[str, Any]) -> str:
    """Return a label as the old code of Microservice Y makes it in the task."""
    order = given["detail"]["body"]
    insured = ", insured" if order["Amount"] > 50 else ""
    label: str = order["OrderId"] + ": " + order["ShippingMethod"] + ", " + order["Item"] + insured
    return label


def _wrong_type(given: object) -> str:
    body = given.get("detail") if isinstance(given, dict) else None
    body = body.get("body") if isinstance(body, dict) else None
    if isinstance(body, dict) and isinstance(body.get("Amount"), str):
        return "Y's old code compares the amount with a number, and gets a text. What have you put around its name?"
    return "Y's old code raises TypeError: something has another type than it had in the old event."


# --- 10-3: a subscriber that nobody has to know ---

QUEUE, RULE = "exercise-courier", "exercise-courier-rule"
SEND, BUS_SERVICE = "sqs:SendMessage", "events.amazonaws.com"
STRANGER = "999988887777"  # another account
ORDER = {"OrderId": "Q-1", "Item": "teapot", "Amount": 20, "IsMember": False, "ShippingMethod": "Express"}
EXPRESS_ORDERS = [ORDER, ORDER | {"Item": "sofa", "Amount": 900.5, "IsMember": True}]


@exercise("10-3")
def subscriber() -> Verdict:
    sqs = boto3.client("sqs")
    rule = found(boto3.client("events"), "describe_rule", Name=RULE)
    queue = found(sqs, "get_queue_url", QueueName=QUEUE)
    if rule is None and queue is None:
        return not_attempted(f"There is neither a queue {QUEUE} nor a rule {RULE} yet.")
    if rule is None or queue is None:
        return wrong(f"There is no {f'rule {RULE}' if rule is None else f'queue {QUEUE}'} yet.")
    url = queue["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "Policy"])["Attributes"]
    return (
        _about_pattern(rule)
        or _about_targets(attributes["QueueArn"])
        or _about_policy(attributes.get("Policy"), attributes["QueueArn"], rule["Arn"])
        or _about_delivery(sqs, url)
        or correct("The courier hears of every express order, and nobody in the order store had to do anything for it.")
    )


def _about_pattern(rule: dict[str, Any]) -> Verdict | None:
    pattern = rule.get("EventPattern", "{}")
    if rule["State"] == "DISABLED":
        return wrong("Your rule is disabled, so it looks at no event at all.", see="rule")
    if not all(_heard(pattern, body) for body in EXPRESS_ORDERS):
        return wrong(
            "An Express order that the order store has announced does not match your rule. Hold an announcement "
            "against the pattern: source, detail type, path, value.",
            see="event-pattern",
        )
    if _heard(pattern, ORDER, "microservice_x", "OrderPlaced"):
        return wrong(
            "Your rule also hears Microservice X. An order that was placed is not yet stored: "
            "the courier would come for parcels that may never exist.",
            see="source",
        )
    if any(_heard(pattern, ORDER | {"ShippingMethod": each}) for each in ("Pickup", "Standard")):
        return wrong("Your rule matches stored orders that do not ship by Express.", see="event-pattern")
    if _heard(pattern, ORDER, detail_type="OrderCancelled") or _heard(pattern, ORDER, source="somebody_else"):
        return wrong(
            "Your rule takes any event with such an order. What if the order store has something else to say about it, "
            "or somebody else has?",
            see="event-pattern",
        )
    return None


def _heard(pattern: str, body: dict[str, Any], source: str = "order_store", detail_type: str = "OrderStored") -> bool:
    return matches(pattern, event({"body": body, "hop": 1}, source, detail_type))


def _about_targets(queue_arn: str) -> Verdict | None:
    targets = boto3.client("events").list_targets_by_rule(Rule=RULE)["Targets"]
    if not targets:
        return wrong("Your rule matches, and then hands the event to nobody.", see="target")
    if [target["Arn"] for target in targets] != [queue_arn]:
        return wrong("The rule's one target should be the courier's queue; look at list_targets_by_rule.", see="target")
    return None


def _about_policy(text: str | None, queue_arn: str, rule_arn: str) -> Verdict | None:
    if not text:
        return wrong(
            "The queue has no policy. EventBridge has taken the target all the same; may it send there?",
            see="resource-based-policy",
        )
    document = json.loads(text)
    policy, account = Policy(document), rule_arn.split(":")[4]
    if not _may_send(policy, queue_arn, rule_arn):
        return wrong(_why_not(document), see="resource-based-policy")
    people = [f"arn:aws:iam::{number}:root" for number in (account, STRANGER)]
    people += re.findall(r"arn:aws:iam::\d{12}:[\w/+=,.@-]+", text)  # whoever is named in the policy
    if any(_allows(policy, SEND, queue_arn, ("AWS", each), {}) for each in people):
        return wrong(
            "Your policy lets people send as well: a courier could be sent for parcels that never existed.",
            see="principal",
        )
    others = [f"{rule_arn}-2", rule_arn.replace(RULE, "sample-rule"), rule_arn.replace(account, STRANGER)]
    if any(_may_send(policy, queue_arn, each) for each in others):
        return wrong(
            "Other rules may send to this queue as well. Every rule comes as the same service: "
            "what tells yours from them?",
            see="condition",
        )
    context = _context(rule_arn)
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:SetQueueAttributes"):
        if _allows(policy, action, queue_arn, ("Service", BUS_SERVICE), context):
            return wrong("The rule may do more with the queue than send to it.", see="least-privilege")
    return None


def _allows(policy: Policy, action: str, queue_arn: str, principal: tuple[str, str], context: dict[str, Any]) -> bool:
    return decide([policy], AccessRequest(action, queue_arn, principal, context)) is Decision.ALLOW


def _may_send(policy: Policy, queue_arn: str, rule_arn: str) -> bool:
    return _allows(policy, SEND, queue_arn, ("Service", BUS_SERVICE), _context(rule_arn))


def _context(rule_arn: str) -> dict[str, str]:
    """Return what EventBridge says of itself when it sends for a rule."""
    return {
        "aws:sourcearn": rule_arn,
        "aws:sourceaccount": rule_arn.split(":")[4],
        "aws:principalservicename": BUS_SERVICE,
        "aws:principalisawsservice": "true",
    }


def _why_not(document: dict[str, Any]) -> str:
    text = json.dumps(document)
    if "lambda.amazonaws.com" in text:
        return "Your policy lets Lambda in. Whose rule is it that sends here?"
    if BUS_SERVICE not in text:
        return "Your policy does not name the service that sends for rules."
    if "aws:sourcearn" in text.lower():
        return (
            "Your policy does not let your rule send. Compare three ARNs, letter by letter: the rule's in the "
            "condition, the queue's in the resource, and the real ones."
        )
    return "The queue has a policy, and still your rule may not send. Which action does sending need, and where?"


def _about_delivery(sqs: Any, url: str) -> Verdict | None:
    """Judge what is in the queue; everything that is read stays visible for its owner."""
    asked = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "WaitTimeSeconds": 1}
    messages = [message["Body"] for message in sqs.receive_message(**asked).get("Messages", [])]
    if not messages:
        return wrong(
            "Everything is connected, and the queue is empty. An event that was sent before the last piece was in "
            "place does not come later.",
            see="delivery",
        )
    if not any(map(_is_wanted, messages)):
        return wrong("There is a message in the queue, but no announcement of COURIER-1 as the bus delivers it.")
    return None


def _is_wanted(text: str) -> bool:
    try:
        given = json.loads(text)
        return bool(given["source"] == "order_store" and given["detail"]["body"]["OrderId"] == "COURIER-1")
    except (ValueError, KeyError, TypeError):
        return False
