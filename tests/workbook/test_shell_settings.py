"""What a terminal evaluates to speak to the notebooks' account: where it leads then, and what it never prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.lab import shell_settings
from helpers.paths import PROJECT
from tests.support.embedded_aws import Aws, own_home

SECRET = "wJalrXUtnFEMI-a-learners-own-secret"
LEARNERS = {  # whatever of this remained would lead elsewhere, or stop the CLI
    "AWS_PROFILE": "work",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": "a-learners-own-token",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "AWS_PAGER": "less",
}
ASK = """
eval "$("$PYTHON" -m helpers.lab.shell_settings)"
aws sts get-caller-identity --query Account --output text
aws sqs list-queues
aws --version 2>&1
printf '%s\\n' "$AWS_PAGER"
"""
bash = pytest.mark.skipif(os.name == "nt" or not shutil.which("bash"), reason="the settings are for bash")


@pytest.fixture
def environment(aws: Aws) -> dict[str, str]:
    """That of a terminal in which nothing is set yet, and whose embedded AWS is the tests'."""
    with own_home(aws._home):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKBOOK_"))}
    return kept | {"PYTHONPATH": str(PROJECT), "PYTHON": sys.executable}


def settings(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "helpers.lab.shell_settings", *options]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)


@bash
def test_a_terminal_with_settings_of_its_own_is_led_to_the_embedded_aws(aws, environment):
    own_cli = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    command = [shutil.which("bash"), "-euc", ASK]
    done = subprocess.run(command, env=environment | LEARNERS | own_cli, capture_output=True, text=True)
    account, *_, version, pager = done.stdout.splitlines()
    assert account == aws.account.account_id, done.stderr
    assert version.startswith("aws-cli/") and pager == "less" and done.returncode == 0, done.stderr
    assert "The AWS CLI in this terminal: Local AWS, account" in done.stderr


def test_nothing_of_the_learners_own_is_printed(aws, environment):
    done = settings(environment | LEARNERS)
    assert SECRET not in done.stdout + done.stderr and "a-learners-own-token" not in done.stdout + done.stderr
    assert "unset AWS_SESSION_TOKEN" in done.stdout.splitlines() and "AWS_PAGER" not in done.stdout
    assert not any(line.startswith("#") for line in done.stdout.splitlines())  # zsh would stumble over it

    elsewhere = {"WORKBOOK_TARGET": "endpoint", "AWS_ENDPOINT_URL": aws.account.endpoint_url}
    keys = {"AWS_ACCESS_KEY_ID": aws.account.access_key_id, "AWS_SECRET_ACCESS_KEY": aws.account.secret_access_key}
    done = settings(environment | elsewhere | keys)
    assert done.returncode == 0 and aws.account.secret_access_key not in done.stdout, done.stderr
    assert "function aws" in done.stdout


def test_on_real_aws_the_cli_needs_no_settings(aws, environment, tmp_path):
    account, file = aws.account, tmp_path / "config"
    file.write_text(
        f"[profile sandbox]\nregion = us-east-1\nendpoint_url = {account.endpoint_url}\n"
        f"aws_access_key_id = {account.access_key_id}\naws_secret_access_key = {account.secret_access_key}\n"
    )
    learners = {"AWS_CONFIG_FILE": str(file), "AWS_PROFILE": "sandbox", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    chosen = {"WORKBOOK_TARGET": "aws", "WORKBOOK_ACCOUNT": account.account_id}
    done = settings(environment | learners | chosen)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"AWS account {account.account_id}" in done.stderr

    done = settings(environment | learners | chosen | {"WORKBOOK_ACCOUNT": "210987654321"})
    assert (done.returncode, done.stdout) == (2, "") and len(done.stderr.splitlines()) == 1


def test_the_words_of_each_shell():
    new, gone = {"AWS_CONFIG_FILE": "it's"}, ["AWS_PROFILE"]
    *lines, aws = shell_settings.commands("powershell", new, gone, [])
    assert lines == ["$Env:AWS_CONFIG_FILE = 'it''s'", "Remove-Item Env:AWS_PROFILE -ErrorAction Ignore"]
    assert aws.startswith("function aws {") and "(Get-Command aws -CommandType Application)[0]" in aws
    *lines, aws = shell_settings.commands("cmd", new, gone, ["C:\\my tools\\python.exe", "-m", "awscli"])
    assert lines == ['set "AWS_CONFIG_FILE=it\'s"', 'set "AWS_PROFILE="']
    assert aws.startswith('doskey aws="C:\\my tools\\python.exe" -m awscli ')
    assert shell_settings.commands("bash", new, gone, ["/my tools/python", "-m", "awscli"])[-1].startswith(
        "function aws { '/my tools/python' -m awscli "
    )


def test_the_workbooks_cli_stands_in_where_the_machine_has_none(tmp_path, monkeypatch):
    name = "aws.exe" if os.name == "nt" else "aws"
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert shell_settings.own_cli() == [sys.executable, "-m", "awscli"]
    (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{tmp_path}")
    assert shell_settings.own_cli() == []


def test_git_bash_is_known_by_its_variable(monkeypatch):
    monkeypatch.setattr(shell_settings.os, "name", "nt")
    monkeypatch.delenv("MSYSTEM", raising=False)
    assert shell_settings.usual_shell() == "powershell"
    monkeypatch.setenv("MSYSTEM", "MINGW64")
    assert shell_settings.usual_shell() == "bash"
    assert "export MSYS_NO_PATHCONV=1" in shell_settings.commands("bash", {}, [], [])
