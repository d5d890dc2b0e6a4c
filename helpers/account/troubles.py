"""Name what can be wrong with the service that the lessons build, and what puts it right: one table for all of it."""

import re
from dataclasses import dataclass

from helpers.account.state import (
    DEAD_LETTER_QUEUE,
    FAILURE_QUEUE,
    FUNCTION,
    NARROW_POLICY,
    ROLE,
    RULE,
    TABLE,
    Finding,
)

_DEPLOY = r"update_function_code\(|create_function\("
_SETTINGS = r"update_function_configuration\(|create_function\("
_ATTACH = r"attach_role_policy\("


@dataclass(frozen=True)
class Kind:
    """One thing that can be wrong.

    part: of PARTS, where the picture shows it; label: a few words for there; sentence: what is wrong, with the
    finding's facts in braces; made_by: what the cell contains that makes it right; remedy: a sentence with {where} for
    that cell's lesson and section; suspected: it need not be wrong, so that it is said only when something does not
    come; keeps: whether putting it right changes something that the learner may have wanted so.
    """

    part: str
    label: str
    sentence: str
    made_by: str
    remedy: str = "{where} puts it right."
    suspected: bool = False
    keeps: bool = True


def _absent(part: str, sentence: str, made_by: str, does: str) -> Kind:
    """Return the kind for a part that is not there: the picture shows that in its own way."""
    return Kind(part, "", sentence, made_by, f"{{where}} {does}.", suspected=True, keeps=False)


KINDS = {
    # the role
    "trust": Kind(
        "role", "Lambda may not assume it", f"{ROLE} does not let Lambda assume it: its trust policy is another.",
        r"sts:AssumeRole", "{where} has the right one; iam.update_assume_role_policy gives it to the role.",
    ),
    "may not store": Kind(
        "policies", "may not store orders", f"{ROLE} may not put items into {TABLE}.", _ATTACH, keeps=False,
    ),
    "may not store, narrowly": Kind(
        "policies", "may not store orders", f"{ROLE} may not put items into {TABLE}: its policy {NARROW_POLICY} allows "
        "something else.", rf'PolicyName="{NARROW_POLICY}"',
    ),
    "denied": Kind(
        "policies", "a policy denies it", f"{ROLE} may not put items into {TABLE}: its policy {{policy}} denies it.",
        _ATTACH, "Take that policy away; {where} has those that are needed.",
    ),
    "may not log": Kind("policies", "may not write logs", f"{ROLE} may not write logs.", _ATTACH, keeps=False),
    # the table
    "wrong key": Kind(
        "table", "wrong key", f"{TABLE} has the key {{key}}, and orders need OrderId, a string.", r"create_table\(",
        "Delete the table, with all that is in it; then {where} creates it anew.",
    ),
    # the function
    "syntax error": Kind(
        "function", "syntax error", f"{FUNCTION} does not run: SyntaxError in {{file}}, line {{line}}: {{problem}}.",
        _DEPLOY,
    ),
    "no handler file": Kind(
        "function", "no handler file", f"{FUNCTION} does not run: its package has no {{file}}, which its handler "
        "{handler} names.", _DEPLOY,
    ),
    "no handler function": Kind(
        "function", "wrong handler", f"{FUNCTION} does not run: its handler {{handler}} names a function {{function}}, "
        "and {file} has none.", _DEPLOY,
    ),
    "bad handler": Kind(
        "function", "wrong handler", f"{FUNCTION} does not run: its handler {{handler}} is not of the form "
        "file.function.", _SETTINGS,
    ),
    "does not start": Kind("function", "does not start", f"{FUNCTION} does not run: {{error}}.", _DEPLOY),
    "cut off": Kind(
        "function", "cut off", f"{FUNCTION} was cut off the last time: {{error}}.", _SETTINGS, suspected=True,
    ),
    "not active": Kind("function", "not active", f"{FUNCTION} is not ready: {{error}}.", _DEPLOY),
    "no role": Kind(
        "function", "another role", f"{FUNCTION} runs as {{role}}, not as {ROLE}.", _SETTINGS,
    ),
    "no such table": Kind(
        "function", "no such table", f"{FUNCTION} stores orders in {{table}}, as its TABLE_NAME says, and there is no "
        "such table.", _SETTINGS,
    ),
    "another table": Kind(
        "function", "another table", f"{FUNCTION} stores orders in {{table}}, as its TABLE_NAME says, not in {TABLE}.",
        _SETTINGS,
    ),
    "may not run": Kind(
        "function", "reserved concurrency 0", f"{FUNCTION} may not run at all: its reserved concurrency is 0.",
        r"delete_function_concurrency\(", "{where} takes that limit away.",
    ),
    "other code": Kind(
        "function", "other code", f"{FUNCTION} runs other code than handler.py.", _DEPLOY, suspected=True,
    ),
    "failures: no queue": Kind(
        "failure-destination", "no queue", f"{FUNCTION} sends what failed to {{queue}}, and there is no such queue.",
        rf'"{FAILURE_QUEUE}"', "{where} makes it.", keeps=False,
    ),
    # the rule
    "disabled": Kind("rule", "disabled", f"{RULE} is disabled.", r"put_rule\(", "{where} enables it."),
    "no pattern": Kind("rule", "no pattern", f"{RULE} has no event pattern, so that no event matches.", r"put_rule\("),
    "pattern": Kind(
        "rule", "wants no orders", f"{RULE} does not match the lessons' orders: {{fields}} differs in its pattern.",
        r"put_rule\(",
    ),
    "target": Kind(
        "target", "another target", f"{RULE} has {{target}} as its target, not {FUNCTION}.", r"put_targets\(",
    ),
    "permission": Kind(
        "permission", "for another rule", f"{RULE} may not invoke {FUNCTION}: the permission is for {{source}}.",
        r"add_permission\(", "{where} gives the right one; one with the same StatementId has to go first.",
    ),
    "dead letters: no queue": Kind(
        "dead-letter-queue", "no queue", f"{RULE} parks what it cannot deliver in {{queue}}, and there is no such "
        "queue.", rf'"{DEAD_LETTER_QUEUE}"', "{where} makes it.", keeps=False,
    ),
    # what is not there; said only when something does not come
    "no role at all": _absent("role", f"There is no role {ROLE}.", r"create_role\(", "creates it"),
    "no policies": _absent("policies", f"{ROLE} has too few policies.", _ATTACH, "attaches them"),
    "no table": _absent("table", f"There is no table {TABLE}.", r"create_table\(", "creates it"),
    "no function": _absent("function", f"There is no function {FUNCTION}.", _DEPLOY, "creates it"),
    "no rule": _absent("rule", f"There is no rule {RULE}.", r"put_rule\(", "creates it"),
    "no target": _absent("target", f"{RULE} has no target.", r"put_targets\(", "gives it one"),
    "no permission": _absent(
        "permission", f"{RULE} may not invoke {FUNCTION}.", r"add_permission\(", "gives the permission"
    ),
}  # fmt: skip
#: What is said of a part that is not there.
ABSENT = {
    "role": "no role at all",
    "policies": "no policies",
    "table": "no table",
    "function": "no function",
    "rule": "no rule",
    "target": "no target",
    "permission": "no permission",
}


def sentence(finding: Finding) -> str:
    """Return in one sentence what is wrong."""
    return " ".join(KINDS[finding.kind].sentence.format(**finding.facts).split())


def facts_of(kind: str) -> set[str]:
    """Return the names of the facts that a kind's sentence leaves open."""
    return set(re.findall(r"\{(\w+)\}", KINDS[kind].sentence))
