"""What teachers print and project: complete, and without a request to anywhere."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from helpers.lessons.catch_up import lesson_files
from helpers.lessons.notebook_files import read
from helpers.paths import NOTEBOOKS
from helpers.teaching import handouts
from tests.support.browser import Browser, find

LESSONS = lesson_files(NOTEBOOKS)
EVENTS = NOTEBOOKS / "05_send_events.ipynb"
#: What a browser would fetch: links that a reader may click are none of it.
FETCHED = re.compile(r"""(?:src|srcset|poster|data)\s*=\s*["'](?!data:)|<link\b|@import|url\((?!["']?data:)""")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("handouts") / "made"
    assert handouts.handouts([str(made)]) == 0
    return made


def test_there_is_a_page_for_each_lesson_and_none_needs_a_network(folder):
    assert {path.stem for path in (folder / "slides").iterdir()} == {path.stem for path in LESSONS}
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not FETCHED.search(text), path.name
        assert text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>")


def test_the_worksheet_asks_every_question(folder):
    text = (folder / "worksheet.html").read_text(encoding="utf-8")
    asked = sum("".join(cell["source"]).count("> **Predict.**") for path in LESSONS for cell in read(path)["cells"])
    assert text.count('class="question"') == asked > 100
    assert "> **Predict" not in text


def test_slides_leave_exercises_and_folds_to_the_learners(folder):
    text = (folder / "slides" / f"{EVENTS.stem}.html").read_text(encoding="utf-8")
    assert text.count("<section>") > 20
    assert not [left for left in ("Hint 1", "Quick questions", "The same in the shell", "check(") if left in text]
    assert "Break it" in text and "Summary" in text


def test_a_folder_that_is_there_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").write_text("notes")
    assert handouts.handouts([str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err or (tmp_path / "mine").read_text() == "notes"


@pytest.mark.deep
def test_in_a_browser(folder, tmp_path):
    """The handout fits a sheet; a slide shows what its cells printed when it is asked to."""
    chromium = find()
    if not chromium:
        pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one")
    with Browser(chromium, tmp_path) as browser:
        browser.open((folder / "handout.html").as_uri())
        browser.until("document.readyState === 'complete' && [...document.images].every(image => image.naturalWidth)")
        pdf = base64.b64decode(browser.send("Page.printToPDF", preferCSSPageSize=True)["data"])
        assert len(re.findall(rb"/Type\s*/Page[^s]", pdf)) == 1
        browser.open((folder / "slides" / f"{EVENTS.stem}.html").as_uri())
        shown = "document.querySelectorAll('section.shown').length"
        browser.until(f"document.readyState === 'complete' && {shown} === 1")
        key = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))"
        hidden = "document.querySelectorAll('section.shown .output_wrapper.hidden').length"
        browser.until(f"{key}, {hidden} > 0", what="a slide with an output that is not shown yet")
        before, number = browser.run(hidden), browser.run("location.hash")
        browser.run(key)
        assert (browser.run(hidden), browser.run("location.hash")) == (before - 1, number)
        assert {address.split(":")[0] for address in browser.foreign_requests()} <= {"file"}
        assert browser.errors == []
