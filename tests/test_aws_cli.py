"""The AWS CLI does what the lessons do: the very commands that stand in them under "The same in the shell"."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from embedded_aws import PROJECT

from helpers import account_state
from helpers.isolation import throw_away_account

BASH = shutil.which("bash")
AWS = Path(sys.executable).with_name("aws")
FOLD = re.compile(
    r"<details><summary>The same in the shell</summary>\n\n.*?```bash\n(?P<commands>.+?)\n```\n\n</details>", re.DOTALL
)
CONNECT = 'eval "$(.venv/bin/python -m helpers.local_aws env)"\n'  # the lesson's line; here the environment does it
CALL = re.compile(
    r"\.((?:create|put|attach|detach|add)_(?!events|item)\w+|put_function_event_invoke_config)\(", re.ASCII
)

FILES = sorted((PROJECT / "notebooks").glob("[0-9]*.ipynb"))
LESSONS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def shell(notebook: dict) -> str:
    """All commands of a lesson, in their order."""
    texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    return "\n".join(match["commands"] for text in texts for match in FOLD.finditer(text)).replace(CONNECT, "")


@pytest.mark.parametrize("name", LESSONS)
def test_each_step_that_builds_has_its_commands(name):
    """A call of boto3 in a build cell, and its twin in the shell."""
    cells = LESSONS[name]["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if "build" in cell["metadata"].get("tags", []))
    commands = shell(LESSONS[name])
    for call in sorted(set(CALL.findall(source))):
        assert f" {call.replace('_', '-')} " in commands, f"{name} calls {call} and has no command for it"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with handler.py in it, and an empty account that boto3 and the CLI are connected to."""
    if BASH is None or os.name == "nt":
        pytest.skip("the commands are for bash")
    place = tmp_path_factory.mktemp("shell")
    shutil.copy(PROJECT / "handler.py", place)
    with throw_away_account() as account:
        os.environ |= account.environment() | {"AWS_PAGER": "", "PATH": f"{AWS.parent}{os.pathsep}{os.environ['PATH']}"}
        boto3.setup_default_session()
        yield place
    boto3.DEFAULT_SESSION = None


#: Version 1 of the CLI, the one on PyPI, has an address of its own for SQS, as lesson 8 says.
SAME_ENDPOINT = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'


def run(commands: str, folder: Path) -> str:
    command = [BASH, "-euo", "pipefail", "-c", SAME_ENDPOINT + commands]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    return done.stdout


def test_the_tutorial_in_the_shell(folder):
    provided: set[str] = set()
    for name, notebook in LESSONS.items():
        said = run(shell(notebook), folder)
        parts = set(notebook["metadata"].get("workbook", {}).get("provides", [])) & set(account_state.PARTS)
        provided |= parts
        if name == "99_clean_up":
            break
        missing = provided - account_state.read().parts
        assert not missing, f"after the commands of {name} this is missing: {missing}"
        if name == "03_create_the_function":
            assert '{"status": "stored", "orderId": "F-1"}' in said
        if name == "05_send_events":  # by the rule, the function and the table
            item = json.loads(said[said.rindex('{\n    "Item"') :])["Item"]
            assert '"outcome": "stored"' in said and item["Amount"] == {"N": "65.5"}
        if name == "06_explore_the_orders":
            assert '"Count": 1' in said and "desk-lamp" in said
        if name == "12_measure_load_and_cost":
            assert "INSUFFICIENT_DATA" in said or "OK" in said
    assert provided == set(account_state.PARTS)
    assert account_state.read().parts == frozenset()
    assert run("aws iam list-roles --query 'Roles[].RoleName' --output text", folder).strip() == ""
    assert run("aws logs describe-log-groups --query 'logGroups[].logGroupName' --output text", folder).strip() == ""
