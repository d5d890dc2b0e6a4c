"""Run the commands student-copy, solved-copy, nbgrader and handouts: `python -m helpers.teaching …`."""

from __future__ import annotations

import signal
import sys

from helpers.teaching import copies, grading, handouts

MAKERS = {
    "student": copies.student_copy,
    "solved": copies.solved_copy,
    "nbgrader": grading.nbgrader_source,
    "handouts": handouts.handouts,
}


def main(arguments: list[str]) -> int:
    """Make what is asked for; returns the exit status, 2 for a foreseeable failure."""
    if not arguments or arguments[0] not in MAKERS:
        print(f"python -m helpers.teaching makes {' | '.join(MAKERS)}, each with --help.", file=sys.stderr)
        return 2
    for name in ("SIGTERM", "SIGHUP"):  # so that a closed terminal leaves as little behind as Ctrl-C
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    return MAKERS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
