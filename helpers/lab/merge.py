"""Bring a new release of a lesson into the learner's copy of it, cell by cell, and lose nothing of the learner's.

Three notebooks are compared: the release from which the copy was made, the copy, and the new release. Cells are known
by their ids (https://jupyter.org/enhancement-proposals/62-cell-id/cell-id.html); a cell has changed when its text has.

- A cell that the learner has not changed follows the release. If the release has not changed it, its outputs stay.
- A cell that the learner has changed, added or deleted stays so, where it is. What both have changed is reported.
- A cell that the release has dropped goes, if the learner has not changed it.
"""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from typing import Any

from helpers.lessons.notebook_files import Notebook

Cell = dict[str, Any]


@dataclass(frozen=True)
class Merged:
    """The learner's notebook after a new release, and the ids of released cells that it goes without."""

    notebook: Notebook
    kept_own: tuple[str, ...]  # the learner's and the release's cell have both changed: the learner's stays


def merge(base: Notebook, mine: Notebook, new: Notebook) -> Merged:
    """Return the learner's notebook `mine`, made from the release `base`, after the release `new`."""
    mine = _recognized(mine, base)
    before, own, released = (_by_id(notebook) for notebook in (base, mine, new))
    cells, kept = {}, []
    for cell_id, cell in own.items():
        now = released.get(cell_id)
        was = before.get(cell_id, now)
        untouched = was is not None and same(was, cell)
        if now is None and not untouched:
            cells[cell_id] = cell
        elif now is not None and was is not None:
            follows = untouched and not same(now, cell)
            cells[cell_id] = (now if follows else cell) | {"metadata": _three_way(was, cell, now)}
            if not untouched and not same(was, now) and not same(cell, now):
                kept.append(cell_id)
    for cell_id, cell in released.items():
        if cell_id not in own and cell_id not in before:
            cells[cell_id] = cell
        elif cell_id not in own and not same(before[cell_id], cell):
            kept.append(cell_id)
    order = _order(list(before), list(own), list(released), set(cells))
    notebook = {
        "cells": [copy.deepcopy(cells[cell_id]) for cell_id in order],
        "metadata": _three_way(base, mine, new),
        "nbformat": new["nbformat"],
        "nbformat_minor": max(mine.get("nbformat_minor", 0), new.get("nbformat_minor", 0)),
    }
    return Merged(notebook, tuple(kept))


def same(one: Cell, other: Cell) -> bool:
    """Return whether two cells say the same: outputs and metadata aside."""
    return _content(one) == _content(other)


def is_fresh(mine: Notebook, base: Notebook) -> bool:
    """Return whether the notebook is as it was made: nothing is written into it, moved or run."""
    cells = zip(mine["cells"], base["cells"], strict=False)
    as_made = len(mine["cells"]) == len(base["cells"]) and all(same(*pair) for pair in cells)
    return as_made and not any(cell.get("outputs") for cell in mine["cells"])


def _content(cell: Cell) -> tuple[str, str, object]:
    text = "".join(cell["source"]).replace("\r\n", "\n")  # of an editor on Windows
    return cell["cell_type"], text, cell.get("attachments") or {}


def _by_id(notebook: Notebook) -> dict[str, Cell]:
    return {_id(cell) or str(number): cell for number, cell in enumerate(notebook["cells"])}


def _id(cell: Cell) -> str:
    """Return the id of a cell; "" without one, and for what is none."""
    found = cell.get("id")
    return found if isinstance(found, str) else ""


def _recognized(mine: Notebook, base: Notebook) -> Notebook:
    """Return the learner's notebook with an id in each cell, none twice.

    Some editors drop ids, and a cell that was cut and pasted has a new one: it is known by its text then.
    """
    missing = {key: cell for key, cell in _by_id(base).items() if key not in _by_id(mine)}
    seen: set[str] = set()
    cells = []
    for cell in mine["cells"]:
        cell_id = _id(cell)
        if not cell_id or cell_id in seen or cell_id not in _by_id(base):
            found = next((key for key, lost in missing.items() if same(lost, cell)), None)
            if found:
                del missing[found]
            cell_id = found or (cell_id if cell_id and cell_id not in seen else uuid.uuid4().hex[:8])
        seen.add(cell_id)
        cells.append(cell | {"id": cell_id})
    return mine | {"cells": cells}


def _three_way(base: dict[str, Any], mine: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a cell or a notebook: each entry is the release's unless the learner's has changed."""
    was, own, now = (each["metadata"] for each in (base, mine, new))
    chosen = {key: (own if own.get(key) != was.get(key) else now) for key in [*own, *now]}
    return {key: source[key] for key, source in chosen.items() if key in source}


def _order(before: list[str], own: list[str], released: list[str], wanted: set[str]) -> list[str]:
    """Return the ids in the order of the release, or in the learner's if that is another than it was made with.

    What only the other of the two has comes after what it came after there; if all of that is gone, before what came
    next; if that is gone, too, last.
    """
    moved = [each for each in own if each in before] != [each for each in before if each in own]
    spine, other = (own, released) if moved else (released, own)
    order = [cell_id for cell_id in spine if cell_id in wanted]
    others = [cell_id for cell_id in other if cell_id in wanted]
    previous = None
    for number, cell_id in enumerate(others):
        if cell_id not in order:
            following = (order.index(each) for each in others[number:] if each in order)
            first = 0 if cell_id == other[0] else next(following, len(order))
            order.insert(order.index(previous) + 1 if previous else first, cell_id)
        previous = cell_id
    return order
