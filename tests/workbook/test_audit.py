"""The audit of dependencies fails for a vulnerability, and not for a service that cannot be asked."""

from __future__ import annotations

import importlib.util

import pytest

from helpers.paths import PROJECT

CLEAN = {"name": "moto", "version": "5.2.5", "vulns": []}
UNKNOWN = {"name": "moto", "skip_reason": "Dependency not found and could not be audited"}
VULNERABLE = {"name": "tornado", "version": "6.0", "vulns": [{"id": "CVE-1", "fix_versions": ["6.5"]}]}


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", PROJECT / ".ci" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("dependencies", "verdict"),
    [
        ([], None),
        ([UNKNOWN, UNKNOWN], None),
        ([CLEAN], (0, "Audit: 1 dependencies, no known vulnerability.")),
        ([CLEAN, UNKNOWN], (0, "Audit: 1 dependencies, no known vulnerability (1 more are unknown to the service).")),
        (
            [CLEAN, VULNERABLE, UNKNOWN],
            (1, "Audit: dependencies with known vulnerabilities. Upgrade them:\ntornado 6.0: CVE-1, fixed in 6.5"),
        ),
    ],
)
def test_what_a_report_means(audit, dependencies, verdict):
    assert audit.judge({"dependencies": dependencies}) == verdict


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ({}, 0, "nothing was checked"),
        ({"pypi": {"dependencies": [UNKNOWN]}}, 0, "nothing was checked"),
        ({"pypi": {"dependencies": [UNKNOWN]}, "osv": {"dependencies": [VULNERABLE]}}, 1, "tornado"),
        ({"pypi": {"dependencies": [VULNERABLE]}}, 1, "tornado"),
        ({"osv": {"dependencies": [CLEAN]}}, 0, "no known vulnerability"),
    ],
)
def test_the_first_service_that_answers_decides(audit, monkeypatch, capsys, answers, status, words):
    monkeypatch.setattr(audit, "ask", answers.get)
    assert audit.main() == status
    assert words in capsys.readouterr().out


def test_a_pip_audit_that_does_not_run_is_no_answer(audit, monkeypatch, tmp_path):
    monkeypatch.setattr(audit.sys, "executable", audit.sys.executable)
    monkeypatch.setattr(audit, "ROOT", tmp_path)  # no requirements.txt there
    assert audit.ask("pypi") is None
