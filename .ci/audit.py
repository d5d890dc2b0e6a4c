"""Has any locked dependency a known vulnerability? Runs pip-audit; run it with a Python that has it.

Exit status: 1 when one has; 0 when none has, or when no service could be asked, which is then said in one line. For
pip-audit itself these differ too little: a registry that knows no advisories counts as a clean bill, and a service that
cannot be reached as a failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Services that publish advisories, as pip-audit names them; the second is asked when the first cannot answer.
SERVICES = ("pypi", "osv")


def main() -> int:
    for service in SERVICES:
        report = ask(service)
        if report is not None and (verdict := judge(report)) is not None:
            status, text = verdict
            print(text)
            return status
    print("Audit: no service that knows of vulnerabilities can be reached from here; nothing was checked.")
    return 0


def ask(service: str) -> dict[str, Any] | None:
    """pip-audit's report on requirements.txt, or None when it has none to give."""
    command = [sys.executable, "-m", "pip_audit", "-r", "requirements.txt", "--no-deps", "--disable-pip"]
    command += ["-s", service, "-f", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report if isinstance(report, dict) else None


def judge(report: dict[str, Any]) -> tuple[int, str] | None:
    """Return the exit status and what to say; None when the service knew no package at all, which is no answer."""
    dependencies = report.get("dependencies") or []
    known = [dependency for dependency in dependencies if "vulns" in dependency]
    if not known:
        return None
    found = [f"{one['name']} {one['version']}: {describe(vuln)}" for one in known for vuln in one["vulns"]]
    unknown = len(dependencies) - len(known)
    if found:
        return 1, "\n".join(["Audit: dependencies with known vulnerabilities. Upgrade them:", *sorted(found)])
    rest = f" ({unknown} more are unknown to the service)" if unknown else ""
    return 0, f"Audit: {len(known)} dependencies, no known vulnerability{rest}."


def describe(vuln: dict[str, Any]) -> str:
    fixed = ", ".join(vuln.get("fix_versions") or []) or "no version yet"
    return f"{vuln['id']}, fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
