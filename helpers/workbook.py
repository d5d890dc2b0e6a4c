"""What every lesson's setup cell calls: connect to AWS, build what earlier lessons build, show what is
there.
"""

import os
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from IPython.display import display

from helpers import account_state
from helpers.account_state import AccountState
from helpers.catch_up import catch_up as build_what_is_missing
from helpers.catch_up import lesson_files
from helpers.diagram import Diagram
from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
# Instead of the picture, where only text is shown: JupyterLab before it trusts a notebook, for one.
WITHOUT_THE_PICTURE = "(Run this cell to see the same as a picture.)"


def begin(lesson: str, catch_up: bool = True) -> None:
    """Make this kernel ready for a lesson, named like its file without the ending.

    Afterwards plain `boto3.client(…)` speaks to the embedded AWS, the working directory is the folder of the
    lessons, and the account, which is shown, has all that earlier lessons build. With `catch_up=False` the
    account stays as it is and is not shown. May be called any number of times. Raises WorkbookError, with one
    line that says what to do.
    """
    _refuse_unknown(lesson)
    account = _connect()
    os.environ["WORKBOOK_LESSON"] = lesson  # the checks of exercises speak to AWS only after this
    os.chdir(NOTEBOOKS)  # wherever the kernel was started: a lesson's "../handler.py" is right
    headline = f"Local AWS, account {account.account_id}, region {account.region}. Nothing here costs money."
    state = _caught_up(lesson, len(headline)) if catch_up else None
    print(headline)
    if state:
        diagram = Diagram(state, instead=WITHOUT_THE_PICTURE)
        print(diagram)  # JupyterLab gives an SVG no alternative text: here it is, for everybody
        display(diagram)


def connect_to(account: lifecycle.Account) -> None:
    """Point this process's boto3 at the account and at nothing else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # profiles, tokens, endpoints of single services: whatever could lead to another account
    os.environ.update(account.environment())
    host = account.endpoint_url.split("//")[1].split(":")[0]
    for name in ("NO_PROXY", "no_proxy"):  # requests to this machine must not go through a proxy
        hosts = [known for known in os.environ.get(name, "").split(",") if known]
        os.environ[name] = ",".join(hosts if host in hosts else [*hosts, host])
    boto3.setup_default_session()  # a session from before remembers what it was given then


def picture() -> Diagram:
    """What the account has now, as the last expression of a cell shows it."""
    return Diagram(account_state.read())


def _refuse_unknown(lesson: str) -> None:
    target = os.environ.get("WORKBOOK_TARGET") or "local"
    if target != "local":
        raise WorkbookError(
            f"WORKBOOK_TARGET is {target!r}, but this version of the workbook has only its embedded AWS; "
            "real AWS comes with a later one. Unset it, then start JupyterLab again."
        )
    lessons = [path.stem for path in lesson_files(NOTEBOOKS)]
    if lesson not in lessons:
        raise WorkbookError(f"There is no lesson {lesson!r}. The lessons are: {', '.join(lessons)}.")


def _caught_up(lesson: str, width: int) -> AccountState:
    try:
        return build_what_is_missing(lesson, NOTEBOOKS, lambda earlier: _announce(earlier, width))
    except (BotoCoreError, ClientError) as error:
        raise WorkbookError(
            f"The embedded AWS does not answer as it should: {error} "
            "Start it afresh with: python -m helpers.local_aws stop, then run this cell again.",
            more="the-account-does-not-answer",
        ) from error


def _connect() -> lifecycle.Account:
    """Start or find the embedded AWS, and connect this process to it."""
    try:
        account = lifecycle.start()
    except lifecycle.LocalAwsError as error:
        raise WorkbookError(str(error)) from error
    connect_to(account)
    return account


def _announce(lesson: str, width: int) -> None:
    """Say which lesson's cells are running, in place: the headline that follows covers it."""
    print(f"Catching up: {lesson} …"[:width].ljust(width), end="\r", flush=True)
