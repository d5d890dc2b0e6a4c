"""Check lesson 11: what policies allow together, a policy to narrow, and a role with nothing too much.

A policy is judged by what it allows. The evaluator is that of the embedded AWS, on real AWS as well: it needs no
waiting, and a policy that allows too much does nothing while it is judged.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import boto3

from helpers.exercises.tools import found
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong
from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide, role_trusts_service

# --- 11-1: three statements, six calls ---

TABLES = "arn:aws:dynamodb:us-east-1:123456789012:table/"
WORDS = {each.value.replace("allow", "allowed"): each for each in Decision}  # what a prediction may say
ROLE_POLICIES: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": "dynamodb:*Item", "Resource": f"{TABLES}orders"},
    {"Effect": "Allow", "Action": ["dynamodb:Scan", "dynamodb:Query"], "Resource": f"{TABLES}orders/*"},
    {"Effect": "Deny", "Action": "dynamodb:Delete*", "Resource": "*"},
]
CALLS = {
    "PutItem on orders": ("dynamodb:PutItem", f"{TABLES}orders"),
    "PutItem on orders in eu-west-1": ("dynamodb:PutItem", f"{TABLES}orders".replace("us-east-1", "eu-west-1")),
    "Scan on orders": ("dynamodb:Scan", f"{TABLES}orders"),
    "Query on orders/index/by-item": ("dynamodb:Query", f"{TABLES}orders/index/by-item"),
    "DeleteItem on orders": ("dynamodb:DeleteItem", f"{TABLES}orders"),
    "DeleteTable on drafts": ("dynamodb:DeleteTable", f"{TABLES}drafts"),
}
THINK = {
    "PutItem on orders": "Is there a star in the action of the first statement that PutItem fits?",
    "PutItem on orders in eu-west-1": "Lay the two ARNs side by side, part by part. Are all parts the same?",
    "Scan on orders": "The resource of the second statement goes on after the name. Is a table below itself?",
    "Query on orders/index/by-item": "Where does an index stand: beside its table, or below it?",
    "DeleteItem on orders": "More than one statement speaks of this call. Which of them has the last word?",
    "DeleteTable on drafts": "Which of the statements speak of this call, and what do they say?",
}


@exercise("11-1", takes=dict)
def three_statements(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(CALLS):
        return wrong("Keep the six calls in the dict, and give each one of the three words.")
    answer = {call: WORDS.get(str(word).strip().lower()) for call, word in prediction.items()}
    if None in answer.values():
        return wrong("Behind each call, put one of the three words that the task names, as a text.")
    for call, asked in CALLS.items():
        right = _decision(ROLE_POLICIES, *asked)
        if answer[call] == right:
            continue
        if Decision.ALLOW not in (answer[call], right):
            return wrong(
                f"{call}: refused, yes. But does a statement forbid it, or has none granted it?", see="access-denied"
            )
        return wrong(f"{call}: {THINK[call]}", see="policy")
    return correct("You decide as IAM does: a deny that fits wins, then an allow that fits. Otherwise it is no.")


def _decision(statements: list[dict[str, Any]], action: str, resource: str) -> Decision:
    return decide([Policy({"Version": "2012-10-17", "Statement": statements})], AccessRequest(action, resource))


# --- what 11-2 and 11-3 share: calls that must succeed, and calls that must not ---


@dataclass(frozen=True)
class Probe:
    """A call, what to say of a policy that decides wrongly about it, and where the glossary says more."""

    action: str
    resource: str
    says: str
    see: str = "least-privilege"


def _first_wrong(probes: Iterable[Probe], policies: list[Policy], allowed: bool) -> Verdict | None:
    """Return the verdict on the first call about which the policies decide so, or None."""
    for probe in probes:
        if (decide(policies, AccessRequest(probe.action, probe.resource)) is Decision.ALLOW) is allowed:
            return wrong(probe.says, see=probe.see)
    return None


DYNAMODB_CALLS = [  # what a policy that is a little too wide may grant, with the name of the call in the message
    *(f"{verb}Item" for verb in ("Get", "Put", "Update", "Delete", "BatchGet", "BatchWrite")),
    *("Query", "Scan", "ConditionCheckItem", "PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
    *(f"{verb}Table" for verb in ("Describe", "Update", "Delete", "Create")),
    *("UpdateTimeToLive", "CreateBackup", "ExportTableToPointInTime", "GetResourcePolicy", "PutResourcePolicy"),
]
OTHER_SERVICES = ["sqs:ListQueues", "iam:ListRoles", "iam:PassRole", "events:PutEvents", "s3:ListAllMyBuckets"]


def _superfluous(arns: Iterable[str], needed: Iterable[Probe]) -> list[Probe]:
    """Return a probe for every call of DynamoDB's on these resources that is not needed."""
    pairs = {(probe.action, probe.resource) for probe in needed}
    return [
        Probe(
            f"dynamodb:{call}", arn, f"Close. But your policy also grants {call}, which the report never calls there."
        )
        for call in DYNAMODB_CALLS
        for arn in arns
        if (f"dynamodb:{call}", arn) not in pairs
    ]


# --- 11-2: a policy to narrow ---

INDEX = "orders/index/by-item"
ALL_WITH_ALL = (
    "Every action of a statement goes with every resource of it. So one of yours grants a call that the report "
    "never makes. How can you keep pairs apart?"
)
REPORT_NEEDS = [
    Probe("dynamodb:GetItem", f"{TABLES}orders", "The report cannot read an order with this policy.", "access-denied"),
    Probe(
        "dynamodb:Query",
        f"{TABLES}{INDEX}",
        "The query is refused. Whoever queries an index asks for the index: what is its ARN?",
        "arn",
    ),
    *(
        Probe(
            "dynamodb:PutItem",
            f"{TABLES}report-{month}",
            "A report cannot be written. Think of next month, too: which part of the table's name will be the same?",
            "arn",
        )
        for month in ("2026-09", "2027-01")
    ),
]
FOREIGN = "Your policy reaches into other regions or accounts. Which parts of the ARN do you know, and yet left open?"
STARRED = "A star in an action takes in calls that you have not thought of, such as those on the table's own policy."
REPORT_EXCESS = [
    *(Probe(call, "*", "Your policy grants calls of other services than DynamoDB.") for call in OTHER_SERVICES),
    Probe("dynamodb:DeleteTable", f"{TABLES}orders", "Whoever has this policy can delete the table with the orders."),
    Probe("dynamodb:GetItem", f"{TABLES}customers", "The report can read tables that are none of its business."),
    Probe("dynamodb:PutItem", f"{TABLES}customers", "The report can write into tables that are none of its business."),
    Probe("dynamodb:PutItem", f"{TABLES}orders", ALL_WITH_ALL, "statement"),
    Probe("dynamodb:GetItem", f"{TABLES}report-2026-09", ALL_WITH_ALL, "statement"),
    Probe("dynamodb:GetItem", f"{TABLES}orders-of-2025", "A star after the name takes in every name that begins so."),
    Probe("dynamodb:PutItem", f"{TABLES}reports", "The report can write into more tables than those of the months."),
    *(Probe(f"dynamodb:{each}ResourcePolicy", f"{TABLES}orders", STARRED) for each in ("Get", "Put")),
    Probe("dynamodb:PutResourcePolicy", f"{TABLES}report-2026-09", STARRED),
    Probe("dynamodb:DeleteItem", f"{TABLES}report-2026-09", STARRED),
    Probe(
        "dynamodb:Query", f"{TABLES}orders", "The index is what the report queries. Your policy grants the table, too."
    ),
    Probe("dynamodb:Query", f"{TABLES}orders/index/by-customer", "The report can query indexes that it never uses."),
    Probe("dynamodb:Scan", f"{TABLES}orders", "The report can read the whole table at once; its work is less."),
    Probe("dynamodb:Scan", f"{TABLES}{INDEX}", "The report can scan the index; its work is less."),
    *(
        Probe(f"dynamodb:{action}", f"{TABLES}{name}".replace(*other), FOREIGN, "arn")
        for action, name in (("GetItem", "orders"), ("Query", INDEX), ("PutItem", "report-2026-09"))
        for other in (("us-east-1", "eu-west-1"), ("123456789012", "210987654321"))
    ),
    *_superfluous([f"{TABLES}{name}" for name in ("orders", INDEX, "report-2026-09", "customers")], REPORT_NEEDS),
]


@exercise("11-2", takes=((dict, str),))
def narrowed(document: dict[str, Any] | str) -> Verdict:
    document = json.loads(document) if isinstance(document, str) else document
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    statements = statements if isinstance(statements, list) else [statements]
    if not statements:
        return wrong("A policy document is a dict with a Version and a list called Statement.", see="policy")
    arns = [arn for each in statements for arn in _listed(each.get("Resource", []))]
    if any(arn != "*" and not arn.startswith("arn:") for arn in arns):
        return wrong("IAM refuses this policy: a resource stands in it by its bare name.", see="arn")
    if any(":" not in name and name != "*" for each in statements for name in _listed(each.get("Action", []))):
        return wrong("IAM refuses this policy: an action needs its service in front, with a colon.", see="policy")
    policies = [Policy(document)]
    problem = _first_wrong(REPORT_NEEDS, policies, allowed=False)
    if problem and any(
        re.match(r"arn:aws:dynamodb:(?!us-east-1:|\*:)|arn:aws:dynamodb:[^:]+:(?!123456789012:|\*:)", arn)
        for arn in arns
    ):
        return wrong("Your policy speaks of a table elsewhere: the region or the account is not the task's.", see="arn")
    return (
        problem
        or _first_wrong(REPORT_EXCESS, policies, allowed=True)
        or correct("The three calls, and nothing else: whoever gets hold of this function gets hold of little.")
    )


def _listed(value: object) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


# --- 11-3: a role of one's own ---

ROLE, GROUP = "exercise-report-role", "/aws/lambda/exercise-report"


@exercise("11-3")
def role_for_a_report() -> Verdict:
    iam = boto3.client("iam")
    role = found(iam, "get_role", RoleName=ROLE)
    if role is None:
        return not_attempted(f"There is no role {ROLE} in the account yet.")
    trust = role["Role"]["AssumeRolePolicyDocument"]
    if not role_trusts_service(trust, "lambda.amazonaws.com"):
        return wrong(
            "The role is there, but Lambda may not assume it. Whom does its trust policy name?", "trust-policy"
        )
    table = boto3.client("dynamodb").describe_table(TableName="sample-table")["Table"]["TableArn"]
    _, _, _, region, account, _ = table.split(":", 5)
    others = [("Service", "events.amazonaws.com"), ("AWS", f"arn:aws:iam::{account}:root")]
    asked = [AccessRequest("sts:AssumeRole", None, principal) for principal in others]
    if any(decide([Policy(trust)], each) is Decision.ALLOW for each in asked):
        return wrong("Others than Lambda may assume the role as well. Who needs to?", see="trust-policy")
    policies = _policies(iam)
    if not policies:
        return wrong("The role is there, and it may do nothing yet: it has no policy.", see="inline-policy")
    groups = f"arn:aws:logs:{region}:{account}:log-group:"
    return (
        _first_wrong(_role_needs(table, groups), policies, allowed=False)
        or _first_wrong(_role_excess(table, groups), policies, allowed=True)
        or correct(
            "A role from nothing, with what the work needs. It can read the orders, and it can harm none of them."
        )
    )


def _policies(iam: Any) -> list[Policy]:
    """All policies of the role, those in it and those attached."""
    inline = [
        iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    ]
    arns = [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]]
    versions = [(arn, iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]) for arn in arns]
    attached = [iam.get_policy_version(PolicyArn=arn, VersionId=v)["PolicyVersion"]["Document"] for arn, v in versions]
    return [Policy(document) for document in inline + attached]


def _role_needs(table: str, groups: str) -> list[Probe]:
    stream = f"{groups}{GROUP}:log-stream:2026/09/01/[$LATEST]0123"
    silent = (
        "The report would run and leave no log. Both actions ask for a stream in the group, not for the group: "
        "how does the ARN of that go on?"
    )
    return [
        Probe(
            "dynamodb:Scan", table, "The role may not scan the table. Compare action and ARN, to the last character."
        ),
        Probe("logs:CreateLogStream", stream, silent, "log-group"),
        Probe("logs:PutLogEvents", stream, silent, "log-group"),
    ]


def _role_excess(table: str, groups: str) -> list[Probe]:
    others = [
        f"{groups}{name}:log-stream:2026/09/01/[$LATEST]0123" for name in ("/aws/lambda/sample-function", f"{GROUP}-2")
    ]
    other_tables = [
        f"{table}-of-2025",
        table.replace("sample-table", "customers"),
        table.replace(table.split(":")[3], "ap-south-2"),
        f"{table}/index/by-item",
    ]
    writes = "The report reads. This role can also change or delete orders."
    forges = "The role can write into the log of another function, and so forge it."
    hides = "The role may do more with logs than the two actions; it could cover its tracks."
    other = "The role may do things that have nothing to do with the table or the log."
    return [
        *(Probe(f"dynamodb:{call}", table, writes) for call in ("PutItem", "UpdateItem", "DeleteItem", "DeleteTable")),
        *(Probe("dynamodb:Scan", arn, "The role can scan more than that one table.") for arn in other_tables),
        *(
            Probe(f"dynamodb:{call}", table, "The role can read in other ways than a scan.")
            for call in ("GetItem", "Query")
        ),
        *(Probe(f"logs:{call}", arn, forges) for call in ("CreateLogStream", "PutLogEvents") for arn in others),
        *(
            Probe(f"logs:{call}", f"{groups}{GROUP}{end}", hides)
            for call in ("DeleteLogGroup", "PutRetentionPolicy", "FilterLogEvents", "DeleteLogStream", "GetLogEvents")
            for end in ("", ":*", ":log-stream:x")
        ),
        *(Probe(call, "*", other) for call in OTHER_SERVICES),
        *_superfluous([table, other_tables[1]], [Probe("dynamodb:Scan", table, "")]),
    ]
