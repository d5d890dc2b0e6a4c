"""The page to print: what it says, what it escapes, and that it needs nothing but the account and the record."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest
from botocore.exceptions import EndpointConnectionError

from helpers.account.state import AccountState
from helpers.errors import WorkbookError
from helpers.exercises import certificate, certificates, last_lesson, overview, record
from helpers.exercises.overview import Exercise, Row
from helpers.paths import PROJECT

ROLE = Row("01_role.ipynb", "1. Create <it>", ("role", "policies"), ("policies",), (
    Exercise("01-1", "Four roles & more", 3, "2026-11-23"), Exercise("01-2", "A role for two", 1, ""),
), begun=True)  # fmt: skip
TABLE = Row("02_table.ipynb", "2. Table", ("table",), (), ())  # caught up, never begun
ORDERS = Row(
    "05_orders.ipynb", "5. Send", ("orders:X-001..X-200",), (), (Exercise("05-1", "Batches", 1, "<i>"),),
    begun=True, built_on="2026-11-29",
)  # fmt: skip
CLEAN_UP = Row("99_clean_up.ipynb", "99. Clean up", (), (), ())
LESSONS = [ROLE, TABLE, ORDERS, CLEAN_UP]
DAY = date(2026, 11, 30)


def no_account():
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def own_record(monkeypatch, tmp_path):
    """What is remembered is this test's own; no account is there."""
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(overview.account_state, "read", no_account)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(page: str) -> str:
    """What a reader of the page sees, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).split())


def test_it_says_what_is_built_and_solved_and_what_is_not():
    said = words(certificates.page("Ada", LESSONS, DAY, account_seen=True))
    assert "Certificate Ada has worked on" in said
    assert "1. Create &lt;it&gt; role microservice-role; not there: its policies" in said
    assert "5. Send orders X-001 to X-200: seen on 2026-11-29" in said
    assert "2. Table" not in said and "99. Clean up" not in said, "they were not begun"
    assert "Built: 1 of the 3 lessons that build something" in said
    assert "Exercises: 2 of 3 solved" in said
    assert "01-1 Four roles &amp; more solved on 2026-11-23, checked in 3 tries" in said
    assert "01-2 A role for two not solved yet" in said and "checked in 1 try" in said
    assert "Made on 2026-11-30" in said and "nobody has supervised" in said


def test_it_says_when_the_account_was_not_seen():
    unseen = [replace(row, absent=row.parts, seen=False) for row in LESSONS]
    said = words(certificates.page("Ada", unseen, DAY, account_seen=False))
    assert certificates.UNSEEN in said and "microservice-role" not in said and "01-1" in said
    assert "1. Create &lt;it&gt; nothing was seen of it" in said and "to X-200: seen on 2026-11-29 " in said


def test_it_credits_what_was_deleted_and_not_what_a_setup_cell_built():
    role = replace(ROLE, built_on="2026-11-28")
    rows = [
        replace(role, absent=role.parts), replace(TABLE, begun=True, caught_up=True),
        replace(role, title="Partly"), replace(CLEAN_UP, begun=True, built_on="2026-11-30"),
        Row("06_look.ipynb", "6. Look", (), (), (), begun=True),
    ]  # fmt: skip
    said = words(certificates.page("Ada", rows, DAY, account_seen=True))
    assert "1. Create &lt;it&gt; role microservice-role, its policies: seen on 2026-11-28; deleted since" in said
    assert "Partly role microservice-role, its policies: seen on 2026-11-28; not there now: its policies" in said
    assert "2. Table not built by the learner: a later lesson's setup cell did" in said
    assert "99. Clean up cleaned up: seen on 2026-11-30" in said and "6. Look builds nothing that stays" in said
    assert "Built: 2 of the 3 lessons that build something" in said
    assert "No lesson has been begun yet." in words(certificates.page("Ada", [TABLE], DAY, account_seen=True))


def test_everything_is_escaped():
    page = certificates.page('<script>alert("x")</script> & Söhne', LESSONS, DAY, account_seen=True)
    assert "<script" not in page and "<i>" not in page and "<it>" not in page
    assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne") == 2


def test_it_needs_nothing_else_and_is_the_same_each_time():
    page = certificates.page("Ada", LESSONS, DAY, account_seen=True)
    assert page == certificates.page("Ada", LESSONS, DAY, account_seen=True)
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import|https?:", page)
    assert f"background: {certificates.PAPER}" in page, "light on paper, whatever the browser's theme"


def test_it_is_written_beside_the_lessons(own_record):
    record.remember("01-1", solved=True)
    made = certificate("  Ada \n Lovelace ")
    assert made.path == own_record / "certificate.html"
    counts = r"Built: 0 of the \d+ lessons that build something\. Exercises solved: 1 of \d+\. "
    assert re.fullmatch(re.escape(f"{made.path}: ") + counts + re.escape(certificates.UNSEEN), repr(made))
    assert '<a href="certificate.html"' in made._repr_html_()
    page = words(made.path.read_text(encoding="utf-8"))
    assert "Ada Lovelace" in page and re.search(r"01-1 \S.+? solved on \d{4}-\d\d-\d\d, checked in 1 try", page)


def test_what_was_seen_once_stays_on_the_page(own_record, monkeypatch):
    last_lesson.remember("01_create_the_role")
    parts = {"role", "policies"}
    monkeypatch.setattr(overview.account_state, "read", lambda: AccountState(frozenset(parts)))
    assert re.match(r"Built: 1 of the \d+ lessons that build something\. Exercises solved: 0", certificate("Ada").line)
    parts.clear()
    made = certificate("Ada")
    assert made.line.startswith("Built: 1 of ")
    page = words(made.path.read_text(encoding="utf-8"))
    assert f"role microservice-role, its policies: seen on {record.today()}; deleted since" in page


@pytest.mark.parametrize("name", ["", " \n", "x" * 101, None, 7, "\u200b", "a\x1bb", "\ud83d"])
def test_a_name_that_is_none_is_refused_in_one_line(name, own_record):
    with pytest.raises(WorkbookError, match="A certificate needs a name"):
        certificate(name)
    assert not (own_record / "certificate.html").exists()


def test_a_folder_that_is_gone_is_told_in_one_line(own_record):
    with pytest.raises(WorkbookError, match=r"certificate\.html cannot be written: "):
        certificates.write("Ada", own_record / "gone", None)


def test_a_record_that_somebody_has_edited_spoils_nothing(own_record):
    record.remember("01-1", solved=True)
    path = record.folder() / "progress.json"
    path.write_text(json.dumps({"01-1": {"tries": 2, "solved": ["<b>"]}}), encoding="utf-8")
    assert "<b>" not in certificate("Ada").path.read_text(encoding="utf-8")


def test_git_does_not_see_it():
    assert "certificate.html" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_command_makes_one_and_starts_no_account(own_record, monkeypatch):
    mine = own_record / "mine"
    environment = {**os.environ, "LOCAL_AWS_HOME": str(own_record / "aws"), "WORKBOOK_MY_LESSONS": str(mine)}
    code = (
        "import pathlib; from helpers.exercises import __main__ as command; "
        f"command.NOTEBOOKS = pathlib.Path({str(own_record)!r}); raise SystemExit(command.main())"
    )
    for folder in (own_record, mine / "notebooks"):  # beside the learner's own lessons, once there are some
        run = subprocess.run(
            [sys.executable, "-c", code, "--certificate", "Ada"],
            cwd=PROJECT, env=environment, capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert "certificate.html: " in run.stdout and "is not running" in run.stdout
        assert "Ada" in (folder / "certificate.html").read_text(encoding="utf-8")
        (mine / "notebooks").mkdir(parents=True, exist_ok=True)
    assert not (own_record / "aws" / "server.json").exists()
