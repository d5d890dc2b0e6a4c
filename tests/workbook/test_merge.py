"""A new release of a lesson comes into the learner's copy: each rule, cell by cell."""

from __future__ import annotations

import copy

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.lab.merge import is_fresh, merge
from helpers.lessons.notebook_files import parse, text_of


def cell(cell_id: str | None, source: str, run: bool = False, **metadata) -> dict:
    made = {"cell_type": "code", "source": [source], "metadata": metadata, "outputs": [], "execution_count": None}
    if run:
        made |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["ran"]}], "execution_count": 7}
    return made if cell_id is None else {"id": cell_id} | made


def notebook(*cells: dict, **metadata) -> dict:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def of(text: str, run: bool = False) -> dict:
    """A notebook from "a:1 b:2": the cells' ids and sources."""
    return notebook(*(cell(*word.split(":"), run=run) for word in text.split()))


def to_text(merged: dict) -> str:
    return " ".join(f"{each['id']}:{''.join(each['source'])}" for each in merged["cells"])


@pytest.mark.parametrize(
    "base, mine, new, result, kept",
    [
        ("a:1 b:1", "a:1 b:1", "a:1 b:2", "a:1 b:2", ()),  # untouched: follows
        ("a:1 b:1", "a:1 b:9", "a:2 b:1", "a:2 b:9", ()),  # the learner's stays
        ("a:1 b:1", "a:1 b:9", "a:1 b:2", "a:1 b:9", ("b",)),  # both: the learner's stays, and is told
        ("a:1 b:1", "a:1 b:2", "a:1 b:2", "a:1 b:2", ()),  # both made the same of it
        ("a:1 b:1", "a:1 x:9 b:1", "a:1 b:2", "a:1 x:9 b:2", ()),  # added: stays in place
        ("a:1 b:1", "x:9 a:1 b:1 y:9", "a:2 b:1", "x:9 a:2 b:1 y:9", ()),  # at either end, too
        ("a:1 b:1", "a:1 b:1", "a:1 n:1 b:1", "a:1 n:1 b:1", ()),  # new in the release: comes in
        ("a:1 b:1", "a:1 x:9 b:1", "a:1 n:1 b:1", "a:1 x:9 n:1 b:1", ()),  # both at the same place
        ("a:1 b:1 c:1", "a:1 b:1 c:1", "a:1 c:1", "a:1 c:1", ()),  # dropped by the release: goes
        ("a:1 b:1 c:1", "a:1 b:9 x:9 c:1", "a:1 c:1", "a:1 b:9 x:9 c:1", ()),  # unless it was changed
        ("a:1 b:1", "a:1", "a:1 b:1 n:1", "a:1 n:1", ()),  # deleted by the learner: stays away
        ("a:1 b:1", "a:1", "a:1 b:2", "a:1", ("b",)),
        ("a:1 b:1", "a:1 b:9", "c:1 d:1", "c:1 d:1 b:9", ()),  # all others have other ids: not before the title
        ("a:1 b:1 c:1", "a:1 x:9 c:1", "n:1 c:1", "n:1 x:9 c:1", ()),
        ("a:1", "x:9 a:1", "n:1", "x:9 n:1", ()),
        ("a:1 b:1 c:1", "a:1 b:1 c:1", "c:1 a:1 b:1", "c:1 a:1 b:1", ()),  # moved by the release
        ("a:1 b:1 c:1", "c:1 a:1 x:9 b:1", "a:1 b:2 n:1 c:1", "c:1 a:1 x:9 b:2 n:1", ()),  # moved by the learner
    ],
)
def test_each_cell_follows_the_release_or_stays_the_learners(base, mine, new, result, kept):
    merged = merge(of(base), of(mine), of(new))
    assert (to_text(merged.notebook), merged.kept_own) == (result, kept)
    again = merge(of(new), merged.notebook, of(new))
    assert (again.notebook, again.kept_own) == (merged.notebook, ()), "it is told once, and stays so"


def test_line_ends_of_windows_are_no_change():
    base, mine, new = (notebook(cell("a", text)) for text in ("one\ntwo", "one\r\ntwo", "one\nthree"))
    assert to_text(merge(base, mine, new).notebook) == "a:one\nthree"


def test_outputs_stay_with_cells_that_the_release_has_not_changed():
    merged = merge(of("a:1 b:1"), of("a:1 b:1 x:9", run=True), of("a:1 b:2")).notebook
    a, b, own = merged["cells"]
    assert a["outputs"] and a["execution_count"] == 7 and own["outputs"]
    assert b["outputs"] == [] and b["execution_count"] is None


def test_metadata_follow_the_release_but_for_what_the_learner_has_changed():
    base = notebook(cell("a", "1", tags=["old"], fold=False), kernelspec="python3", workbook=1)
    mine = notebook(cell("a", "1", tags=["old"], fold=True, editor=1), kernelspec="my-own", workbook=1)
    new = notebook(cell("a", "1", tags=["build"], fold=False), kernelspec="python3", workbook=2)
    merged = merge(base, mine, new).notebook
    assert merged["cells"][0]["metadata"] == {"tags": ["build"], "fold": True, "editor": 1}
    assert merged["metadata"] == {"kernelspec": "my-own", "workbook": 2}


def test_a_cell_that_was_cut_and_pasted_is_known_by_its_text():
    merged = merge(of("a:1 b:2 c:3"), of("b:2 c:3 zz:1"), of("a:1 b:2 c:4"))
    assert to_text(merged.notebook) == "b:2 c:4 a:1" and merged.kept_own == ()


def test_an_editor_that_drops_ids_loses_nothing():
    mine = notebook(cell(None, "1"), cell(None, "my own"), cell(None, "2")) | {"nbformat_minor": 4}
    merged = merge(of("a:1 b:2"), mine, of("a:1 b:3")).notebook
    assert [each["source"] for each in merged["cells"]] == [["1"], ["my own"], ["3"]]
    nbformat.validate(nbformat.from_dict(merged))


def test_a_copied_cell_with_the_same_id_is_a_cell_of_its_own():
    merged = merge(of("a:1 b:1"), of("a:1 a:9 b:1"), of("a:2 b:1")).notebook
    assert [each["source"] for each in merged["cells"]] == [["2"], ["9"], ["1"]]
    assert len({each["id"] for each in merged["cells"]}) == 3


def test_fresh_is_what_nobody_has_written_into_or_run():
    base = of("a:1 b:2")
    assert is_fresh(copy.deepcopy(base), base)
    assert not any(is_fresh(of(mine), base) for mine in ("a:1", "a:1 b:3", "b:2 a:1", "a:1 b:2 c:3"))
    assert not is_fresh(of("a:1 b:2", run=True), base)


def notebooks(sources: str) -> st.SearchStrategy[dict]:
    """Notebooks of up to six cells in any order, with these sources."""
    cells = st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from(sources), max_size=6)
    ordered = cells.flatmap(lambda chosen: st.permutations(sorted(chosen.items())))
    return ordered.map(lambda pairs: of(" ".join(f"{key}:{value}" for key, value in pairs)))


@given(notebooks("12"), notebooks("1289"), notebooks("12"))
def test_whatever_the_three_are_nothing_of_the_learners_is_lost(base, mine, new):
    """The learner has written 8 and 9, and copied the rest from the release."""
    merged = merge(base, mine, new).notebook
    before, own, released, result = (
        {each["id"]: each["source"] for each in one["cells"]} for one in (base, mine, new, merged)
    )
    assert len(result) == len(merged["cells"])
    for cell_id, source in own.items():
        assert source[0] in "12" or result[cell_id] == source
    assert released.keys() - before.keys() <= result.keys(), "what is new comes in"
    assert parse(text_of(merged)) == merged


@given(notebooks("12"), notebooks("12"))
def test_a_copy_that_nobody_has_touched_becomes_the_new_release(base, new):
    assert merge(base, base, new).notebook == new
