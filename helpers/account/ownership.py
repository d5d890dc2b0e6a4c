"""Find what the workbook would use in a shared account but has not made, and refuse to go on."""

from botocore.exceptions import ClientError

from helpers.account import inventory
from helpers.account import state as account_state
from helpers.errors import WorkbookError
from helpers.target import tagging
from helpers.target.connection import HELP, Target

#: The names that lessons take for their own when they find them: {kind: names}.
_NAMES = {
    "role": {account_state.ROLE},
    "table": {account_state.TABLE},
    "function": {account_state.FUNCTION},
    "rule": {account_state.RULE},
    "archive": {account_state.ARCHIVE},
    "queue": {account_state.DEAD_LETTER_QUEUE, account_state.FAILURE_QUEUE},
}


def refuse_foreign_resources(target: Target) -> None:
    """Raise WorkbookError when the account has something of a lesson's name that this workbook did not make.

    Lesson 5 empties its table: it must be the workbook's own.
    """
    foreign = foreign_resources()
    if foreign:
        several = len(foreign) > 1
        raise WorkbookError(
            f"The account has {', '.join(map(str, foreign))} already, and this workbook did not make "
            f"{'them' if several else 'it'}. Nothing was touched. Set WORKBOOK_PREFIX, such as "
            f"{'team1-' if target.prefix != 'team1-' else 'team2-'}, and start JupyterLab again: then the workbook's "
            "names begin with that.",
            more=HELP,
        )


def foreign_resources() -> list[inventory.Resource]:
    """Return what has the name of a lesson's resource and not the tag. Raises botocore's errors."""
    foreign = []
    for kind in inventory.KINDS:
        for name, resource_id in kind.listed() if kind.name in _NAMES else ():
            if name in _NAMES[kind.name] and _tag(kind, resource_id) != tagging.VALUE:
                foreign.append(inventory.Resource(kind.name, name, resource_id))
    return foreign


def _tag(kind: inventory.Kind, resource_id: str) -> str | None:
    try:
        return kind.tags(resource_id).get(tagging.KEY)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 501):
            return None
        raise
