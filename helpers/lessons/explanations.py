"""Explain a foreseeable error of a cell in a line or two: what it means, and what to do.

What a lesson breaks on purpose it catches itself, so none of that comes here.
"""

import ast
import builtins
import difflib
import linecache
import os
import re
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from helpers.errors import WorkbookError
from helpers.lessons import diagnosis, missing_names, sections
from helpers.local_aws import lifecycle
from helpers.target import aws_trouble
from helpers.target.connection import LOCAL
from helpers.target.proven_connections import NotTheAccount

ABOVE_MENU = "Run → Run All Above Selected Cell"  # JupyterLab's words
ABOVE = f"Run the cells above this one first: {ABOVE_MENU}."
SETUP = "Run the setup cell at the top of the lesson, then this cell again."
_BUILTINS = {name for name in dir(builtins) if len(name) > 4}  # `sent` is no misspelled `set`
#: What the embedded AWS's learner is told in place of what concerns an account of one's own.
_LOCAL_LINES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.NoRegionError),
        f"No lesson has begun in this kernel, so boto3 does not know which AWS to ask. {SETUP}",
    ),
    (
        (exceptions.InvalidRegionError, exceptions.UnknownRegionError),
        "There is no such region. The account of the lessons is in us-east-1, which the setup cell sets: leave the "
        "region out.",
    ),
    (
        (exceptions.ProfileNotFound,),
        f"The lessons need no profile, and the account has none. {SETUP}",
    ),
)


def lines(error: BaseException, known: Mapping[str, Any]) -> list[str]:
    """Return the lines to show for an error; none for one that is not foreseeable. `known`: the names of the kernel."""
    if isinstance(error, WorkbookError) or _came_of_another(error):
        return []  # it is such a line itself; or there is more to see
    found = _explained(error, known)
    return [*found, *getattr(error, "__notes__", ())] if found else []


def _explained(error: BaseException, known: Mapping[str, Any]) -> list[str]:
    gap = _gap(error)
    if gap:
        return [gap]
    if isinstance(error, KeyboardInterrupt):
        return _about_stop(error)
    if isinstance(error, NameError):
        return _about_name(error.name or "", known, error) if _is_unknown_in_cell(error) else []
    if isinstance(error, (BotoCoreError, ClientError)):
        line = _about_aws(error)
        return [line] if line else []
    return []


def _about_stop(error: KeyboardInterrupt) -> list[str]:
    """Say where a cell was stopped, if that was deep in what it calls: nobody asks for the way there."""
    where = list(_frames(error.__traceback__))
    lines = [each.tb_lineno for each in where if _is_cell(each.tb_frame.f_globals)]
    if not lines or _is_cell(where[-1].tb_frame.f_globals):
        return []
    return [f"KeyboardInterrupt: the cell was stopped in its line {lines[-1]}. Run it again when you like."]


def _came_of_another(error: BaseException) -> bool:
    """Return whether a cell's own lines had another error before this one; AWS's errors have some from inside boto3."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return before is not None and any(_is_cell(each.tb_frame.f_globals) for each in _frames(before.__traceback__))


def _is_unknown_in_cell(error: NameError) -> bool:
    """Return whether Python itself did not know a name that a cell uses: not a module, nor a variable without value."""
    where = list(_frames(error.__traceback__))
    return str(error) == f"name {error.name!r} is not defined" and (not where or _is_cell(where[-1].tb_frame.f_globals))


def _about_aws(error: BotoCoreError | ClientError) -> str | None:
    if isinstance(error, ClientError) and (line := missing_names.line(error)):
        return line
    if isinstance(error, exceptions.ParamValidationError):
        return _about_parameters(error)
    if (os.environ.get("WORKBOOK_TARGET") or LOCAL) != LOCAL:
        return aws_trouble.in_one_line(error)
    if aws_trouble.is_unreachable(error):
        if not os.environ.get("WORKBOOK_LESSON"):
            return _LOCAL_LINES[0][1]
        asked, home = str(getattr(error, "kwargs", {}).get("endpoint_url", "")), os.environ.get("AWS_ENDPOINT_URL", "")
        if home and not asked.startswith(home):
            return (
                f"Nobody answers at {asked}, where this client asks; the account is at {home}. Run the cell that makes "
                "the client again; it needs no endpoint of its own: boto3.client(…)"
            )
        if isinstance(getattr(error, "kwargs", {}).get("error"), NotTheAccount):
            return (
                "Another program listens where the embedded AWS was, and nothing was sent to it. Run the setup cell: "
                "it starts your account again, as it was."
            )
        if not lifecycle.has_account():
            return (
                "The embedded AWS has ended, and its account was removed. Run the setup cell: it begins a new account; "
                f"then run the cells above this one: {ABOVE_MENU}."
            )
        return "The embedded AWS has ended. Run the setup cell: it starts it again, and your account is as it was."
    if aws_trouble.are_credentials_unknown(error):
        return (
            "The account does not know the credentials of this client: the account is a new one, or the client was "
            "made before the setup cell ran. Run the setup cell, then make the client again: boto3.client(…)"
        )
    if isinstance(error, WaiterError):
        wrong = diagnosis.what_is_wrong()
        return f"{' '.join(str(error).split())} {wrong}" if wrong else None
    return next((line for kinds, line in _LOCAL_LINES if isinstance(error, kinds)), None)


def _about_parameters(error: exceptions.ParamValidationError) -> str:
    """Say which parameter boto3 does not take, as it says itself; most often a dict stands where AWS wants text."""
    told = " ".join(str(error.kwargs.get("report", error)).split())
    line = f"boto3 has not asked AWS, because a parameter is not what the operation takes. {told}"
    if re.search(r"type: <class '(dict|list)'>, valid types: <class 'str'>", told):
        line += ". AWS wants that as text, in JSON: json.dumps(…)"
    return line


def _about_name(name: str, known: Mapping[str, Any], error: NameError) -> list[str]:
    """Say which section defines a name that this kernel does not know, or which one was meant."""
    lesson = diagnosis.lesson()
    cell = sections.defining(name, lesson)
    if cell and sections.comes_first(_source(error), cell):
        return []  # the cell uses it before it, or a later one, defines it: the traceback says where
    if cell and cell.id == sections.SETUP:
        return [f"NameError: {name} is not defined yet: the setup cell has not run in this kernel.", SETUP]
    if cell:
        heading = re.sub(r"^\d+\. ", "", cell.heading)
        return [f"NameError: {name} is not defined yet. A cell in {cell.section}, “{heading}”, defines it.", ABOVE]
    candidates = {*sections.names(lesson), *_BUILTINS, *(each for each in known if not each.startswith("_"))}
    close = difflib.get_close_matches(name, candidates, 1, 0.75)
    if close:
        return [f"NameError: {name} is not defined. Did you mean {close[0]}?"]
    if not os.environ.get("WORKBOOK_LESSON") and diagnosis.may_be_lesson():
        begun = "Run the setup cell at the top of the lesson, and the cells above this one:"
        return [f"NameError: {name} is not defined, and no lesson has begun in this kernel.", f"{begun} {ABOVE_MENU}."]
    return []


def _gap(error: BaseException) -> str | None:
    """Say where a `...` is left that Python or boto3 has stumbled over."""
    if not _names_gap(error) and not _has_gap(missing_names.call(error)[1]):
        return None
    for frame in reversed(list(_frames(error.__traceback__))):
        file = frame.tb_frame.f_code.co_filename
        source = "".join(linecache.getlines(file))
        if not source or not _is_cell(frame.tb_frame.f_globals):
            continue
        found = _ellipses(source)
        if found:
            where = f"line {found[0]}" if len(found) == 1 else f"lines {' and '.join(map(str, found))}"
            return f"There is still a ... in this cell, {where}: put your own value in its place."
    return "There is still a ... among the values: put your own value in its place."


def _names_gap(error: BaseException) -> bool:
    """Return whether Python or boto3 says that there is a `...` where it wants something else."""
    return isinstance(error, (TypeError, AttributeError, BotoCoreError)) and "ellipsis" in str(error).lower()


def _source(error: BaseException) -> str:
    """Return the source of the cell that was run when it failed, or ""."""
    frames = [each.tb_frame for each in _frames(error.__traceback__)]
    run = next((frame.f_code.co_filename for frame in frames if _is_cell(frame.f_globals)), "")
    return "".join(linecache.getlines(run))


def _has_gap(value: Any) -> bool:
    """Return whether there is a `...` in what a call of boto3's was given: some errors do not name it."""
    if isinstance(value, dict):
        return any(map(_has_gap, value.values()))
    return any(map(_has_gap, value)) if isinstance(value, (list, tuple)) else value is ...


def _is_cell(names: Mapping[str, Any]) -> bool:
    return names.get("__name__") == "__main__"


def _ellipses(source: str) -> list[int]:
    """Return the lines of a source in which there is a `...`."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return []
    return sorted({node.lineno for node in nodes if isinstance(node, ast.Constant) and node.value is ...})


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback:
        yield traceback
        traceback = traceback.tb_next
