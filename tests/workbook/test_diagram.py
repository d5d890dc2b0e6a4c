"""The diagram is deterministic, says what exists, and survives the pages that notebooks are shown on."""

from __future__ import annotations

import itertools
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from helpers.account.state import ADDITIONS, DRAWN, AccountState
from helpers.paths import PROJECT
from helpers.pictures import palette, shapes
from helpers.pictures.diagram import ARROWS, BOXES, Diagram
from tests.support.svg import SVG, image

BUILT = [part for part in DRAWN if part not in ADDITIONS]  # by part 1
PART_1 = AccountState(frozenset(BUILT))
EVERYTHING = AccountState(frozenset(DRAWN))
NOTHING = AccountState(frozenset())


def drawing(state: AccountState) -> ElementTree.Element:
    return ElementTree.fromstring(Diagram(state).svg())


def words(state: AccountState) -> list[str]:
    return [element.text for element in drawing(state).iter(f"{SVG}text")]


def dashed(state: AccountState) -> int:
    return sum("stroke-dasharray" in element.attrib for element in drawing(state).iter())


def test_a_whole_service_has_no_dashes_but_in_the_key():
    assert dashed(PART_1) == dashed(EVERYTHING) == 1


@pytest.mark.parametrize("part", BUILT)
def test_each_part_that_is_missing_shows(part):
    """…against everything else being there."""
    without = AccountState(frozenset(DRAWN) - {part})
    assert dashed(without) > dashed(EVERYTHING)
    assert DRAWN[part] in str(Diagram(without)).partition("Not there: ")[2]
    assert DRAWN[part] not in str(Diagram(without)).partition("Not there: ")[0]


@pytest.mark.parametrize("part", sorted(ADDITIONS))
def test_what_part_2_adds_shows_when_it_is_there_and_is_nowhere_called_missing(part):
    added = AccountState(PART_1.parts | {part})
    assert DRAWN[part] in str(Diagram(added)) and DRAWN[part] not in str(Diagram(PART_1))
    assert "Not there" not in str(Diagram(PART_1))
    assert words(added) != words(PART_1)
    without = AccountState(EVERYTHING.parts - {part})
    assert dashed(without) == dashed(EVERYTHING)
    assert words(without) != words(EVERYTHING)


def test_the_row_below_is_there_only_when_something_stands_in_it():
    heights = [int(drawing(state).get("height")) for state in (NOTHING, PART_1, EVERYTHING)]
    assert heights[0] == heights[1] < heights[2]
    for part in ("pattern", "least-privilege", "announcement"):
        assert int(drawing(AccountState(PART_1.parts | {part})).get("height")) == heights[1]


def test_states_that_differ_look_different():
    states = [
        AccountState(frozenset(parts)) for size in range(len(BUILT) + 1)
        for parts in itertools.combinations(BUILT, size)
    ]  # fmt: skip
    states += [AccountState(PART_1.parts | set(parts)) for size in range(1, len(ADDITIONS) + 1)
               for parts in itertools.combinations(sorted(ADDITIONS), size)]  # fmt: skip
    # Policies, a target or a permission cannot be without what they belong to.
    possible = [
        state for state in states
        if (state.has("role") or not state.has("policies")) and (state.has("rule") or not state.has("target"))
        and (state.has("function") or not (state.has("target") or state.has("permission")))
    ]  # fmt: skip
    drawn = {Diagram(state).svg().partition("</style>")[2] for state in possible}
    assert len(drawn) == len(possible) > 40


def test_the_same_state_gives_the_same_characters_in_every_process():
    program = (
        "from helpers.account.state import *; from helpers.pictures.diagram import *;"
        "print(Diagram(AccountState(frozenset(DRAWN))).svg(), end='')"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=PROJECT, env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1] == Diagram(EVERYTHING).svg().encode()


def test_names_of_resources_are_in_the_picture():
    shown = "".join(words(EVERYTHING))  # a long name is written in two lines
    assert all(box.name in shown for box in BOXES.values())
    assert {arrow.narrowed[1] if arrow.narrowed else arrow.label for arrow in ARROWS} <= set(words(EVERYTHING))
    assert {arrow.label for arrow in ARROWS if ADDITIONS.isdisjoint(arrow.parts)} <= set(words(NOTHING))


def test_a_notebook_gets_an_image_and_everybody_else_its_words():
    bundle = Diagram(NOTHING)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    svg, alternative = image(bundle["text/html"])
    assert ElementTree.canonicalize(svg) == ElementTree.canonicalize(Diagram(NOTHING).svg())
    description = drawing(NOTHING).find(f"{SVG}desc").text
    assert description == alternative == bundle["text/plain"] == str(Diagram(NOTHING)) == repr(Diagram(NOTHING))
    assert description.startswith("In the account: nothing. Not there: role microservice-role, ")
    assert "Not there" not in str(Diagram(EVERYTHING))


TELLING = {part for box in BOXES.values() for part in box.parts} | {"policies", "target", "permission"}


@pytest.mark.parametrize("part", sorted(TELLING))
def test_what_is_broken_is_marked_in_the_picture_and_in_words(part):
    """…whether the account still has the part or not, and not by a colour alone."""
    for parts in (EVERYTHING.parts, EVERYTHING.parts - {part}):
        broken = AccountState(parts, {part: "has a bad day"})
        assert "has a bad day" in " ".join(words(broken))
        assert str(Diagram(broken)) == f"{Diagram(EVERYTHING)} Not in order: {DRAWN[part]} (has a bad day)."
        assert shapes.warning(0, 0).count(palette.FAILED[0]) == 2
        assert Diagram(broken).svg().count(f'fill="{palette.FAILED[0]}"') >= 2, "a warning sign"


def test_a_bus_of_ones_own_shows():
    with_bus = AccountState(PART_1.parts, buses=("exercise-bus", "sample-orders-bus"))
    assert {"exercise-bus", "sample-orders-bus"} <= set(words(with_bus))
    assert "event bus exercise-bus, event bus sample-orders-bus." in str(Diagram(with_bus))
    assert "exercise-bus" not in Diagram(PART_1).svg()


def test_everything_stands_on_an_opaque_sheet_of_a_fixed_size():
    """Pages, light or dark, show through nowhere; and it keeps its size where the viewBox is lost."""
    root = drawing(NOTHING)
    width, height = int(root.get("width")), int(root.get("height"))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    assert width <= 930, "or it does not fit beside JupyterLab's file list in a window of 1,400 pixels"
    group = root.find(f"{SVG}g")
    scale = float(group.get("transform").removeprefix("scale(").removesuffix(")"))
    sheet = group.find(f"{SVG}rect")
    drawn = [scale * (float(sheet.get(side)) + 2) for side in ("width", "height")]
    assert drawn == pytest.approx([width, height], abs=1)
    assert sheet.get("fill") == "#ffffff"


def test_boxes_have_places_of_their_own():
    places = [(box.column, box.row) for box in BOXES.values()]
    assert len(set(places)) == len(places)
    assert all({arrow.start, arrow.end} <= set(BOXES) for arrow in ARROWS)
    named = {part for thing in (*BOXES.values(), *ARROWS) for part in thing.parts}
    named |= {arrow.badge for arrow in ARROWS if arrow.badge}
    assert named | {arrow.narrowed[0] for arrow in ARROWS if arrow.narrowed} == set(DRAWN)
