"""Check lesson 1: what each of a role's two documents decides, who may assume a role, what its credentials give."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from helpers.exercises.tools import found
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong
from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide

# --- 01-1: four roles for one function ---

CREATED, STORES, LOGS = STEPS = ["created", "stores", "logs"]
ROLES = {  # what a function that stores an order and writes a log line gets done under each
    "A": {CREATED, STORES},
    "B": set(),
    "C": {CREATED, LOGS},
    "D": {CREATED},
}


@exercise("01-1", takes=dict)
def four_roles(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(ROLES):
        return wrong("Keep the four roles in the dict, and give each a list.")
    answer = {role: steps for role in ROLES if (steps := _steps(prediction[role])) is not None}
    if len(answer) < len(ROLES):
        return wrong(f"Behind each role belongs a list of what works, in these words: {', '.join(STEPS)}.")
    for role, steps in answer.items():
        if steps and CREATED not in steps:
            return wrong(f"Role {role}: can a function work that has never been created?")
    if answer["B"]:
        return wrong(
            "Role B: you let good permissions make up for the trust policy. Who may become this role?",
            see="trust-policy",
        )
    for role in "ACD":
        if not answer[role]:
            return wrong(
                f"Role {role}: for a function to be created, its role must be good for one thing. "
                "Which of the two documents decides about that?",
                see="execution-role",
            )
    return _about_permissions(answer) or correct(
        "The trust policy decides whether the function can be created; the permissions decide what it gets done."
    )


def _about_permissions(answer: Mapping[str, Collection[str]]) -> Verdict | None:
    if LOGS in answer["A"]:
        return wrong(
            "Role A: its policy promises full access. Full access to what? You have listed the services in section 3.",
            see="policy",
        )
    if STORES not in answer["A"]:
        return wrong("Role A: does a function that may not write logs stop working?", see="policy")
    if STORES in answer["C"]:
        return wrong("Role C: which of its policies speaks of DynamoDB? What no policy allows is denied.", see="policy")
    if LOGS not in answer["C"]:
        return wrong("Role C: read again what its policy is for. The name misleads.", see="policy")
    if answer["D"] != ROLES["D"]:
        return wrong(
            "Role D: trusting a service does not yet allow anything to whoever has become the role.", see="policy"
        )
    return None


def _steps(value: object) -> set[str] | None:
    """Return the learner's list as a set, or None when it is no list of these words."""
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, (list, tuple, set)) or any(each not in STEPS for each in value):
        return None
    return set(value)


# --- 01-2: a role that trusts two services ---

ROLE = "exercise-role"
LAMBDA, SCHEDULER = "lambda.amazonaws.com", "scheduler.amazonaws.com"
STRANGER = "a-service-to-come.amazonaws.com"  # named by nobody
BUS_SERVICE = "events.amazonaws.com"


@exercise("01-2")
def trusts_two() -> Verdict:
    iam = boto3.client("iam")
    role = found(iam, "get_role", RoleName=ROLE)
    if role is None:
        return not_attempted(f"There is no {ROLE} in the account. The cell makes it: run all of it.")
    arn, document = role["Role"]["Arn"], role["Role"]["AssumeRolePolicyDocument"]
    named = {LAMBDA, SCHEDULER} | _named(document, "Service")
    trusted = {service for service in named if _trusts(arn, document, service)}
    others = _about_strangers(arn, document)
    if others:
        return wrong(others, see="principal")
    if trusted == {LAMBDA}:
        return _not_yet_changed(iam, document)
    if {LAMBDA, SCHEDULER} < trusted:
        return wrong("Both may assume the role, and so may a service that has no need to.", see="least-privilege")
    if BUS_SERVICE in trusted:
        return wrong(
            "The service that you let in runs event buses and their rules. The Scheduler is a service of its own, "
            "with a principal of its own; how is it called?",
            see="principal",
        )
    if trusted - {LAMBDA, SCHEDULER}:
        return wrong(
            "Your trust policy names a service that is neither Lambda nor the Scheduler. IAM does not tell you "
            "whether a name is the right one; AWS's page about the Scheduler does.",
            see="principal",
        )
    if LAMBDA not in trusted:
        return wrong(
            "Now Lambda may not assume the role any more. A role has exactly one trust policy: "
            "what becomes of the old one when you write a new one?",
            see="trust-policy",
        )
    return correct("One role, two services that may assume it, and nobody else.")


def _not_yet_changed(iam: Any, document: dict[str, Any]) -> Verdict:
    if SCHEDULER in json.dumps(document):
        return wrong("The Scheduler's name is in the trust policy, but no statement lets it in.", see="trust-policy")
    policies = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    if policies or iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        return wrong(
            "You have given the role permissions. They say what it may do; do they let anybody become it?",
            see="trust-policy",
        )
    return not_attempted("The role's trust policy is as it was. (create_role changes nothing in a role that exists.)")


def _trusts(arn: str, document: dict[str, Any], service: str, kind: str = "Service") -> bool:
    """Whether the trust policy lets this principal assume the role, on behalf of something in the role's account."""
    account, region, owner = arn.split(":")[4], boto3.Session().region_name, service.split(".")[0]
    source = f"arn:aws:{owner}:{region}:{account}:{_OWN.get(owner, '')}"
    context = {"aws:sourceaccount": account, "aws:sourcearn": source}
    request = AccessRequest("sts:AssumeRole", None, (kind, service), context)
    return decide([Policy(document)], request) is Decision.ALLOW


_OWN = {"lambda": "function:sample-function", "scheduler": "schedule-group/default"}  # what they act for


def _named(document: dict[str, Any], kind: str) -> set[str]:
    """Return the principals of one kind that the document's statements name."""
    values = [_listed(each.get("Principal", {})) for each in _listed(document.get("Statement"))]
    principals = [each for listed in values for each in listed if isinstance(each, dict)]
    return {name for principal in principals for name in _listed(principal.get(kind, []))}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _about_strangers(arn: str, document: dict[str, Any]) -> str:
    """Say what is wrong with people, accounts and strangers that may assume the role; empty if there are none."""
    if _trusts(arn, document, STRANGER):
        return "Your trust policy lets everybody in, services included that nobody has thought of yet. Name the two."
    account = arn.split(":")[4]
    people = {f"arn:aws:iam::{number}:user/somebody" for number in (account, "999988887777")}
    named = {name for name in _named(document, "AWS") if name.startswith("arn:") and not name.endswith(":root")}
    if any(_trusts(arn, document, each, "AWS") for each in people | named) or _named(document, "Federated"):
        return "Your trust policy lets in people or roles: is a service of AWS one of your account's users?"
    return ""


# --- 01-3: credentials that may look and not touch ---

VISITOR, NOTHING = "exercise-visitor", "exercise-no-such-thing"
PARTS = ["AccessKeyId", "SecretAccessKey", "SessionToken"]
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
READS: list[tuple[str, dict[str, Any]]] = [("list_tables", {}), ("scan", {"TableName": NOTHING})]
# Of things that do not exist: nothing is changed even if it is allowed.
CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "put_item", {"TableName": NOTHING, "Item": {"OrderId": {"S": "1"}}}),
    ("dynamodb", "delete_table", {"TableName": NOTHING}),
    ("lambda", "delete_function", {"FunctionName": NOTHING}),
    ("iam", "delete_role", {"RoleName": NOTHING}),
]


@exercise("01-3", takes=dict)
def looks_only(credentials: dict[str, Any]) -> Verdict:
    credentials = credentials.get("Credentials", credentials)
    if not isinstance(credentials, dict) or not all(isinstance(credentials.get(part), str) for part in PARTS):
        return wrong(
            "Give check what assume_role answers: a key, its secret, and a third part that expires.", see="role"
        )
    who = _allowed(_client("sts", credentials), "get_caller_identity")
    if who is None:
        return wrong("AWS does not know these credentials, or they have expired. Ask for new ones.", see="role")
    identity = _client("sts", credentials).get_caller_identity()["Arn"].split(":")[-1]
    if not identity.startswith("assumed-role/"):
        return wrong("With these credentials you are still yourself. What turns you into a role?", see="role")
    if identity.split("/")[1] != VISITOR:
        return wrong(f"These are another role's credentials. The task's role is {VISITOR}.", see="role")
    dynamodb = _client("dynamodb", credentials)
    if not all(_allowed(dynamodb, operation, **arguments) for operation, arguments in READS):
        return wrong(
            "You have become the role, and still you may not read what is in a table. Whom you trust is settled; "
            "what else does a role need?",
            see="policy",
        )
    for service, operation, arguments in CHANGES:
        if _allowed(_client(service, credentials), operation, **arguments):
            where = "a table" if service == "dynamodb" else "other things in your account"
            return wrong(f"Your visitor may change {where}. Which policy says so?", see="least-privilege")
    return correct("A visitor's badge: it opens what its policy names, and within the hour it opens nothing.")


def _client(service: str, credentials: dict[str, Any]) -> Any:
    key, secret, token = (credentials[part] for part in PARTS)
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token)


def _allowed(client: Any, operation: str, **arguments: Any) -> bool | None:
    """Whether whoever the client's credentials belong to may do this; None: AWS does not know them at all."""
    try:
        getattr(client, operation)(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch",
                    "UnrecognizedClientException"):  # fmt: skip
            return None
        return code not in DENIED
    return True
