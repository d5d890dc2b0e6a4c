"""Execute lessons and write them as they are committed: `python3 -m helpers notebooks [--check] [NOTEBOOKS]`.

All named notebooks (default: all lessons, in order) run in one throw-away account of the embedded AWS. What
is written is in a normal form, so that executing again changes as little as possible: execution counts 1..n,
no volatile metadata, streams as they look in the end, tracebacks without this machine's paths. An output
that equals the stored one as nbval compares them (ids, times and durations aside) is left as it was.
"""

import argparse
import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from helpers.authoring import quick_imports  # noqa: F401  (before nbformat)

# isort: split

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from nbval.plugin import coalesce_streams, find_comment_markers, find_metadata_tags, get_sanitize_patterns

from helpers.authoring.isolation import throw_away_account
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS, PROJECT

SANITIZE = PROJECT / "tests" / "nbval_sanitize.cfg"
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CELL_TIMEOUT = 120  # seconds
#: Of a cell. alt: what a page says in place of the cell's chart; because: why nbval is told to overlook something.
KEPT_METADATA = ("alt", "because", "jupyter", "tags")
NOT_COMPARED = {"metadata", "traceback", "execution_count"}
PICTURES = {"image/png", "image/jpeg"}

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Return a copy of the notebook, executed in a new kernel whose working directory is `folder`, in normal form.

    Raises nbclient's CellExecutionError when a cell fails that is not tagged `raises-exception`.
    """
    executed = copy.deepcopy(notebook)
    # Not the kernelspec's Python, which may be another: the one that runs this, as nbval does.
    kernel = AsyncKernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager())
    client = NotebookClient(executed, km=kernel, timeout=CELL_TIMEOUT, resources={"metadata": {"path": str(folder)}})
    client.execute(stderr=subprocess.DEVNULL)  # the kernel's own remarks; what cells write comes another way
    return normal(executed)


def normal(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook in normal form: what is not the lesson's own is left out or made the same everywhere."""
    cells = [_normal_cell(cell) for cell in notebook.cells]
    code_cells = [cell for cell in cells if cell.cell_type == "code"]
    for count, cell in enumerate(code_cells, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    if "workbook" in notebook.metadata:
        metadata["workbook"] = notebook.metadata.workbook
    made: NotebookNode = nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    return made


def equal_outputs(some: list[Any], others: list[Any], pictures: bool = True) -> bool:
    """Return whether outputs are the same in what nbval compares and, if `pictures`, in the bytes of pictures."""
    return _comparable(some, pictures) == _comparable(others, pictures)


def is_compared(cell: NotebookNode) -> bool:
    """Return whether nbval compares the cell's outputs: unless a tag or comment of the cell says that it should not."""
    options = dict(find_metadata_tags(cell.metadata)) | dict(find_comment_markers(cell.source))
    return options.get("check", True) and not options.get("skip", False)


def keep_equal_outputs(stored: NotebookNode, executed: NotebookNode, pictures: bool = True) -> NotebookNode:
    """Return the executed notebook with the outputs of the stored one wherever they are equal.

    Without `pictures`, also wherever nbval does not compare them.
    """
    result = copy.deepcopy(executed)
    known = {cell.get("id"): cell.outputs for cell in stored.cells if cell.cell_type == "code"}
    for cell in result.cells:
        if cell.cell_type == "code" and cell.id in known:
            before = [_normal_output(output) for output in known[cell.id]]
            if equal_outputs(before, cell.outputs, pictures) or not (pictures or is_compared(cell)):
                cell.outputs = before
    return normal(result)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m helpers notebooks", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all lessons, in order")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    options = parser.parse_args(arguments)
    paths = options.notebooks or lesson_files(NOTEBOOKS)
    for path in paths:
        if path.suffix != ".ipynb" or not path.is_file():
            parser.error(f"{path} is no notebook; give a file such as notebooks/05_send_events.ipynb")
    changed = 0
    with throw_away_account():
        for path in paths:
            try:
                changed += _update_file(path, options.check)
            except CellExecutionError as error:
                print(f"{path.name}: a cell failed\n{error}", file=sys.stderr)
                return 1
    return 1 if options.check and changed else 0


def _update_file(path: Path, check: bool) -> bool:
    """Execute one notebook file and write it if anything changed; returns whether it did."""
    text = path.read_text(encoding="utf-8")
    stored = nbformat.reads(text, as_version=4)
    # Whether pictures are the same depends on fonts and versions: a check looks at what nbval looks at.
    result = nbformat.writes(keep_equal_outputs(stored, execute(stored, path.parent), pictures=not check)) + "\n"
    changed: bool = result != text
    if changed and not check:
        path.write_text(result, encoding="utf-8", newline="\n")
    print(f"{path.name}: {('would change' if check else 'written') if changed else 'unchanged'}", flush=True)
    return changed


def _normal_cell(cell: NotebookNode) -> NotebookNode:
    result = {
        "cell_type": cell.cell_type,
        "id": cell.id,
        "metadata": {key: cell.metadata[key] for key in KEPT_METADATA if cell.metadata.get(key)} | _slide(cell),
        "source": cell.source,
    }
    if cell.cell_type == "code":
        outputs = coalesce_streams([copy.deepcopy(output) for output in cell.outputs])
        result |= {"execution_count": None, "outputs": [_normal_output(output) for output in outputs]}
    made: NotebookNode = nbformat.from_dict(result)
    return made


def _slide(cell: NotebookNode) -> dict[str, Any]:
    """Return where slides begin, for `nbconvert --to slides`: at each heading, below it at each text with its code."""
    if cell.cell_type != "markdown":
        return {}
    return {"slideshow": {"slide_type": "slide" if cell.source.startswith("#") else "subslide"}}


def _normal_output(output: NotebookNode) -> NotebookNode:
    output = copy.deepcopy(output)
    if "metadata" in output:
        output.metadata = NotebookNode()
    if output.output_type == "error":
        output.traceback = [frame for frame in output.traceback if not _is_frame_elsewhere(frame)]
    return output


def _is_frame_elsewhere(frame: str) -> bool:
    """Return whether an entry of a traceback shows code outside of the notebook, with a path of this machine."""
    return _ANSI.sub("", frame).startswith("File ")


def _comparable(outputs: list[Any], pictures: bool) -> list[Any]:
    """Return the outputs as nbval looks at them: what varies by nature replaced as the sanitize file says."""
    left_out = NOT_COMPARED if pictures else NOT_COMPARED | PICTURES
    coalesced = coalesce_streams([copy.deepcopy(output) for output in outputs])
    return [
        {key: _sanitized(value, left_out) for key, value in output.items() if key not in left_out}
        for output in coalesced
    ]


def _sanitized(value: Any, left_out: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _sanitized(entry, left_out) for key, entry in value.items() if key not in left_out}
    if isinstance(value, str):
        for pattern, replacement in _patterns():
            value = re.sub(pattern, replacement, value)
    return value


def _patterns() -> list[tuple[str, str]]:
    patterns: list[tuple[str, str]] = get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8"))
    return patterns


if __name__ == "__main__":
    raise SystemExit(main())
