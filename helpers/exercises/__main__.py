"""Print the lessons and exercises in a terminal: `python3 -m helpers progress`."""

import argparse
import os
import sys

from helpers.errors import WorkbookError
from helpers.exercises import certificates, overview
from helpers.local_aws import lifecycle
from helpers.paths import NOTEBOOKS, my_lessons
from helpers.target.connection import LOCAL, chosen, connect

NOT_RUNNING = (
    "The embedded AWS is not running, so what its account has cannot be seen: the account is kept. "
    "python3 -m helpers lab starts it."
)
NO_ACCOUNT = "The embedded AWS is not running, and there is no account yet. Each lesson builds what it needs."


def main() -> int:
    """Print the overview, or write the certificate. An embedded AWS that is not running is not started."""
    parser = argparse.ArgumentParser(prog="python3 -m helpers progress", description=__doc__)
    parser.add_argument("--certificate", metavar="NAME", help=f"write {certificates.FILE} beside the lessons: to print")
    name = parser.parse_args().certificate
    try:
        seen = chosen(os.environ)[0] != LOCAL or bool(lifecycle.status())
        if seen:
            connect()
        if name is None:
            print(overview.progress() if seen else overview.without_account())
        else:
            mine = my_lessons() / "notebooks"
            folder = mine if mine.is_dir() else NOTEBOOKS
            print(certificates.write(name, folder, certificates.seen() if seen else None))
        if not seen:
            print(NOT_RUNNING if lifecycle.has_account() else NO_ACCOUNT)
        return 0
    except WorkbookError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
