"""A process dies in the middle of work on a stack: at every point, that is between any two writes of the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import cut_stacks
from tests.support.cut_accounts import cut, recorded, run, visit
from tests.support.cut_stacks import template
from tests.support.levels import Level

FIRST, SECOND = template(1), template(2)
#: Work on a stack: what is there before, what is done, and how it ends.
WORK = {
    "create": (None, cut_stacks.create, [FIRST], "CREATE_COMPLETE"),
    "create, and roll back": (None, cut_stacks.create, [template(1, broken=True)], "ROLLBACK_COMPLETE"),
    "update": (FIRST, cut_stacks.update, [SECOND], "UPDATE_COMPLETE"),
    "update, and roll back": (FIRST, cut_stacks.update, [template(2, broken=True)], "UPDATE_ROLLBACK_COMPLETE"),
    "change set": (FIRST, cut_stacks.carry_out, [SECOND], "UPDATE_COMPLETE"),
    "delete": (FIRST, cut_stacks.delete, [], ""),
}


#: What the default level tries, at a few points.
AT_DEFAULT = ("create",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in AT_DEFAULT else [pytest.mark.deep]) for name in WORK]
)
def test_a_stack_goes_on_after_a_death_at_any_point(name: str, tmp_path: Path):
    before, deed, arguments, end = WORK[name]
    base, full = tmp_path / "base", tmp_path / "full"
    if before is None:
        run([(visit, base, cut_stacks.inventory)])
        untouched = ""
    else:
        [untouched] = run([(visit, base, cut_stacks.create, before)])
        assert untouched == "CREATE_COMPLETE"
    [written] = run([(recorded, base, full, deed, *arguments)])
    points = range(0, len(written) + 1, 1 if Level.everything else max(1, len(written) // 3))
    code_of = base if deed is cut_stacks.delete else None
    folders = [cut(base, full, tmp_path / f"cut-{point}", written[:point], code_of) for point in points]
    (_, was, *_), (_, becomes, *_) = run(
        [(visit, base, cut_stacks.come_to_rest), (visit, full, cut_stacks.come_to_rest)]
    )
    empty = None
    ends = run([(visit, folder, cut_stacks.come_to_rest) for folder in folders])
    for point, (status, there, deleted, left) in zip(points, ends, strict=True):
        where = f"{point} of {len(written)} writes"
        assert (status, there) in [(untouched, was), (end, becomes)], where
        assert deleted == "", where
        empty = empty or left
        assert left == empty, where
        assert not left["queues"] and not left["tables"] and not left["roles"] and not left["functions"], where
    assert ends[-1][0] == end
