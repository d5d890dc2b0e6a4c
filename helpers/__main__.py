"""The workbook's commands: python3 -m helpers lab, test, progress and others.

This file is read by whatever Python a learner happens to have, so it is written for old ones too: an old
Python can then say that it is too old, in one line, instead of failing over the syntax of a newer one.
"""

import os
import sys

OLDEST = (3, 11)
NEWEST_TRIED = (3, 14)


def too_old():  # type: () -> str
    """Return one line for a Python that cannot run the workbook; it names a newer one that this machine has."""
    versions = OLDEST + sys.version_info[:2]
    message = "This workbook needs Python %d.%d or later; this is Python %d.%d. " % versions
    for minor in range(NEWEST_TRIED[1], OLDEST[1] - 1, -1):
        if runs("python3.%d" % minor):
            command = " ".join(["python3.%d -m helpers" % minor] + sys.argv[1:])
            return message + "This machine has one that will do: " + command
    return message + "Install Python %d.%d from python.org or your package manager." % NEWEST_TRIED


def runs(name):  # type: (str) -> bool
    """Return whether a program of this name is on the PATH and works (a version manager's stand-in may not)."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return os.system('"%s" -c "" >%s 2>&1' % (path, os.devnull)) == 0
    return False


def main():  # type: () -> int
    if sys.version_info < OLDEST:
        sys.stderr.write(too_old() + "\n")
        return 2
    from helpers.installing import commands

    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
