"""What a learner's front end makes of a lesson: JupyterLab and Notebook 7 in a real browser, an export, VS Code.

How JupyterLab runs whole lessons is seen by test_browser; here it is their look, and where their links lead.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.local_aws import lifecycle
from helpers.paths import NOTEBOOKS, PROJECT
from tests.support import front_ends
from tests.support.browser import Browser, find
from tests.support.embedded_aws import own_home
from tests.support.front_ends import JUPYTERLAB, NOTEBOOK, NOTEBOOK_7, FrontEnd, check_lesson, open_page, run_all_cells

CHROMIUM = find()
#: A lesson with a link of each kind: in its text, in a verdict, and in an error.
PROBE = new_notebook(
    metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    cells=[
        new_markdown_cell("See [throttling](GLOSSARY.md#throttling)."),
        new_code_cell(
            "from helpers.exercises.verdicts import VerdictLine, wrong\n"
            'VerdictLine("05-1", wrong("Once more?", see="idempotent"))'
        ),
        new_code_cell(
            "from helpers.errors import WorkbookError\n"
            'raise WorkbookError("No region is chosen.", more="on-another-aws")'
        ),
    ],
)
#: Things to look at whose ground, place and lines are JupyterLab's own otherwise.
LOOK = new_notebook(
    metadata=PROBE.metadata,
    cells=[
        new_markdown_cell("Before a table.\n\n| Needs | Cost |\n|---|---|\n| Python | Nothing |"),
        new_markdown_cell("> **Explain.** An `order` in a box."),
        new_code_cell("from IPython.display import Code\nCode('order = [' + 'a_name, ' * 40 + ']', language='python')"),
        new_markdown_cell("```python\na = 1\n```"),
        new_code_cell("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('a word')"),
        new_code_cell(
            "from helpers.exercises.verdicts import VerdictLine, correct, not_attempted, wrong\n"
            "display(*(VerdictLine('05-1', each) for each in (correct('So.'), wrong('No.'), not_attempted())))"
        ),
        new_code_cell("names = [" + '"a long text", ' * 40 + "]"),
    ],
)
#: Where these links lead, in order: the page, the anchor, and the heading there.
LINKS = [
    ("GLOSSARY.md", "throttling", "Throttling"),
    ("GLOSSARY.md", "idempotent", "Idempotent"),
    ("WHEN_IT_DOES_NOT_WORK.md", "on-another-aws", "On another AWS"),
]


def browser_or_skip() -> str:
    if CHROMIUM:
        return CHROMIUM
    if os.environ.get("WORKBOOK_REQUIRE_BROWSER") == "1":
        pytest.fail("WORKBOOK_REQUIRE_BROWSER=1, and no Chromium was found")
    pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one")


@pytest.fixture(scope="module", autouse=True)
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An account for all lessons of this module."""
    with own_home(tmp_path_factory.mktemp("account")):
        lifecycle.start()
        try:
            yield
        finally:
            lifecycle.stop()


def opened(front_end: FrontEnd, folder: Path) -> Iterator[tuple[Browser, str]]:
    with front_ends.serve(front_end, folder) as address, Browser(browser_or_skip(), folder) as browser:
        nbformat.write(PROBE, folder / "notebooks" / "probe.ipynb")
        nbformat.write(LOOK, folder / "notebooks" / "look.ipynb")
        yield browser, address


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a JupyterLab."""
    yield from opened(JUPYTERLAB, tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def notebook_7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    """The same of a Jupyter Notebook 7, which no lesson needs: it gets an environment of its own, beside the lock."""
    browser_or_skip()
    folder = tmp_path_factory.mktemp("notebook")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python, uv = (programs / "python", Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--python", python]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"],
        [*install, "--requirement", PROJECT / "requirements.txt", "notebook>=7,<8"],
        [*install, "--no-deps", "--editable", PROJECT],
    ):
        run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        if run.returncode and os.environ.get("WORKBOOK_REQUIRE_NOTEBOOK") != "1":
            pytest.skip("Jupyter Notebook cannot be installed: no network?")
        assert run.returncode == 0, run.stderr
    yield from opened(replace(NOTEBOOK_7, python=str(python)), folder)


def link(page: str, anchor: str) -> str:
    """The link in the open notebook that leads there."""
    return f"document.querySelector(`.jp-Notebook a[href*='/{page}'][href$='#{anchor}']`)"


def in_view(heading: str) -> str:
    """Whether a heading of the open page is where the reader looks."""
    return f"""[...document.querySelectorAll('.jp-MarkdownViewer h2')].some(each => {{
        const view = each.closest('.jp-MarkdownViewer').getBoundingClientRect(), place = each.getBoundingClientRect();
        return each.firstChild.textContent === {json.dumps(heading)} && place.height > 0
            && place.top >= view.top - 1 && place.bottom <= view.bottom }})"""


# --- where links lead ---


def test_links_arrive_at_their_entry_in_jupyterlab(lab):
    browser, address = lab
    run_all_cells(browser, address.format("notebooks/probe.ipynb"))
    for page, anchor, heading in LINKS:
        browser.until(f"!!{link(page, anchor)}", what=f"the link to {anchor}")
        assert not browser.run(in_view(heading))
        browser.run(f"{link(page, anchor)}.click()")
        browser.until(in_view(heading), what=f"{heading}, as it is seen")
        browser.run(f"window.jupyterapp.shell.activateById(({NOTEBOOK}).id)")
    assert browser.errors == []


def test_an_error_is_an_error_with_a_link_above(lab):
    browser, address = lab
    run_all_cells(browser, address.format("notebooks/probe.ipynb"))
    above, error = browser.until(f"({NOTEBOOK}).content.model.cells.get(2).toJSON().outputs", what="the error")
    assert above["output_type"] == "display_data" and "WHEN_IT_DOES_NOT_WORK.md#" in above["data"]["text/html"]
    assert error["output_type"] == "error" and error["ename"] == "WorkbookError"
    assert error["traceback"] == ["WorkbookError: No region is chosen."], "the link above says the rest"
    assert error["evalue"].endswith("More: notebooks/WHEN_IT_DOES_NOT_WORK.md#on-another-aws")


def test_a_page_leads_to_its_lessons_in_jupyterlab(lab):
    browser, address = lab
    open_page(browser, address.format("notebooks/GLOSSARY.md"))
    lesson = "document.querySelector(`.jp-MarkdownViewer a[href*='/05_send_events.ipynb']`)"
    browser.until(f"!!{lesson}", what="the page, rendered")
    browser.run(f"{lesson}.click()")
    browser.until(f"({NOTEBOOK})?.context.path === 'notebooks/05_send_events.ipynb'", what="the lesson")


def test_links_are_the_same_in_an_export(tmp_path):
    notebook = nbformat.from_dict(PROBE)
    NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute()
    nbformat.write(notebook, tmp_path / "probe.ipynb")
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", str(tmp_path / "probe.ipynb")]
    subprocess.run(convert, check=True, capture_output=True)
    html = (tmp_path / "probe.html").read_text(encoding="utf-8")
    for page, anchor, _ in LINKS:
        assert f'href="{page}#{anchor}"' in html


# --- the look ---

#: Of each long paragraph: how many of its own letters fit into a line, and how wide it is.
LINES = """[...document.querySelectorAll('.jp-MarkdownCell .jp-RenderedMarkdown > p')].map(each => {
    const style = getComputedStyle(each), pen = document.createElement('canvas').getContext('2d');
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const text = each.textContent, width = each.getBoundingClientRect().width;
    return {text, letters: width * text.length / pen.measureText(text).width, width}
}).filter(each => each.text.length > 200)"""
#: Of each box: the contrast of its text, and whether it stands out from the page.
BOXES = """[...document.querySelectorAll('.jp-MarkdownCell blockquote')].map(each => {
    const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(value => value / 255)
        .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b };
    const style = getComputedStyle(each), page = getComputedStyle(each.closest('.jp-Notebook')).backgroundColor;
    const [dark, bright] = [light(getComputedStyle(each.querySelector('p')).color),
                            light(style.backgroundColor)].sort((a, b) => a - b);
    return {contrast: (bright + 0.05) / (dark + 0.05), ground: style.backgroundColor, page,
            edge: parseFloat(style.borderLeftWidth)}
})"""


def test_lines_are_as_long_as_is_good_to_read(lab):
    browser, address = lab
    browser.resize(2200, 1000)
    open_page(browser, address.format("notebooks/05_send_events.ipynb"))
    paragraphs = browser.until(LINES, what="paragraphs")
    assert len(paragraphs) > 3
    for paragraph in paragraphs:
        assert 70 <= paragraph["letters"] <= 90, paragraph
    widest = max(paragraph["width"] for paragraph in paragraphs)
    code = browser.run("document.querySelector('.jp-CodeCell .jp-InputArea-editor').getBoundingClientRect().width")
    output = browser.run("document.querySelector('.jp-CodeCell .jp-OutputArea-output').getBoundingClientRect().width")
    assert code > 2 * widest and output > 2 * widest, "code and outputs may be as wide as the window"
    browser.resize(1400, 1000)


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_boxes_are_boxes_in_light_and_dark(lab, theme):
    browser, address = lab
    open_page(browser, address.format("notebooks/05_send_events.ipynb"))
    browser.until(f"{BOXES}.length", what="a box")
    browser.run(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}}).then(() => true)")
    browser.until(f"document.body.dataset.jpThemeName === '{theme}'", what=theme)
    for box in browser.run(BOXES):
        assert box["contrast"] >= 4.5 and box["edge"] >= 4 and box["ground"] != box["page"], box


def css(selector: str, style: str) -> str:
    return f"getComputedStyle(document.querySelector(`.jp-Notebook {selector}`)).{style}"


def left(selector: str) -> str:
    return f"document.querySelector(`.jp-Notebook {selector}`).getBoundingClientRect().left"


#: Of each verdict's sign: whether it has been made brighter.
SIGNS = """[...document.querySelectorAll('.jp-Notebook .jp-RenderedHTML div > b > span')]
    .map(each => getComputedStyle(each).filter.startsWith('brightness(1.'))"""


def test_nothing_is_out_of_place_and_nothing_dazzles(lab):
    browser, address = lab
    browser.resize(1920, 1000)
    run_all_cells(browser, address.format("notebooks/look.ipynb"))
    browser.until("!!document.querySelector('.jp-RenderedImage img')?.naturalWidth", what="the chart")
    assert browser.run(left(".jp-RenderedMarkdown table")) == browser.run(left(".jp-RenderedMarkdown p"))
    assert browser.run(css("blockquote code", "backgroundColor")) != browser.run(css("blockquote", "backgroundColor"))
    assert browser.run(css(".jp-RenderedText pre", "wordBreak")) == "normal", "what is printed breaks between words"
    for code in (".highlight pre", ".jp-RenderedMarkdown pre", ".jp-RenderedMarkdown pre > code"):
        assert browser.run(css(code, "whiteSpace")) == "pre", "code that is shown keeps its lines"
    cells = "[...document.querySelectorAll('.jp-Notebook .cm-scroller')].filter(each => each.clientWidth)"
    assert browser.run(f"{cells}.every(each => each.scrollWidth <= each.clientWidth)"), "all of a cell's code is seen"
    for theme, filtered in {"JupyterLab Light": "none", "JupyterLab Dark": "brightness(0.85)"}.items():
        change = f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})"
        browser.run(f"{change}.then(() => true)")
        browser.until(f"document.body.dataset.jpThemeName === '{theme}'", what=theme)
        assert browser.run(css(".jp-RenderedImage img", "filter")) == filtered
    assert browser.run(SIGNS) == [True] * 3, "the signs of verdicts are seen on a dark page"
    browser.resize(1400, 1000)


def test_the_file_browser_tells_lessons_apart(lab):
    browser, address = lab
    open_page(browser, address.format("notebooks/GLOSSARY.md"))
    names = "[...document.querySelectorAll('.jp-DirListing-content .jp-DirListing-itemText')]"
    there = f"{names}.filter(each => each.textContent.endsWith('.ipynb') && each.clientWidth)"
    browser.until(f"{there}.length > 14", what="the lessons")
    shown = browser.run(f"{there}.map(each => [each.textContent, each.clientWidth / each.scrollWidth])")
    for name, share in shown:
        assert share > 0.85, f"{name} is cut off before it tells which lesson it is"


# --- front ends that are not JupyterLab ---


def test_a_lesson_in_notebook_7(notebook_7):
    browser, address = notebook_7
    run_all_cells(browser, address.format("notebooks/probe.ipynb"))
    known = list(browser.errors)
    run_all_cells(browser, address.format("notebooks/06_explore_the_orders.ipynb"))
    seen = {
        "the diagram": 'img[src^="data:image/svg+xml"], .jp-RenderedSVG svg',
        "the DataFrame": "table.dataframe",
        "a chart": 'img[src^="data:image/png"]',
    }
    check_lesson(browser, seen, known)
    assert all(70 <= paragraph["letters"] <= 90 for paragraph in browser.run(LINES)), "it has the same look"


def test_links_open_their_page_in_notebook_7(notebook_7):
    """In a tab of its own, as text: Notebook 7 renders no page, and so can go to no entry."""
    browser, address = notebook_7
    run_all_cells(browser, address.format("notebooks/probe.ipynb"))
    browser.run("window.opened = []; window.open = address => { window.opened.push(String(address)) }")
    for page, anchor, heading in LINKS:
        browser.until(f"!!{link(page, anchor)}", what=f"the link to {anchor}")
        browser.run(f"{link(page, anchor)}.click()")
        there = browser.until("window.opened.pop()", what="its page")
        assert f"## {heading}\n" in browser.run(f"fetch({json.dumps(there)}).then(answer => answer.text())")


def test_a_lesson_as_vs_code_runs_it(tmp_path, monkeypatch):
    """A kernel of `.venv`, started elsewhere and without what a terminal or JupyterLab would have set."""
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "JPY_SESSION_NAME", "WORKBOOK_LESSON"):
        monkeypatch.delenv(name, raising=False)
    lesson = nbformat.read(NOTEBOOKS / "04_create_the_rule.ipynb", as_version=4)
    NotebookClient(lesson, kernel_name="python3", timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    assert list(tmp_path.iterdir()) == [], "it looks for nothing, and leaves nothing, where the kernel was started"
