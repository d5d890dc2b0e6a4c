"""Print the lessons and exercises in a terminal: `python3 -m helpers progress`."""

import os
import sys

from helpers.errors import WorkbookError
from helpers.exercises import overview
from helpers.local_aws import lifecycle
from helpers.target.connection import LOCAL, chosen, connect


def main() -> int:
    """Print the overview. An embedded AWS that is not running is not started: its account is empty."""
    try:
        if chosen(os.environ)[0] != LOCAL or lifecycle.status():
            connect()
            print(overview.progress())
        else:
            print(overview.without_account())
            print("The embedded AWS is not running, so nothing is in the account. Each lesson builds what it needs.")
        return 0
    except WorkbookError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
