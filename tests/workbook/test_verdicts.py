"""check, verdict, reveal and progress: what holds for all exercises, with checkers of this module's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes

from helpers.authoring.isolation import throw_away_account
from helpers.errors import WorkbookError
from helpers.exercises import check, last_lesson, overview, record, reveal, tools, verdict, verdicts
from helpers.exercises.overview import Exercise, Row
from helpers.exercises.verdicts import correct, exercise, not_attempted, wrong
from helpers.paths import PROJECT
from helpers.target import connection
from tests.support.embedded_aws import LAMBDA_TRUST, table_request


@exercise("90-1", takes=(int, (list, tuple)))
def of_two_values(number, names):
    if number != len(names):
        return wrong("You have counted <the gaps>, not the names.", see="event-pattern")
    return correct("One number for each name.")


@exercise("90-2", takes=object)
def of_a_function(function):
    return correct("Doubled.") if tools.call(function, 2) == 4 else wrong("It does not double.")


@exercise("90-3")
def of_the_account():
    table = tools.found(boto3.client("dynamodb"), "describe_table", TableName="exercise-table")
    return correct("It is there.") if table else not_attempted("There is no table yet.")


@exercise("90-4", takes=dict)
def of_a_pattern(pattern):
    return correct("It fits.") if tools.matches(pattern, tools.event({"a": 1})) else wrong("It does not fit.")


@pytest.fixture(autouse=True)
def lesson(monkeypatch, tmp_path):
    """A lesson has begun; what is remembered is this test's own; the checkers above can be found."""
    monkeypatch.setenv("WORKBOOK_LESSON", "00_start_here")
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture(scope="module")
def account():
    with throw_away_account() as account:
        connection.connect_to(account)
        yield account


@pytest.fixture
def shown(monkeypatch):
    said = []
    monkeypatch.setattr(verdicts, "display", said.append)
    return said


# --- the verdict ---


@pytest.mark.parametrize("values", [(..., ["a"]), (1, [...]), (1, [{"a": ...}]), (1, [{...: 1}]), (1, ((...,),))])
def test_a_gap_is_no_attempt(values):
    said = verdict("90-1", *values)
    assert said.outcome == "not attempted" and "..." in said.message


@pytest.mark.parametrize("values, says", [
    (("1", ["a"]), "is a text; this exercise asks for a whole number"),
    ((True, ["a"]), "is True or False; this exercise asks for a whole number"),
    ((1, "a"), "is a text; this exercise asks for a list or a tuple"),
    ((1, None), "is None; this exercise asks"),
])  # fmt: skip
def test_a_value_of_another_type_is_told_what_is_wanted(values, says):
    said = verdict("90-1", *values)
    assert said.outcome == "not yet" and says in said.message


def test_a_check_without_its_values_is_no_attempt():
    assert verdict("90-1", 1).outcome == "not attempted"
    assert "gives 2 value(s)" in verdict("90-1").message


def test_the_functions_own_mistake_is_named_in_one_line():
    def broken(number):
        raise KeyError("a\nb" * 100)

    said = verdict("90-2", broken)
    assert said.outcome == "not yet" and said.message.startswith("Your function raises KeyError: ")
    assert "\n" not in said.message and len(said.message) < 200
    assert verdict("90-2", lambda number: ...).outcome == "not attempted"
    assert verdict("90-2", 5).outcome == "not yet", "no function at all"
    assert verdict("90-2", lambda number: number * 2).correct


def test_live_state_is_read_when_it_is_checked(account):
    assert verdict("90-3").outcome == "not attempted"
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(**table_request("exercise-table", {"a": "S"}))
    assert verdict("90-3").correct
    dynamodb.delete_table(TableName="exercise-table")


def test_a_pattern_is_judged_by_eventbridge(account):
    assert verdict("90-4", {"detail": {"a": [1]}}).correct
    assert verdict("90-4", {"detail": {"a": [2]}}).message == "It does not fit."
    scalar = verdict("90-4", {"detail": {"a": 1}})
    assert scalar.message.startswith("EventBridge refuses the pattern: ") and scalar.see == "event-pattern"


def test_an_account_that_does_not_answer_is_one_line_that_says_what_to_do(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    boto3.setup_default_session()
    with pytest.raises(WorkbookError, match="Run the setup cell of this lesson again"):
        verdict("90-3")
    boto3.setup_default_session()


@pytest.mark.parametrize("name", ["90-9", "77-1", "", "1", "03_1", None, 3])
def test_an_unknown_exercise_is_one_line(name):
    with pytest.raises(WorkbookError, match="There is no exercise .* An id looks like"):
        verdict(name)


def test_without_a_lesson_no_account_is_asked(monkeypatch):
    monkeypatch.delenv("WORKBOOK_LESSON")
    with pytest.raises(WorkbookError, match="Run the setup cell at the top"):
        verdict("90-3")


# --- what is shown and remembered ---


def test_check_shows_one_line_in_text_and_in_colour(shown):
    check("90-1", 1, ["a", "b"])
    text, html = (shown[0]._repr_mimebundle_()[kind] for kind in ("text/plain", "text/html"))
    assert text == "✗ 90-1: not yet. You have counted <the gaps>, not the names. (see GLOSSARY.md#event-pattern)"
    assert "&lt;the gaps&gt;" in html and '<a href="GLOSSARY.md#event-pattern">event pattern</a>' in html
    check("90-1", 2, ["a", "b"])
    assert repr(shown[1]) == "✓ 90-1: correct. One number for each name."


def test_tries_and_the_first_success_are_remembered(shown):
    for names in ([...], ["a", "b"], ["a"], []):
        check("90-1", 1, names)
    entry = record.remembered()["90-1"]
    assert entry["tries"] == 3, "a gap is no try"
    assert len(entry["solved"]) == 10
    assert record.forget() and record.remembered() == {} and not record.forget()


def test_verdict_remembers_nothing():
    assert verdict("90-1", 1, ["a"]).correct and record.remembered() == {}


def test_two_kernels_at_once_lose_nothing():
    program = "from helpers.exercises import record\nfor _ in range(20): record.remember('90-1', False)"
    with ThreadPoolExecutor(3) as threads:
        runs = [threads.submit(subprocess.run, [sys.executable, "-c", program], cwd=PROJECT) for _ in range(3)]
    assert [run.result().returncode for run in runs] == [0, 0, 0]
    assert record.remembered()["90-1"]["tries"] == 60


@pytest.mark.parametrize("content", ["", "{", "[]", '{"90-1": 3}', '{"90-1": {"tries": "many"}}', "\ufffd"])
def test_a_file_that_cannot_be_read_is_put_aside(content):
    record.remember("90-1", True)
    (record.folder() / "progress.json").write_text(content, encoding="utf-8")
    assert record.remembered() == {}
    assert (record.folder() / "progress-unreadable.json").read_text(encoding="utf-8") == content
    record.remember("90-1", True)
    assert record.remembered()["90-1"]["tries"] == 1


def test_a_place_that_cannot_be_written_to_spoils_no_exercise(monkeypatch, lesson, shown):
    (lesson / "file").write_text("")
    monkeypatch.setenv("WORKBOOK_HOME", str(lesson / "file" / "home"))
    check("90-1", 1, ["a"])
    assert repr(shown[0]).startswith("✓") and record.remembered() == {}


# --- reveal and progress ---


def test_reveal_shows_the_file(shown, lesson, monkeypatch):
    monkeypatch.setattr(verdicts, "SOLUTIONS", lesson)
    with pytest.raises(WorkbookError, match="comes without the solutions; ask your teacher for ex_90_1.py"):
        reveal("90-1")
    (lesson / "ex_90_1.py").write_text("answer = 1\n", encoding="utf-8")
    reveal("90-1")
    assert shown[0].data == "answer = 1\n"


@pytest.fixture
def two_lessons(lesson, monkeypatch):
    for name, provides, exercises in [("00_start", [], ["90-1"]), ("01_role", ["role", "policies"], ["90-2", "90-3"])]:
        cells = [new_markdown_cell(f"# {int(name[:2])}. {name[3:].title()}\n\nMore.", id="title")]
        cells += [new_code_cell("...", id=f"exercise-{each}") for each in exercises]
        notebook = new_notebook(cells=cells, metadata={"workbook": {"provides": provides}})
        (lesson / f"{name}.ipynb").write_text(writes(notebook), encoding="utf-8")
    monkeypatch.setattr(overview, "NOTEBOOKS", lesson)
    return lesson


def test_progress_joins_the_account_and_what_was_checked(account, two_lessons, shown):
    check("90-2", lambda number: number * 2)
    last_lesson.remember("01_role")
    iam = boto3.client("iam")
    iam.create_role(RoleName="microservice-role", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
    said = overview.progress()
    iam.delete_role(RoleName="microservice-role")
    assert repr(said).splitlines() == [
        "→ 0. Start  Next           1 exercise.",
        "◐ 1. Role   Started        Built in part, 1 of 2 exercises solved.",
        "", overview.LEGEND, "Exercises solved: 1 of 3. Next: 0. Start.",
    ]  # fmt: skip
    assert said.next == said.rows[0] and not said.certifiable
    assert ">1. Role</a></td>" in said._repr_html_() and "Built in part, 1 of 2" in said._repr_html_()
    assert "Not built yet, 1 of 2" in repr(overview.progress()) and "uilt" not in repr(overview.without_account())


@pytest.fixture
def role(account):
    """role() makes what lesson 1 builds, or deletes it again; in the end it is gone."""
    iam, there = boto3.client("iam"), []
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}

    def switch():
        if there:
            for name in ("a", "b"):
                iam.delete_role_policy(RoleName="microservice-role", PolicyName=name)
            iam.delete_role(RoleName=there.pop())
            return
        there.append("microservice-role")
        iam.create_role(RoleName="microservice-role", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
        for name in ("a", "b"):
            iam.put_role_policy(RoleName="microservice-role", PolicyName=name, PolicyDocument=json.dumps(nothing))

    yield switch
    if there:
        switch()


def test_what_a_learner_has_built_stays_theirs_and_nothing_else_is(two_lessons, role):
    notebook = new_notebook(cells=[new_markdown_cell("# 99. Clean up", id="title")])
    (two_lessons / "99_clean_up.ipynb").write_text(writes(notebook), encoding="utf-8")

    def status():
        said = overview.progress()
        return [f"{said.status(row)}: {row.sentence()}" for row in said.rows]

    role()
    last_lesson.remember("00_start")
    assert status() == [
        "Started: None of 1 exercises solved.",
        "Next: Built by a setup cell, 2 exercises.",
        "Not started: No exercises.",
    ]
    last_lesson.remember("01_role")
    assert status()[:2] == ["Done: None of 1 exercises solved.", "Done: Built, none of 2 exercises solved."]
    last_lesson.remember("99_clean_up")
    assert status()[2] == "Started: No exercises."
    role()
    cleaned_up = f"Done: Cleaned up on {record.today()}, no exercises."
    after = f"Done: Built on {record.today()}, deleted since, none of 2 exercises solved."
    assert status()[1:] == [after, cleaned_up]
    unseen = overview.without_account()
    assert [unseen.status(row) for row in unseen.rows] == ["Done", "Done", "Done"]
    assert unseen.rows[1].sentence() == f"Built on {record.today()}, none of 2 exercises solved."
    role()
    assert status()[1:] == ["Done: Built, none of 2 exercises solved.", cleaned_up]
    last_lesson.forget()
    assert status()[1] == "Built for you: Built by a setup cell, 2 exercises."


@pytest.mark.parametrize("content", ["{", "[]", '{"01_role": "today"}'])
def test_a_damaged_record_of_lessons_is_put_aside(content):
    last_lesson.remember("00_start")
    (record.folder() / "lessons.json").write_text(content, encoding="utf-8")
    record.remember("01-1", False)
    assert last_lesson.begun(["00_start", "01_role", "02_table"]) == {"00_start": {}, "01_role": {}}
    assert (record.folder() / "lessons-unreadable.json").read_text(encoding="utf-8") == content
    last_lesson.remember("02_table")
    assert "02_table" in last_lesson.begun(["02_table"])


def row(number, parts="", absent="", solved="", exercises=3, **known):
    """A lesson whose exercises with the given numbers are solved."""
    each = [Exercise(f"{number:02d}-{k}", "", 2, "2026-11-23" if str(k) in solved else "") for k in range(exercises)]
    name = f"{number:02d}_lesson.ipynb"
    return Row(name, f"{number}. <Lesson>", tuple(parts.split()), tuple(absent.split()), tuple(each), **known)


def begun(*arguments, **known):
    return row(*arguments, begun=True, **known)


DAY = "2026-11-23"
SENTENCES = {
    "Not built yet, 3 exercises.": row(1, "role policies", "role policies"),
    "Built in part, none of 3 exercises solved.": begun(1, "role policies", "policies"),
    "Built, all 3 exercises solved.": begun(1, "role policies", solved="012"),
    "Built by a setup cell, 3 exercises.": row(1, "role policies"),
    "Built by a setup cell, none of 3 exercises solved.": begun(1, "role", caught_up=True),
    "Built, none of 3 exercises solved.": begun(1, "role", caught_up=True, built_on=DAY),
    "Built on 2026-11-23, deleted since, none of 3 exercises solved.": begun(1, "role", "role", built_on=DAY),
    "Built on 2026-11-23, in part deleted since, 1 of 3 exercises solved.": begun(
        1, "role policies", "role", "1", built_on=DAY
    ),
    "Built on 2026-11-23, none of 3 exercises solved.": begun(1, "role", "role", built_on=DAY, seen=False),
    "Not built yet, 2 of 3 exercises solved.": begun(1, "role", "role", solved="01"),
    "1 of 3 exercises solved.": begun(6, solved="2"),
    "3 exercises.": row(6),
    "No exercises.": row(99, exercises=0),
    "Cleaned up on 2026-11-23, no exercises.": begun(99, exercises=0, built_on=DAY),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_row_of_progress_reads_as_a_sentence(sentence):
    assert SENTENCES[sentence].sentence() == sentence


@pytest.mark.parametrize(
    "rows, statuses",
    [
        ([row(0), row(1, "role", "role"), row(99, exercises=0)], "Next, Not started, Not started"),
        ([begun(0, solved="0"), row(1, "role", "role"), row(2, "table", "table")], "Done, Next, Not started"),
        ([begun(0), row(1, "role"), row(2, "table"), row(3)], "Started, Next, Built for you, Not started"),
        ([begun(0), begun(1, "role"), begun(2, "table", "table"), begun(6)], "Done, Done, Started, Started"),
        ([begun(1, "role", "role", "012"), row(99, exercises=0)], "Started, Next"),
        ([begun(1, "role", "role", built_on=DAY), begun(99, exercises=0, built_on=DAY)], "Done, Done"),
        ([begun(1, "role", caught_up=True), begun(2, "table")], "Started, Done"),
    ],
    ids=[
        "nobody has begun", "one is done", "built by a setup cell", "exercises are extra", "only exercises are solved",
        "all is deleted again", "begun, but built by a setup cell",
    ],
)  # fmt: skip
def test_progress_says_what_is_done_and_what_comes_next(rows, statuses):
    shown = overview.Overview(rows)
    assert ", ".join(shown.status(row) for row in rows) == statuses
    assert (shown.next.title if shown.next else "") == "".join(
        row.title for row, status in zip(rows, statuses.split(", "), strict=True) if status == "Next"
    )
    assert ("Next: " in repr(shown)) == ("Next" in statuses)


def test_progress_links_to_the_lessons_and_fits_dark_and_light():
    rows = [begun(0, solved="012"), begun(1, "role", "role"), row(2, "table", "table"), row(3)]
    page = overview.Overview(rows)._repr_html_()
    assert re.findall(r'<a href="(.+?)">', page) == [f"0{number}_lesson.ipynb" for number in range(4)]
    assert "2. &lt;Lesson&gt;" in page and "<Lesson>" not in page
    assert "<b>✓ Done</b>" in page and "<b>◐ Started</b>" in page and "<b>→ Next</b>" in page
    assert not re.search(r"[; \"](color|background[a-z-]*):", page), "text and ground are the page's own"


def test_progress_mentions_the_certificate_once_part_1_was_built_and_an_exercise_is_solved():
    standing = [begun(1, "role policies"), begun(4, "rule"), row(7, "pattern", "pattern")]
    for rows, offered in [
        ([begun(0, solved="1"), *standing], True),
        ([begun(0, solved="1"), begun(1, "role", "role", built_on=DAY)], True),
        ([begun(0), *standing], False),
        ([begun(0, solved="1"), *standing, row(5, "order:A-1", "order:A-1")], False),
        ([begun(0, solved="012")], False),
    ]:
        shown = overview.Overview(rows)
        assert shown.certifiable is offered
        assert (overview.IN_A_TERMINAL in repr(shown)) is offered
        assert ("from helpers.exercises import certificate" in shown._repr_html_()) is offered


def test_progress_says_which_notebook_is_broken(account, two_lessons):
    (two_lessons / "01_role.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(
        WorkbookError,
        match="01_role.ipynb cannot be read as a notebook. Bring it back with: python3 -m helpers start-over",
    ):
        overview.progress()


def test_the_command_starts_no_account(tmp_path):
    environment = {**os.environ, "LOCAL_AWS_HOME": str(tmp_path / "aws"), "WORKBOOK_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "helpers.exercises"], cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert "Exercises solved: 0 of" in run.stdout and "is not running" in run.stdout
    assert not (tmp_path / "aws" / "server.json").exists()
