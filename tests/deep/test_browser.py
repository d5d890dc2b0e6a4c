"""Some lessons in a real JupyterLab, in a real browser, as a learner sees them.

With WORKBOOK_SCREENSHOTS=1 the pictures of the README are taken anew, so that they stay true.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.browser import Browser, find
from tests.support.embedded_aws import own_home
from tests.support.front_ends import JUPYTERLAB, check_lesson, run_all_cells, serve

CHROMIUM = find()
REQUIRED = os.environ.get("WORKBOOK_REQUIRE_BROWSER") == "1"

if not CHROMIUM and not REQUIRED:
    pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one", allow_module_level=True)

#: The lessons that are opened, and what must be seen in each: kinds of output by the element that shows them.
DIAGRAM = 'img[alt^="In the account"]'
FOLLOWED = 'img[alt*="event bus default"]'
LESSONS = {
    "05_send_events": {"the diagram": DIAGRAM, "the way of an event": FOLLOWED},
    "06_explore_the_orders": {
        "the diagram": DIAGRAM,
        "the DataFrame": "table.dataframe",
        "a chart": 'img[src^="data:image/png"]',
    },
    "08_survive_failures": {
        "the diagram": DIAGRAM,
        "the way of an event": FOLLOWED,
        "a chart": 'img[src^="data:image/png"]',
    },
}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a JupyterLab with an account of its own behind it."""
    if not CHROMIUM:
        pytest.fail("WORKBOOK_REQUIRE_BROWSER=1, and no Chromium was found")
    folder = tmp_path_factory.mktemp("jupyterlab")
    with own_home(folder / "account"):
        lifecycle.start()
        try:
            with serve(JUPYTERLAB, folder) as address, Browser(CHROMIUM, folder) as browser:
                yield browser, address
        finally:
            lifecycle.stop()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_in_jupyterlab(page, lesson):
    browser, address = page
    run_all_cells(browser, address.format(f"notebooks/{lesson}.ipynb"))
    check_lesson(browser, LESSONS[lesson])
    if lesson in PICTURES and os.environ.get("WORKBOOK_SCREENSHOTS") == "1":
        name, take = PICTURES[lesson]
        path = PROJECT / "docs" / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        browser.run("window.jupyterapp.commands.execute('filebrowser:toggle-main').then(() => true)")
        take(browser, path)


def settle(browser: Browser) -> None:
    """Until what moves in the page has come to rest."""
    browser.run("new Promise(done => setTimeout(() => done(true), 1000))")


def take_lesson(browser: Browser, path: Path) -> None:
    """The lesson alone, from its setup cell on: the diagram, and what comes next."""
    browser.run("document.querySelectorAll('.jp-CodeCell')[0].scrollIntoView({block: 'start'})")
    settle(browser)
    browser.screenshot(path)


def take_followed_event(browser: Browser, path: Path) -> None:
    """The first cell that follows an event, with the picture below it, in a window that is high enough for both."""
    browser.resize(1120, 1400)
    cell = f"document.querySelector(`.jp-CodeCell:has({FOLLOWED})`)"
    browser.run(f"{cell}.scrollIntoView({{block: 'center'}})")
    settle(browser)
    part = browser.run(f"{cell}.getBoundingClientRect().toJSON()")
    browser.screenshot(path, {side: part[side] for side in ("x", "y", "width", "height")})


#: Pictures in the README: the lesson that they show, their name, and what takes them.
PICTURES = {
    "05_send_events": ("lesson.png", take_lesson),
    "08_survive_failures": ("followed-event.png", take_followed_event),
}
