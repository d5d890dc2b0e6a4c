"""`python3 -m helpers shell-settings`: what a terminal needs so that the AWS CLI speaks to the notebooks' account.

It prints commands for the shell to evaluate, and on stderr one line about where they lead:

    eval "$(python3 -m helpers shell-settings)"                         bash, zsh
    python -m helpers shell-settings | Out-String | Invoke-Expression   PowerShell

They are the difference that connecting makes to the environment of a notebook, so a terminal and a kernel can never
mean different accounts. On real AWS there is none to make, and no credentials of the learner's are ever printed.

A function `aws` comes with them. It starts the workbook's own AWS CLI where the machine has none, and names the address
in each call: version 1 of the AWS CLI asks AWS_ENDPOINT_URL for every service but Amazon SQS.
"""

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.target import connection

BASH, POWERSHELL, CMD = SHELLS = ("bash", "powershell", "cmd")
#: How somebody likes to read answers leads nowhere else; all other AWS_ variables could.
_HARMLESS = ("AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_CLI_")
_PROXY = ("NO_PROXY", "no_proxy")
_URL = "AWS_ENDPOINT_URL"


def main(options: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 2, and nothing on stdout, in trouble that the learner can mend."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers shell-settings",
        description="Print what leads the AWS CLI in a terminal to the account of the notebooks.",
    )
    parser.add_argument("--shell", choices=SHELLS, default=usual_shell(), help="bash is for zsh, too")
    shell = parser.parse_args(options).shell
    before = dict(os.environ)
    try:
        target = connection.connect()
    except WorkbookError as error:
        print(error, file=sys.stderr)
        return 2
    if target.kind != connection.AWS:
        print("\n".join(commands(shell, *difference(before, os.environ), own_cli())))
    print(f"The AWS CLI in this terminal: {target}", file=sys.stderr)
    return 0


def usual_shell() -> str:
    """Return the shell that most people type into here. (Git Bash says so in a variable.)"""
    return POWERSHELL if os.name == "nt" and "MSYSTEM" not in os.environ else BASH


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what has to be set, and what unset, to come from one environment to the other."""
    ours = [name for name in {**before, **after} if name.startswith("AWS_") or name in _PROXY]
    ours = sorted(name for name in ours if not name.startswith(_HARMLESS))
    new = {name: after[name] for name in ours if name in after and after[name] != before.get(name)}
    return new, [name for name in ours if name not in after]


def own_cli() -> list[str]:
    """Return how to start the workbook's AWS CLI; empty when the machine has one itself, or there is none.

    On the PATH of this process the workbook's programs come first; on that of the terminal they need not be at all.
    """
    workbooks = Path(sys.executable).parent
    path = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder and Path(folder) != workbooks]
    if shutil.which("aws", path=os.pathsep.join(path)) or not find_spec("awscli"):
        return []
    return [sys.executable, "-m", "awscli"]


def commands(shell: str, new: Mapping[str, str], gone: list[str], cli: list[str]) -> list[str]:
    """Return the lines that a shell evaluates. No comments among them: zsh takes none at the prompt."""
    if shell == POWERSHELL:
        lines = [f"$Env:{name} = {_quoted(value)}" for name, value in new.items()]
        lines += [f"Remove-Item Env:{name} -ErrorAction Ignore" for name in gone]
        program = " ".join(map(_quoted, cli)) or "(Get-Command aws -CommandType Application)[0]"
        return [*lines, f"function aws {{ & {program} --endpoint-url $Env:{_URL} @args }}"]
    if shell == CMD:
        lines = [f'set "{name}={value}"' for name, value in new.items()] + [f'set "{name}="' for name in gone]
        program = f'"{cli[0]}" {" ".join(cli[1:])}' if cli else "aws"
        return [*lines, f"doskey aws={program} --endpoint-url %{_URL}% $*"]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in new.items()]
    lines += [f"unset {name}" for name in gone]
    if os.name == "nt":  # or Git Bash makes a path of Windows of /aws/lambda/sample-function
        lines.append("export MSYS_NO_PATHCONV=1")
    program = shlex.join(cli) or "command aws"
    return [*lines, f'function aws {{ {program} ${{{_URL}:+--endpoint-url=${_URL}}} "$@"; }}']


def _quoted(value: str) -> str:
    """Quote a text so that PowerShell takes it literally."""
    return "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    sys.exit(main())
