"""Put right what is wrong with the account, when a learner asks for it: with the lessons' own cells that build.

What those cells leave as it is when it is there already, is taken out of their way first (WAYS). Each step is said
before it is taken. What the account had before, it has again afterwards.
"""

import json
from collections.abc import Callable
from pathlib import Path

import boto3

from helpers.account import health
from helpers.account import state as account_state
from helpers.account.state import FUNCTION, ROLE, RULE, TABLE, AccountState, Finding
from helpers.account.troubles import KINDS, sentence
from helpers.errors import WorkbookError
from helpers.lessons import diagnosis, sections
from helpers.lessons.catch_up import build, lesson_files, read_lesson

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
Say = Callable[[str], None]


def plan(findings: list[Finding], current: str) -> list[str]:
    """Return what `repair` would do about the findings, a phrase for each step."""
    steps = [WAYS[each.kind][0].format(**each.facts) for each in findings if each.kind in WAYS]
    return [*steps, *(_runs(name) for name in _lessons(findings, current))]


def repair(current: str, folder: Path, say: Say) -> AccountState:
    """Repair the account for a lesson, and return its state then. `say` is given a line for each step.

    Raises WorkbookError when the learner's handler.py is what is broken (nothing is changed then), or a cell fails.
    """
    state = health.read(thorough=True)
    findings = diagnosis.worth_saying(state, current)
    if broken := refusal(findings, current):
        raise WorkbookError(f"Nothing was repaired. {broken}", more="the-function-fails")
    for finding in findings:
        say(f"✗ {sentence(finding)}")
    for finding in findings:
        if finding.kind in WAYS:
            words, act = WAYS[finding.kind]
            say(f"→ {words.format(**finding.facts)}")
            if was := act(finding):
                say(f"  It was: {was}")
    return _rebuilt(current, folder, _lessons(findings, current), state.parts, say)


def refusal(findings: list[Finding], current: str) -> str:
    """Return why the findings cannot be put right: a handler.py to deploy that Python cannot read; or ""."""
    deploying = sections.makes(KINDS["syntax error"].made_by, current)
    if deploying is None or deploying.lesson not in _lessons(findings, current):
        return ""
    return diagnosis.broken_handler()


def _rebuilt(current: str, folder: Path, to_build: list[str], before: frozenset[str], say: Say) -> AccountState:
    """Run the lessons that are to be built, and those whose parts are gone by now or were missing for this lesson."""
    state = account_state.read()
    for path in lesson_files(folder):
        lesson = read_lesson(path)
        wanted = [part for part in lesson.provides if path.stem < current or part in before]
        if path.stem in to_build or account_state.missing(wanted, state):
            say(f"→ {_runs(path.stem)}")
            build(lesson)
            state = account_state.read()
    return health.read(thorough=True)


def _lessons(findings: list[Finding], current: str) -> list[str]:
    """Return the names of the lessons whose build cells put the findings right, in order."""
    left = [each for each in findings if each.kind not in ENOUGH]
    found = [sections.makes(KINDS[each.kind].made_by, current) for each in left]
    return sorted({cell.lesson for cell in found if cell and cell.builds})


def _runs(name: str) -> str:
    return f"run the cells of lesson {int(name[:2])} that build"


def _trust(finding: Finding) -> str:
    iam = boto3.client("iam")
    was = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(TRUST))
    return json.dumps(was)


def _take_policy_away(finding: Finding) -> str | None:
    iam, name = boto3.client("iam"), finding.facts["policy"]
    if name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        was = iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
        iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
        return json.dumps(was)
    for policy in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        if policy["PolicyName"] == name:
            iam.detach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])
    return None  # AWS keeps the policy itself


def _delete_table(finding: Finding) -> None:
    dynamodb = boto3.client("dynamodb")
    dynamodb.delete_table(TableName=TABLE)
    dynamodb.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def _let_run(finding: Finding) -> None:
    boto3.client("lambda").delete_function_concurrency(FunctionName=FUNCTION)


def _enable(finding: Finding) -> None:
    boto3.client("events").enable_rule(Name=RULE)


def _remove_permission(finding: Finding) -> None:
    """Make room for the lessons' permission, which AWS knows by its StatementId; all others are the learner's own."""
    lambda_, cell = boto3.client("lambda"), sections.makes(KINDS[finding.kind].made_by)
    for statement in json.loads(lambda_.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"]:
        if cell and f'"{statement["Sid"]}"' in cell.source:
            lambda_.remove_permission(FunctionName=FUNCTION, StatementId=statement["Sid"])


#: What is done before lessons' cells run, and the words for it; returned is the text of what nobody else keeps.
WAYS: dict[str, tuple[str, Callable[[Finding], str | None]]] = {
    "trust": (f"let Lambda assume {ROLE}", _trust),
    "denied": (f"take the policy {{policy}} away from {ROLE}", _take_policy_away),
    "wrong key": (f"delete {TABLE}, with all that is in it", _delete_table),
    "may not run": (f"take the limit of concurrency away from {FUNCTION}", _let_run),
    "disabled": (f"enable {RULE}", _enable),
    "permission": ("make room for the permission of lesson 4", _remove_permission),
}
#: Kinds for which that is all.
ENOUGH = frozenset({"trust", "may not run", "disabled", "denied"})
