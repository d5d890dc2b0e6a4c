"""python -m helpers.local_aws start | status | env [--json] | run | seams | stop [--forget] | export | import FILE"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from helpers.errors import WorkbookError

from . import lifecycle


def main(arguments: list[str] | None = None) -> int:
    try:
        options = _parser().parse_args(arguments)
        return _COMMANDS[options.command](options)
    except WorkbookError as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("helpers"):
            raise
        print(_wrong_python(error.name), file=sys.stderr)
        return 2


def _wrong_python(module: str) -> str:
    own = r".venv\Scripts\python" if os.name == "nt" else ".venv/bin/python"
    return (
        f"This Python ({sys.executable}) has no {module}, which the embedded AWS needs. Use the workbook's own: "
        f"{own} -m helpers.local_aws (python3 -m helpers progress makes it)."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m helpers.local_aws",
        description="An AWS account on this machine, for this workbook: no network, no cost.",
    )
    parser.add_argument(
        "command",
        choices=sorted(_COMMANDS),
        help="start: in the background, or attach; status: whether it runs, and where; stop: end it and keep the "
        "account; run: in the foreground; env: variables for a shell; seams: the places of moto that are changed, and "
        "which of them the installed moto has otherwise; export FILE: write what is in the account to a file, for "
        "another version of the workbook or another machine; import FILE: make what is in such a file and not in the "
        "account",
    )
    parser.add_argument("file", nargs="?", type=Path, help="export, import: the file")
    parser.add_argument("--port", type=_port, help="listen on this port (default: one that is free)")
    parser.add_argument("--json", action="store_true", help="env: one JSON object instead of shell commands")
    parser.add_argument("--forget", action="store_true", help="stop: remove the account too; the next one is new")
    parser.add_argument("--home", help=argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    """Read a port. Raises WorkbookError."""
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65535:
        raise WorkbookError(f"--port {text} is no port; it must be a number from 1024 to 65535, or be left out.")
    return int(text)


def _start(options: argparse.Namespace) -> int:
    account = lifecycle.start(options.port)
    print(f"{'Started' if account.started else 'Already running'}: {_describe(account)}")
    return 0


def _status(options: argparse.Namespace) -> int:
    account = lifecycle.status()
    print(f"Running: {_describe(account)}" if account else "Not running.")
    return 0 if account else 1


def _env(options: argparse.Namespace) -> int:
    """Print the variables, for a shell or as JSON; starts the server, which whoever asks for them wants to use."""
    variables = lifecycle.start(options.port).environment()
    if options.json:
        print(json.dumps(variables, indent=2))
    elif os.name == "nt":
        print("\n".join(f'$Env:{name} = "{value}"' for name, value in variables.items()))
    else:
        print("\n".join(f"export {name}='{value}'" for name, value in variables.items()))
    return 0


def _run(options: argparse.Namespace) -> int:
    """Run in the foreground until Ctrl-C. With --home it is the process that `start` has launched."""
    from . import server

    if options.home:
        return server.main(options.home, options.port or 0)
    place = lifecycle.home()
    place.make()
    with place.lock():
        running = lifecycle.status()
        if running:
            raise WorkbookError(f"Already running: {_describe(running)}")
    print(
        "Running in the foreground; Ctrl-C ends it. In another shell: python -m helpers.local_aws env",
        flush=True,
    )
    return server.main(str(place.path), options.port or 0)


def _stop(options: argparse.Namespace) -> int:
    before = lifecycle.has_account()
    stopped = "Stopped." if lifecycle.stop(forget=options.forget) else "Not running."
    then = "The account is removed." if options.forget else "The account is kept: the next start goes on with it."
    print(f"{stopped} {then}" if before else stopped)
    return 0


def _seams(options: argparse.Namespace) -> int:
    """Print the places of moto that are changed; 1 when the installed moto has other source at one of them."""
    try:
        from .seams import table
    except ImportError as error:
        print(f"moto {version('moto')} does not have what the account imports from it: {error}.")
        return 1
    text, same = table.report()
    print(text)
    return 0 if same else 1


def _export(options: argparse.Namespace) -> int:
    """Write the account to a file, and say what is not in it."""
    from .transfer import command, older

    with older.opened() as access:
        command.export(access, _file(options), print)
    return 0


def _import(options: argparse.Namespace) -> int:
    """Make what is in a file; the account runs then, as after `start`."""
    from .transfer import command

    command.bring(lifecycle.start(options.port), _file(options), print)
    return 0


def _file(options: argparse.Namespace) -> Path:
    if options.file is None:
        raise WorkbookError(f"Which file? python -m helpers.local_aws {options.command} FILE")
    return Path(options.file)


def _describe(account: lifecycle.Access) -> str:
    return f"{account.endpoint_url} (account {account.account_id}, {account.region}, process {account.pid})"


_COMMANDS = {
    "start": _start, "status": _status, "env": _env, "run": _run, "seams": _seams, "stop": _stop, "export": _export,
    "import": _import,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
