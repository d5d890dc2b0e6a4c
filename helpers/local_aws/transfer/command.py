"""Export and import the account as a whole, part by part, and say what was carried over and what was not."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from helpers.errors import WorkbookError

from . import buses, functions, iam, others, queues, stacks, tables
from .container import FORMAT, Reader, Writer
from .parties import Account, reason

Say = Callable[[str], None]

_TAKEN: tuple[tuple[str, Callable[[Account, Writer], None]], ...] = (
    ("stacks", stacks.take),
    ("IAM", iam.take),
    ("queues", queues.take),
    ("topics", queues.take_topics),
    ("tables", tables.take),
    ("log groups", others.take_log_groups),
    ("functions", functions.take),
    ("event buses and rules", buses.take),
    ("alarms", others.take_alarms),
)
#: In the order in which one needs the other.
_BROUGHT: tuple[tuple[str, Callable[[Account, Reader], None]], ...] = (
    ("IAM", iam.bring),
    ("queues", queues.bring),
    ("event buses", buses.bring_buses),
    ("log groups", others.bring_log_groups),
    ("stacks", stacks.bring),
    ("tables", tables.bring),
    ("functions", functions.bring),
    ("topics", queues.bring_topics),
    ("event sources", functions.bring_mappings),
    ("rules", buses.bring_rules),
    ("alarms", others.bring_alarms),
)


def export(access: Any, path: Path, say: Say) -> None:
    """Write the account to a file that is not there yet. Raises WorkbookError.

    access: where the account is and what opens it; say: tells the user one line.
    """
    if path.exists():
        raise WorkbookError(f"{path} is there already: give another name, or move it away.")
    account = Account(access, say)
    try:
        with Writer(path) as file:
            file.put("manifest.json", {"format": FORMAT, "moto": version("moto")})
            stacks.look(account)
            for what, take in _TAKEN:
                account.attempt(f"all {what}", take, account, file)
            account.attempt("the buckets", others.say_what_buckets_are_left, account)
    except OSError as error:
        raise WorkbookError(f"{path} cannot be written: {error.strerror or error}.") from None
    say(f"Written to {path}: {_sum(account)}. Who can read it can read your functions' environment variables, too.")


def bring(access: Any, path: Path, say: Say) -> None:
    """Make in the account what is in a file and is not there yet. Raises WorkbookError."""
    file = Reader(path)
    account = Account(access, say)
    try:
        for what, part in _BROUGHT:
            try:
                account.attempt(f"the rest of the {what}", part, account, file)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise file.wrong(f"what it says of {what} has another shape ({reason(error)})") from None
    finally:
        file.close()
    say(f"Imported: {_sum(account)}.")


def _sum(account: Account) -> str:
    """Return how much of what, such as "queues 3, tables 1"."""
    found = [f"{what} {number}" for what, number in account.carried.items() if number]
    return ", ".join(found) or "nothing"
