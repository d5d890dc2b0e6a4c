"""What teachers print and project: complete, and without a request to anywhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    chromium = find()
    if not chromium:
        pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one")
    with Browser(chromium, tmp_path_factory.mktemp("browser")) as browser:
        yield browser
        assert {address.split(":")[0] for address in browser.foreign_requests()} <= {"file"}
        assert browser.errors == []


@pytest.mark.deep
def test_the_handout_fits_a_sheet(folder, browser):
    browser.open((folder / "handout.html").as_uri())
    browser.until("document.readyState === 'complete' && [...document.images].every(image => image.naturalWidth)")
    pdf = base64.b64decode(browser.send("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert len(re.findall(rb"/Type\s*/Page[^s]", pdf)) == 1


#: What a projector shows of a slide: its number, how far down it is, and which of its outputs can be seen.
SHOWN = """(() => {
    const page = document.documentElement, slide = document.querySelector('section.shown');
    return {slide: location.hash, type: parseFloat(getComputedStyle(slide).fontSize),
        top: scrollY, bottom: scrollY + innerHeight, height: page.scrollHeight, wide: page.scrollWidth > innerWidth,
        hidden: slide.querySelectorAll('.output_wrapper.hidden').length}
})()"""
FORWARD = "document.dispatchEvent(new KeyboardEvent('keydown', {key: ' '}))"


def project(browser: Browser, page: Path) -> None:
    """Open slides as a small projector shows them."""
    browser.resize(1280, 720)
    browser.open(page.as_uri())
    ready = "document.readyState === 'complete' && document.querySelectorAll('section.shown').length === 1"
    browser.until(f"location.pathname.endsWith('{page.name}') && {ready}", what="the slides")


@pytest.mark.deep
@pytest.mark.parametrize("number", [3, 5, 8])
def test_one_key_leads_through_all_of_a_lesson(folder, browser, number):
    """Each press shows an output, or the rest of a long slide, or the next one: nothing is passed over."""
    page = folder / "slides" / f"{LESSONS[number].stem}.html"
    project(browser, page)
    slides = browser.run("document.querySelectorAll('section').length")
    seen, scrolled = [browser.run(SHOWN)], 0
    while seen[-1]["slide"] != f"#{slides}":
        browser.run(FORWARD)
        before, now = seen[-1], browser.run(SHOWN)
        seen.append(now)
        if now["slide"] != before["slide"]:
            assert before["hidden"] == 0 and before["bottom"] >= before["height"] - 1, before
        elif now["hidden"] == before["hidden"]:
            assert before["top"] < now["top"] <= before["bottom"], "the rest of a long slide, without a gap"
            scrolled += 1
        else:
            assert now["hidden"] == before["hidden"] - 1, "one output after another"
    assert len({each["slide"] for each in seen}) == slides and scrolled > 0
    assert all(each["type"] >= 16 and not each["wide"] for each in seen), "large enough to read from the last row"


@pytest.mark.deep
def test_most_slides_fit_their_screen(folder, browser):
    long = total = 0
    for page in sorted((folder / "slides").iterdir()):
        project(browser, page)
        heights = browser.run(
            "slides.map((_, number) => (show(number, true), document.documentElement.scrollHeight - innerHeight))"
        )
        total += len(heights)
        long += sum(height > 1 for height in heights)
    assert 0 < long < total / 5
