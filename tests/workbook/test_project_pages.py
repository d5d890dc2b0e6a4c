"""The pages for whoever carries on: what they link to and name is there, and their commands exist."""

from __future__ import annotations

import re

import pytest

from helpers.installing.commands import KNOWN
from helpers.paths import PROJECT

NAMES = ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/ARCHITECTURE.md", "docs/SPEED.md"]
PAGES = {name: (PROJECT / name).read_text(encoding="utf-8") for name in NAMES}
#: Named as what was, may be, or lies outside of this repository.
NOT_HERE = {"notebooks/14_do_something.ipynb", "notebooks/solutions/ex_05_4.py", "../shared/conformance"}
#: A first part of a path by which it is known as one of this repository.
OURS = r"(?:\.\./shared|\.ci|\.github|\.devcontainer|benchmarks|docs|helpers|notebooks|tests)"

every_page = pytest.mark.parametrize("name", PAGES)


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_links_lead_somewhere(name):
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        path = (PROJECT / name).parent / file if file else PROJECT / name
        assert path.exists(), link
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("name", [name for name in PAGES if name != "CHANGELOG.md"])  # it names what was
def test_the_files_that_it_names_are_there(name):
    code = "\n".join(re.findall(r"`([^`\n]+)`", PAGES[name]))
    named = set(re.findall(rf"(?<![\w./-]){OURS}/[\w./-]*\w", code))
    assert not [path for path in sorted(named - NOT_HERE) if not (PROJECT / path).exists()]


@every_page
def test_its_commands_exist(name):
    said = re.findall(r"-m helpers ([a-z-]+)", PAGES[name])
    assert set(said) <= set(KNOWN)


def test_the_table_of_changes_names_tests_that_exist():
    rows = re.findall(r"^\| .+ \| `test (.+?)`.* \|$", PAGES["CONTRIBUTING.md"], re.MULTILINE)
    assert len(rows) > 10
    for arguments in rows:
        for word in arguments.split():
            assert word in ("--all", "PATH") or (PROJECT / word).exists(), arguments


def test_each_hook_of_the_connection_is_explained():
    source = (PROJECT / "helpers" / "target" / "connection.py").read_text(encoding="utf-8")
    installed = re.findall(r"^    (\w+)\.install\(session", source, re.MULTILINE)
    assert installed == re.findall(r"^\| \[`(\w+)`\]", PAGES["docs/ARCHITECTURE.md"], re.MULTILINE)


def test_each_variable_of_the_tests_is_explained():
    texts = [path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("*.py")]
    read = set(re.findall(r'environ(?:\.get\(|\[)"(WORKBOOK_\w+|WRITE_\w+)"', "\n".join(texts)))
    names = ("HOME", "LESSON", "MY_LESSONS", "TARGET", "ACCOUNT", "PREFIX")
    of_learners = {f"WORKBOOK_{name}" for name in names}
    assert read - of_learners <= set(re.findall(r"^\| `(\w+)", PAGES["CONTRIBUTING.md"], re.MULTILINE))
