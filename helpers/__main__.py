"""The workbook's commands: python3 -m helpers lab | test | lock.

This file is read by whatever Python a learner happens to have, so it is written for old ones too: an old
Python can then say that it is too old, in one line, instead of failing over the syntax of a newer one.
"""

import sys

OLDEST = (3, 11)
NEWEST_TRIED = (3, 14)


def too_old():
    """One line for a Python that cannot run the workbook; names a newer one when this machine has it."""
    import os

    versions = OLDEST + sys.version_info[:2]
    message = "This workbook needs Python %d.%d or later; this is Python %d.%d. " % versions
    for minor in range(NEWEST_TRIED[1], OLDEST[1] - 1, -1):
        name = "python3.%d" % minor
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name)
            runs = (
                folder and os.access(path, os.X_OK) and os.system('"%s" -c "" >%s 2>&1' % (path, os.devnull))
            )
            if runs == 0:
                command = " ".join(["-m", "helpers"] + sys.argv[1:])
                return message + "This machine has one that will do: %s %s" % (name, command)
    return message + "Install Python %d.%d from python.org or your package manager." % NEWEST_TRIED


def main():
    if sys.version_info < OLDEST:
        sys.stderr.write(too_old() + "\n")
        return 2
    from helpers import commands

    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
