"""The pictures in a real JupyterLab: whole at every width, in both themes, before and after the notebook is trusted.

With WORKBOOK_SCREENSHOTS naming a folder, what is seen is kept there.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.image
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.pictures import files, palette
from tests.support.browser import Browser, find
from tests.support.front_ends import JUPYTERLAB, NOTEBOOK, open_page, run_all_cells, serve
from tests.support.polling import eventually

CHROMIUM = find()
REQUIRED = os.environ.get("WORKBOOK_REQUIRE_BROWSER") == "1"

if not CHROMIUM and not REQUIRED:
    pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one", allow_module_level=True)

WIDTHS = (1920, 1280, 900)
THEMES = {"JupyterLab Light": palette.PAPER, "JupyterLab Dark": palette.DARK[palette.PAPER]}
DIAGRAM = """
from helpers.account.state import PARTS, AccountState
from helpers.pictures.diagram import Diagram
shown = Diagram(AccountState(frozenset(PARTS), {"function": "syntax error"}, buses=("sample-orders-bus",)))
"""
WAY = """
from helpers.timeline import Timeline
from helpers.timeline.model import Lane, Row, State, Station, Trace
lane = Lane(
    State.FAILED, "",
    rule=Station("rule", "sample-rule", State.DONE, "matches"),
    function=Station("Lambda function", "sample-function", State.FAILED, "3 attempts",
                     rows=tuple(Row(f"attempt {number}", State.FAILED) for number in (1, 2, 3))),
    table=Station("DynamoDB table", "sample-table", State.NOT_REACHED),
)
bus = Station("event bus", "default", State.DONE, "accepted")
shown = Timeline(Trace(bus, (lane,), State.FAILED, "Order A-1 failed 3 times.", "Amount is missing.", "OrderPlaced"))
"""
IMAGES = {
    "diagram": '.jp-OutputArea-output img[alt^="In the account"]',
    "way": '.jp-OutputArea-output img[alt^="Order A-1 failed"]',
    **{name: f'.jp-RenderedMarkdown img[src*="{name}"]' for name in files.PICTURES},
}
#: An image, and what it must not stand out of: its output area (or text cell), and the notebook's panel.
MEASURED = """
(async selector => {
    const image = document.querySelector(selector);
    if (!image || !image.complete || !image.naturalWidth) return null;
    image.scrollIntoView({block: "center"});
    await new Promise(done => setTimeout(() => requestAnimationFrame(() => done()), 50));
    const parents = [];
    for (let each = image.parentElement; each; each = each.parentElement) parents.push(each);
    const outer = ".jp-OutputArea-output, .jp-RenderedMarkdown, .jp-NotebookPanel-notebook";
    const around = parents.filter(each => each.matches(outer));
    const box = element => element.getBoundingClientRect().toJSON();
    return {
        image: box(image), around: around.map(box),
        scrolls: around.map(each => each.scrollWidth - each.clientWidth),
        natural: [image.naturalWidth, image.naturalHeight],
        side: document.querySelector(".jp-FileBrowser").offsetWidth,
    };
})
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a JupyterLab with two notebooks of pictures: one runs, one has stored outputs."""
    if not CHROMIUM:
        pytest.fail("WORKBOOK_REQUIRE_BROWSER=1, and no Chromium was found")
    folder = tmp_path_factory.mktemp("jupyterlab")
    with serve(JUPYTERLAB, folder) as address, Browser(CHROMIUM, folder) as browser:
        markdown = [new_markdown_cell(f"![{name}](images/{name})") for name in files.PICTURES]
        running = new_notebook(cells=[*(new_code_cell(f"{source}shown") for source in (DIAGRAM, WAY)), *markdown])
        stored = [
            new_code_cell("", outputs=[new_output("execute_result", data=bundle(source), execution_count=1)])
            for source in (DIAGRAM, WAY)
        ]
        for name, notebook in {"trusted": running, "untrusted": new_notebook(cells=[*stored, *markdown])}.items():
            notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
        shutil.copytree(files.FOLDER, folder / "notebooks" / "images", dirs_exist_ok=True)
        yield browser, address


def bundle(source: str) -> dict[str, str]:
    """What a notebook gets of what the source shows."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names["shown"]._repr_mimebundle_()


def choose(browser: Browser, theme: str, system: str) -> None:
    """Let JupyterLab have a theme, and the operating system a colour scheme."""
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": system}])
    browser.run(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: {theme!r}}}).then(() => true)")
    light = str(theme.endswith("Light")).lower()
    browser.until(f"document.body.dataset.jpThemeLight === '{light}'", what=theme)


def colour_at(browser: Browser, x: float, y: float) -> str:
    """The colour of one pixel that is seen."""
    part = {"x": x, "y": y, "width": 1, "height": 1, "scale": 1}
    shot = browser.send("Page.captureScreenshot", format="png", clip=part)["data"]
    pixel = matplotlib.image.imread(io.BytesIO(base64.b64decode(shot)))[0, 0]
    return "#" + "".join(f"{round(255 * part):02x}" for part in pixel[:3])


def is_sheet(browser: Browser, x: float, y: float, sheet: str) -> bool:
    """Whether the picture's sheet is seen there, in its colour for the page's theme."""
    return colour_at(browser, x, y) == sheet


@pytest.mark.parametrize("notebook", ["trusted", "untrusted"])
def test_pictures_are_whole_at_every_width_and_in_both_themes(page, notebook):
    browser, address = page
    (run_all_cells if notebook == "trusted" else open_page)(browser, address.format(f"notebooks/{notebook}.ipynb"))
    browser.until(f"!!({NOTEBOOK})?.content.model.cells.length", what="the notebook")
    for theme, sheet in THEMES.items():
        for width in WIDTHS:
            browser.resize(width, 1000)
            for system in ("light", "dark"):
                choose(browser, theme, system)
                for name, selector in IMAGES.items():
                    where = (notebook, theme, width, system, name)
                    seen = browser.until(f"{MEASURED}({selector!r})", 60, str(where))
                    check(seen, where)
                    # Its upper left corner is round: the sheet begins a little further in.
                    corner = seen["image"]["x"] + 12, seen["image"]["y"] + 8
                    browser.until("new Promise(done => requestAnimationFrame(() => done(true)))")
                    # The page may still be on its way from one theme to the other.
                    eventually(partial(is_sheet, browser, *corner, sheet), f"{where}: the sheet in {sheet}", 60)
                    keep(browser, where)
    assert browser.errors == []
    assert browser.foreign_requests() == []


def check(seen: dict, where: tuple) -> None:
    """Assert that an image stands in all that is around it, and has its own proportions."""
    image, (wide, high) = seen["image"], seen["natural"]
    assert seen["side"] > 150, "the file browser is open"
    assert len(seen["around"]) == 2
    for around in seen["around"]:
        assert around["left"] <= image["left"] and image["right"] <= around["right"] + 0.5, where
    assert max(seen["scrolls"]) <= 0, where
    assert image["width"] == pytest.approx(min(wide, seen["around"][0]["width"]), abs=40), "as wide as there is room"
    assert image["width"] / image["height"] == pytest.approx(wide / high, rel=0.02), where


def keep(browser: Browser, where: tuple) -> None:
    """Keep a screenshot when somebody wants to look."""
    folder = os.environ.get("WORKBOOK_SCREENSHOTS", "")
    if folder and Path(folder).is_dir():  # Path("") is the working folder
        browser.screenshot(Path(folder) / ("-".join(str(each).replace(" ", "-") for each in where) + ".png"))


@pytest.mark.parametrize("preference, motion", [("no-preference", "way"), ("reduce", "none")])
def test_the_order_moves_only_for_who_has_not_asked_for_less_motion(page, preference, motion):
    browser, _ = page
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": preference}])
    svg = base64.b64encode(files.PICTURES["service.svg"]().encode()).decode()
    browser.open(f"data:image/svg+xml;base64,{svg}")
    browser.until("!!document.querySelector('.order')")
    assert browser.run("getComputedStyle(document.querySelector('.order')).animationName") == motion
