"""Prices and quotas stand in one page, with dates and sources; lessons and pages say nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from helpers.paths import NOTEBOOKS, PROJECT

PAGE = NOTEBOOKS / "PRICES_AND_QUOTAS.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]
PRICES = [row for row in ROWS if len(row) == 4 and row[1] not in ("USD", "---")]
QUOTAS = [row for row in ROWS if len(row) == 5 and row[1] not in ("Figure", "---")]
NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
#: "0.10 USD for a GB", "at 0.30 USD each", "0.04048 USD per vCPU-hour": a price, and no sum that somebody paid.
PRICE = re.compile(rf"({NUMBER}) USD(?: (?:per|for|a|an|each)\b)")
LIMIT = re.compile(rf"\b(?:up to|at most|no more than|a limit of|a quota of|maximum of) ({NUMBER})(?= ?\w)")
IN_CODE = re.compile(r"(?<![\w.])(\d+\.\d+)(?![\w.])")
#: Figures that are ours or come out of a lesson's own cells, by file: what they are.
OURS: dict[str, dict[str, str]] = {
    "GROWING.md": {"2.158": "what lesson 12 works out for a million orders"},
}


def numbers(text: str) -> set[float]:
    return {float(number.replace(",", "")) for number in re.findall(NUMBER, text)}


def priced() -> set[float]:
    """The prices of the page."""
    return {number for row in PRICES for number in numbers(row[1])}


def limited() -> set[float]:
    """The quotas of the page, and the sizes in which its prices count."""
    return {number for row in QUOTAS for number in numbers(row[1])} | {n for row in PRICES for n in numbers(row[0])}


def texts() -> list[tuple[Path, str]]:
    """What people read: the Markdown of each lesson, the pages, the README."""
    pages = [path for path in sorted(NOTEBOOKS.glob("*.md")) if path != PAGE] + [PROJECT / "README.md"]
    lessons = [
        (path, "\n\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"))
        for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    ]
    return lessons + [(path, path.read_text(encoding="utf-8")) for path in pages]


TEXTS = texts()


def test_each_row_has_a_date_and_a_source_of_aws():
    assert len(PRICES) > 20 and len(QUOTAS) > 20
    for row in (*PRICES, *QUOTAS):
        assert numbers(row[1]), row
        assert re.fullmatch(r"(September|October|November|December) 20\d\d", row[-2]), row
        assert row[-1] == "the same" or re.fullmatch(r"\[.+\]\(https://(docs\.)?aws\.amazon\.com/.+\)", row[-1]), row


@pytest.mark.parametrize("path, text", TEXTS, ids=[path.name for path, _ in TEXTS])
def test_no_price_stands_elsewhere_alone(path, text):
    unknown = {found for found in PRICE.findall(text) if not numbers(found) <= priced()}
    assert unknown <= set(OURS.get(path.name, {})), f"{path.name}: put them into {PAGE.name}, or among OURS here"


@pytest.mark.parametrize("path, text", TEXTS, ids=[path.name for path, _ in TEXTS])
def test_no_quota_stands_elsewhere_alone(path, text):
    unknown = {found for found in LIMIT.findall(text) if not numbers(found) <= limited()}
    assert unknown <= set(OURS.get(path.name, {})), f"{path.name}: put them into {PAGE.name}, or among OURS here"


@pytest.mark.parametrize("path, text", TEXTS, ids=[path.name for path, _ in TEXTS])
def test_what_names_a_price_leads_to_the_page(path, text):
    if PRICE.search(text):
        assert f"]({'notebooks/' if path.name == 'README.md' else ''}{PAGE.name}#" in text
    assert not re.search(r"https://aws\.amazon\.com/[\w/-]*pricing", text), "the page has the sources"


def test_prices_in_code_are_those_of_the_page():
    """A cell, check or solution that computes with prices takes them from the page."""
    cells = [
        (f"{path.name}, {cell.id}", path.name, cell.source)
        for path in sorted(NOTEBOOKS.glob("*.ipynb"))
        for cell in nbformat.read(path, 4).cells
        if cell.cell_type == "code"
    ]
    folders = (PROJECT / "helpers" / "exercises", NOTEBOOKS / "solutions")
    cells += [(p.name, p.name, p.read_text(encoding="utf-8")) for f in folders for p in sorted(f.glob("*.py"))]
    wrong = []
    for place, name, source in cells:
        for line in source.splitlines():
            if re.search(r"\bUSD\b|price|PRICE", line):
                unknown = {n for n in IN_CODE.findall(line) if float(n) not in priced()}
                wrong += [f"{place}: {n} in {line.strip()}" for n in unknown - set(OURS.get(name, {}))]
    assert wrong == []


def test_nothing_is_ours_that_nobody_says():
    said = {path.name: text for path, text in TEXTS}
    for name, figures in OURS.items():
        text = said.get(name) or (NOTEBOOKS / "solutions" / name).read_text(encoding="utf-8")
        if name.endswith(".ipynb"):
            text += "\n".join(cell.source for cell in nbformat.read(NOTEBOOKS / name, 4).cells)
        assert all(figure in text and why for figure, why in figures.items()), name
