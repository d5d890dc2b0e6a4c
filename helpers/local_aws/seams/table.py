"""Every place of moto's that is changed, in the order in which it is done.

`python -m helpers.local_aws seams` prints this table beside what the installed moto has.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from .seam import Seam, apply, differences

SEAMS: tuple[Seam, ...] = ()


def install() -> None:
    """Change moto. Once for each process; raises RuntimeError the second time."""
    apply(SEAMS)


def report(seams: Iterable[Seam] = SEAMS) -> tuple[str, bool]:
    """Return the table as text, and whether the installed moto is the one that the seams were written for."""
    changed = {each.place for each in differences(seams)}
    lines = [
        f"{'CHANGED' if each.place in changed else 'same':8} {each.why.value:8} {each.digest}  {each.place}"
        for each in seams
    ]
    known = f"moto {version('moto')}: {len(lines)} seams, {len(changed)} of them changed since they were written."
    return "\n".join([*lines, known]), not changed
