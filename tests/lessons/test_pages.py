"""The pages beside the lessons: the glossary, and what to do when it does not work."""

from __future__ import annotations

import ast
import json
import re
import sys
from types import SimpleNamespace

import pytest

from helpers.errors import HELP, WorkbookError
from helpers.paths import NOTEBOOKS, PROJECT
from helpers.target import connection

PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(NOTEBOOKS.glob("*.md"))}
GLOSSARY, HELP_PAGE = PAGES["GLOSSARY.md"], PAGES["WHEN_IT_DOES_NOT_WORK.md"]


#: A link from code or from a lesson to a place on a page: the page and its anchor.
LINK = re.compile(r"\b((?:GLOSSARY|WHEN_IT_DOES_NOT_WORK|PRICES_AND_QUOTAS)\.md)#([^\s)\"'\\`]+)")


def slug(title: str) -> str:
    """The anchor that GitHub makes of a heading. JupyterLab's own keeps the capitals, so that it is another one."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def anchors(page: str) -> list[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    return [slug(title) for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)]


def explicit_anchors(page: str) -> list[str]:
    """The anchors that a page names itself, and that lead to the same place everywhere."""
    return re.findall(r'<a id="([^"]+)"></a>', page)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = NOTEBOOKS / file if file else NOTEBOOKS / name
        assert path.is_file(), target
        page = path.read_text(encoding="utf-8")
        if anchor:
            assert anchor in explicit_anchors(page), target


@pytest.mark.parametrize("name", ["GLOSSARY.md", "WHEN_IT_DOES_NOT_WORK.md"])
def test_every_entry_has_an_anchor_that_is_the_same_in_every_front_end(name):
    entries = re.findall(r'^<a id="([^"]+)"></a>\n\n## (.+)$', PAGES[name], re.MULTILINE)
    assert [anchor for anchor, _ in entries] == [slug(title) for _, title in entries]
    assert [title for _, title in entries] == re.findall(r"^## (.+)$", PAGES[name], re.MULTILINE)


@pytest.mark.parametrize("lesson", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_links_of_lessons_lead_to_an_explicit_anchor(lesson):
    cells = json.loads((NOTEBOOKS / lesson).read_text(encoding="utf-8"))["cells"]
    for page, anchor in LINK.findall("\n".join("".join(cell["source"]) for cell in cells)):
        assert page in PAGES and anchor in explicit_anchors(PAGES[page]), f"{page}#{anchor}"


@pytest.mark.parametrize("lesson", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_outputs_need_nothing_that_only_one_front_end_has(lesson):
    """VS Code and GitHub have none of JupyterLab's colours, run no script, and may have no widgets."""
    cells = json.loads((NOTEBOOKS / lesson).read_text(encoding="utf-8"))["cells"]
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    for kind in {kind for data in shown for kind in data}:
        assert kind in {"text/plain", "text/html", "text/markdown", "image/svg+xml", "image/png"}
    html = "\n".join("".join(data.get("text/html", "")) for data in shown)
    assert not re.search(r"--jp-|--vscode-|<script|<iframe|\bon\w+=\"|[\"'(]/(?!/)[\w/]+\.\w+[\"')]", html)


def test_verdicts_lead_to_an_explicit_anchor_of_the_glossary():
    named = set()
    for path in sorted((PROJECT / "helpers" / "exercises").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            given = isinstance(node, ast.keyword) and node.arg == "see"
            default = isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "see"
            table = isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["SEE"]
            named |= texts(node.value) if given or default or table else set()
    assert len(named) > 30
    assert named - {""} <= set(explicit_anchors(GLOSSARY))


def texts(value: ast.expr | None) -> set[str]:
    """What an expression may be: a text, one of several, or what stands elsewhere in the same package."""
    if isinstance(value, ast.IfExp):
        return texts(value.body) | texts(value.orelse)
    if isinstance(value, ast.Dict):
        return set().union(*map(texts, value.values))
    if isinstance(value, ast.Constant):
        return {str(value.value)}
    elsewhere = ast.unparse(value) if value else ""
    assert elsewhere.endswith(".see") or elsewhere.startswith("SEE"), f"this test cannot tell what {elsewhere} will be"
    return set()


@pytest.mark.parametrize("name", PAGES)
def test_no_heading_occurs_twice(name):
    assert len(set(anchors(PAGES[name]))) == len(anchors(PAGES[name]))


def test_the_glossary_is_in_order_and_each_word_leads_to_a_lesson_that_uses_it():
    entries = re.findall(r"^## (.+)\n\n(.+(?:\n.+)*)$", GLOSSARY, re.MULTILINE)
    words = [word for word, _ in entries]
    assert words == sorted(words, key=str.lower) and len(words) == len(anchors(GLOSSARY)) - 1
    for word, meaning in entries:
        lessons = re.findall(r"\]\((\d\d_\w+\.ipynb)\)", meaning)
        assert lessons, f"{word} leads to no lesson"
        used = [(NOTEBOOKS / lesson).read_text(encoding="utf-8").lower() for lesson in lessons]
        assert all(squeezed(word) in squeezed(text) for text in used), f"{word} does not occur in {lessons}"


def squeezed(text: str) -> str:
    """Without what separates words: FilterExpression is a filter expression."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def sources():
    for path in sorted((PROJECT / "helpers").rglob("*.py")):
        if "local_aws" not in path.parts:
            yield path, path.read_text(encoding="utf-8")


def test_errors_lead_to_what_helps():
    named = {(path.name, anchor) for path, text in sources() for anchor in re.findall(r'more="([^"]+)"', text)}
    assert len(named) > 5
    assert {anchor for _, anchor in named} <= set(explicit_anchors(HELP_PAGE))
    assert connection.HELP in explicit_anchors(HELP_PAGE)
    assert HELP == "notebooks/WHEN_IT_DOES_NOT_WORK.md"


def test_the_page_quotes_what_is_said():
    """The beginnings of our own messages, as the page quotes them, occur in the code."""
    said = ""
    for _, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.JoinedStr, ast.Constant)):
                values = node.values if isinstance(node, ast.JoinedStr) else [node]
                said += "\n" + "…".join(str(value.value) if isinstance(value, ast.Constant) else "" for value in values)
    quotes = re.findall(r"^> (?:WorkbookError|WaitTimeout): (.+)$", HELP_PAGE, re.MULTILINE)
    assert len(quotes) > 5
    for quote in quotes:
        parts = [part.strip() for part in re.split(r"…|04_create_the_rule|30 s", quote) if part.strip()]
        assert all(part in said for part in parts), quote


def test_an_error_without_more_is_the_message_alone():
    assert str(WorkbookError("Do this.")) == "Do this."
    assert str(WorkbookError("Do this.", more="start-over")) == f"Do this. More: {HELP}#start-over"


@pytest.mark.parametrize("front_end", [True, False])
def test_a_notebook_shows_an_errors_page_as_a_link_once_and_a_terminal_names_it(monkeypatch, front_end):
    published = []
    shell = SimpleNamespace(display_pub=SimpleNamespace(publish=published.append))
    if front_end:
        shell.kernel = object()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    error = WorkbookError("Do this.", more="start-over")
    shown = [error._render_traceback_() for _ in range(2)]  # IPython asks twice
    if front_end:
        assert shown == [["WorkbookError: Do this."]] * 2
        [data] = published
        assert '<a href="WHEN_IT_DOES_NOT_WORK.md#start-over">' in data["text/html"]
    else:
        assert shown == [[f"WorkbookError: Do this. More: {HELP}#start-over"]] * 2 and published == []
    assert str(error).endswith(f"More: {HELP}#start-over"), "whoever catches it reads all of it"
