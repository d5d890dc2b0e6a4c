"""helpers.authoring.notebooks writes lessons in a form that changes no more than it must."""

from __future__ import annotations

import contextlib
import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.authoring import notebooks
from helpers.authoring.notebooks import equal_outputs, is_compared, keep_equal_outputs, normal


def text(words: str, name: str = "stdout"):
    return new_output("stream", name=name, text=words)


def notebook_of(*outputs, **cell) -> nbformat.NotebookNode:
    return new_notebook(cells=[new_code_cell("…", id="it", outputs=list(outputs), **cell)])


def normal_cell(*outputs, **cell):
    return normal(notebook_of(*outputs, **cell)).cells[0]


def test_metadata_of_editors_is_left_out():
    notebook = notebook_of(metadata={"tags": ["build"], "execution": {"iopub.status.busy": "now"}, "collapsed": True})
    notebook.metadata = {"workbook": {"provides": ["role"]}, "widgets": {}, "language_info": {"version": "3.13.2"}}
    result = normal(notebook)
    assert result.cells[0].metadata == {"tags": ["build"]}
    assert result.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "workbook": {"provides": ["role"]},
    }


def test_cells_are_counted_in_their_order():
    cells = [new_code_cell("1", execution_count=9), new_markdown_cell("…"), new_code_cell("2", execution_count=3)]
    cells[2].outputs = [new_output("execute_result", data={"text/plain": "2"}, execution_count=3)]
    first, _, second = normal(new_notebook(cells=cells)).cells
    assert (first.execution_count, second.execution_count, second.outputs[0].execution_count) == (1, 2, 2)


def test_streams_are_written_as_they_look_in_the_end():
    [stream] = normal_cell(text("1/2\r"), text("2/2\r2/2\n"), text("done\n")).outputs
    assert stream.text == "2/2\ndone\n"


def test_tracebacks_keep_the_cell_and_lose_the_files_of_this_machine():
    frames = [
        "\x1b[31m----\x1b[39m",
        "Cell In[3], line 1\n----> 1 f()",
        "File \x1b[32m/somewhere/x.py:1\x1b[39m …",
        "E: x",
    ]
    [error] = normal_cell(new_output("error", ename="E", evalue="x", traceback=frames)).outputs
    assert error.traceback == [frames[0], frames[1], frames[3]]


def test_the_normal_form_is_its_own_normal_form():
    once = normal(notebook_of(text("a\rb\n"), text("careful", "stderr")))
    assert normal(copy.deepcopy(once)) == once


@pytest.mark.parametrize("one, other, equal", [
    (text("took 1.2 ms"), text("took 88 ms"), True),
    (text("took 1.2 s"), text("took 88 s"), False),
    (text("a"), text("a", "stderr"), False),
    (new_output("error", ename="E", evalue="x", traceback=["1"]), new_output("error", ename="E", evalue="x"), True),
    (new_output("error", ename="E", evalue="x"), new_output("error", ename="E", evalue="y"), False),
])  # fmt: skip
def test_outputs_are_compared_as_nbval_does(one, other, equal):
    assert equal_outputs([one], [other]) is equal


def test_an_equal_output_stays_as_it_was_stored():
    stored, executed = notebook_of(text("took 1.2 ms")), notebook_of(text("took 88 ms"))
    assert keep_equal_outputs(stored, executed).cells[0].outputs[0].text == "took 1.2 ms"
    executed.cells[0].outputs = [text("took 88 s")]
    assert keep_equal_outputs(stored, executed).cells[0].outputs[0].text == "took 88 s"


def test_new_pictures_are_written_but_do_not_fail_a_check():
    old, new = (
        notebook_of(new_output("display_data", data={"image/png": data, "text/plain": "<Figure>"}))
        for data in ("b2xk", "bmV3")
    )
    assert keep_equal_outputs(old, new).cells[0].outputs[0].data["image/png"] == "bmV3"
    assert keep_equal_outputs(old, new, pictures=False).cells[0].outputs[0].data["image/png"] == "b2xk"


@pytest.mark.parametrize("source, tags, compared", [
    ("1", [], True),
    ("1", ["build", "raises-exception"], True),
    ("1", ["nbval-ignore-output"], False),
    ("# NBVAL_IGNORE_OUTPUT\n1", [], False),
    ("1", ["nbval-skip"], False),
])  # fmt: skip
def test_cells_that_nbval_does_not_compare_are_known(source, tags, compared):
    assert is_compared(new_code_cell(source, metadata={"tags": tags})) is compared


def test_the_command_writes_once_and_then_finds_nothing_to_change(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(notebooks, "throw_away_account", contextlib.nullcontext)  # the cell asks nothing of an AWS
    path = tmp_path / "some.ipynb"
    notebook = new_notebook(cells=[new_code_cell("import time\nprint(time.time_ns() % 1000, 'ms')", id="now")])
    nbformat.write(notebook, path)
    before = path.read_text(encoding="utf-8")
    assert notebooks.main(["--check", str(path)]) == 1
    assert path.read_text(encoding="utf-8") == before
    assert notebooks.main([str(path)]) == 0
    written = path.read_text(encoding="utf-8")
    assert notebooks.main([str(path)]) == 0 and notebooks.main(["--check", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == written != before
    said = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    assert said == ["would change", "written", "unchanged", "unchanged"]


def test_the_command_names_the_cell_that_fails(tmp_path, capsys):
    path = tmp_path / "some.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), path)
    before = path.read_text(encoding="utf-8")
    assert notebooks.main([str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == before
