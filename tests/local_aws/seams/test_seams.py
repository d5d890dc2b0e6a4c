"""The places of moto that are changed: known, in order, and noticed when another moto has them otherwise."""

from __future__ import annotations

import re
import sys
import types

import pytest

from helpers.local_aws import __main__ as command
from helpers.local_aws.seams import seam as seams
from helpers.local_aws.seams.seam import Why, instead, seam, swap
from helpers.local_aws.seams.table import SEAMS, report

HERE = __name__


class Theirs:
    kept = 1

    def greet(self) -> str:
        return "theirs"

    def other(self) -> str:
        return "other"


class Ours(Theirs):
    def greet(self) -> str:
        return f"ours before {super().greet()}"


holder = types.SimpleNamespace(kind=Theirs)


@pytest.fixture(autouse=True)
def undone(monkeypatch):
    """Each test finds what is above as it stands there."""
    monkeypatch.setattr(seams, "_before", {})
    monkeypatch.setattr(Theirs, "greet", Theirs.greet)
    monkeypatch.setattr(holder, "kind", Theirs)


def greeting(by_them):
    def greet(self: Theirs) -> str:
        return f"ours after {by_them(self)}"

    return greet


def test_moto_is_the_one_that_the_seams_were_written_for():
    changed = [each.place for each in seams.differences(SEAMS)]
    assert not changed, "read moto there, see that ours still fits, and write the new digest into the table"


def test_every_place_stands_in_the_table_once():
    places = [each.place for each in SEAMS]
    assert len(places) == len(set(places))


def test_what_stood_there_is_handed_over():
    seams.apply([seam(f"{HERE}:Theirs.greet", "", Why.WRONG, greeting)])
    assert Theirs().greet() == "ours after theirs"


def test_a_place_is_changed_once():
    twice = instead(f"{HERE}:Theirs.greet", "", Why.WRONG, lambda self: "ours")
    seams.apply([twice])
    with pytest.raises(RuntimeError, match="Theirs.greet has been changed already"):
        seams.apply([twice])


def test_a_class_is_swapped():
    seams.apply([swap(f"{HERE}:holder.kind", "", Why.MISSING, Ours)])
    assert holder.kind().greet() == "ours before theirs"


@pytest.mark.parametrize("made", [
    lambda digest: seam(f"{HERE}:Theirs.greet", digest, Why.WRONG, greeting),
    lambda digest: swap(f"{HERE}:holder.kind", digest, Why.WRONG, Ours),
], ids=["function", "class"])  # fmt: skip
def test_other_source_at_a_place_is_noticed_before_and_after_it_is_changed(monkeypatch, made):
    right = made(seams.digest_of(made("")))
    assert not list(seams.differences([right]))
    seams.apply([right])
    assert not list(seams.differences([right]))
    monkeypatch.setattr(seams, "_before", {})
    monkeypatch.setattr(Theirs, "greet", lambda self: "of another release")
    monkeypatch.setattr(holder, "kind", Theirs)
    assert list(seams.differences([right])) == [right]


def test_what_a_subclass_does_not_override_may_change(monkeypatch):
    right = swap(f"{HERE}:holder.kind", "", Why.WRONG, Ours)
    before = seams.digest_of(right)
    monkeypatch.setattr(Theirs, "other", lambda self: "of another release")
    assert seams.digest_of(right) == before


@pytest.mark.parametrize("place", ["no_such_module:thing", f"{HERE}:Theirs.gone", f"{HERE}:Gone.greet"])
def test_a_place_that_is_gone_is_a_difference(place):
    gone = instead(place, "", Why.WRONG, None)
    assert list(seams.differences([gone])) == [gone]
    text, same = report([gone])
    assert (f"CHANGED  wrong      {place}" in text, same) == (True, False)


def test_a_moto_without_what_is_imported_from_it_is_named_in_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "helpers.local_aws.seams.table", None)
    monkeypatch.delattr("helpers.local_aws.seams.table")
    assert command.main(["seams"]) == 1
    assert re.fullmatch(r"moto [\d.]+ does not have what the account imports from it: .+\.\n", capsys.readouterr().out)


def test_the_command_prints_the_table(capsys):
    assert command.main(["seams"]) == 0
    printed = capsys.readouterr().out
    assert all(each.place in printed for each in SEAMS)
    assert f"{len(SEAMS)} seams, 0 of them changed" in printed
