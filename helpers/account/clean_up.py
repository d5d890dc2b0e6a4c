"""`python3 -m helpers clean-up`: delete from the account what the workbook has made there, and nothing else.

What that is, the account itself says, by the tag that everything gets when it is made: so the command works after a
failure in the middle, a second time, and from another machine.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import inventory
from helpers.account.inventory import Resource
from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.target import aws_trouble, connection, name_prefix, tagging

TIMEOUT, POLL_INTERVAL = 90, 2  # seconds: a deleted queue is listed for up to a minute


def main(options: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 when nothing is left, 1 when something is, 2 in trouble."""
    parser = argparse.ArgumentParser(prog="python3 -m helpers clean-up", description=__doc__.split("\n\n")[0])
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    chosen = parser.parse_args(options)
    try:
        if connection.chosen(os.environ)[0] == connection.LOCAL and not lifecycle.has_account():
            print("The embedded AWS has no account yet, so there is nothing to delete.")
            return 0
        target = connection.connect()
        print(target)
        return clean_up(chosen.dry_run)
    except (BotoCoreError, ClientError) as error:
        print(aws_trouble.in_one_line(error) or f"AWS does not answer as it should: {error}", file=sys.stderr)
    except WorkbookError as error:
        print(error, file=sys.stderr)
    return 2


def clean_up(dry_run: bool = False, say: Callable[[str], None] = print) -> int:
    """Delete all that carries the workbook's tag, and prove it by listing; returns 0 when nothing is left, else 1.

    With `dry_run` only say what would go. Raises botocore's errors.
    """
    if dry_run:
        found = list(_own_resources())
        for resource in found:
            say(f"Would delete {resource}")
        say("Nothing was deleted." if found else "There is nothing to delete.")
        return 0
    failed = _delete(say)
    left = _remaining(failed)
    for resource in _look_alikes():
        say(f"Left alone, as it does not carry the tag {tagging.KEY} = {tagging.VALUE}: {resource}")
    for resource in left:
        say(f"Still there: {resource}. {failed.get(resource, 'AWS has not let go of it yet.')}")
    say("Run this again to go on." if left else "By the account's own lists, nothing of this workbook is left.")
    return 1 if left else 0


def _own_resources() -> Iterator[Resource]:
    for kind in inventory.KINDS:
        yield from (resource for resource in kind.found() if resource.tag == tagging.VALUE)


def _delete(say: Callable[[str], None]) -> dict[Resource, str]:
    """Delete kind by kind. What fails stops nothing else; returns why, for each."""
    failed = {}
    for kind in inventory.KINDS:
        for resource in kind.found():
            if resource.tag != tagging.VALUE:
                continue
            try:
                kind.delete(resource)
                say(f"Deleted {resource}")
            except (BotoCoreError, ClientError) as error:
                if "NotFound" not in str(error) and "NonExistent" not in str(error) and "NoSuch" not in str(error):
                    failed[resource] = aws_trouble.in_one_line(error) or str(error)
    return failed


def _remaining(failed: dict[Resource, str]) -> list[Resource]:
    """Return what AWS still lists, after the time that it may take to notice deletions."""
    end = time.monotonic() + TIMEOUT
    while True:
        left = list(_own_resources())
        waiting = [resource for resource in left if resource not in failed]
        if not waiting or time.monotonic() > end:
            return left
        print(f"Waiting for {waiting[0]} to go …".ljust(60), end="\r", file=sys.stderr, flush=True)
        time.sleep(POLL_INTERVAL)


def _look_alikes() -> list[Resource]:
    """Return what has a name as the lessons give them, but is somebody else's."""
    return [
        resource
        for kind in inventory.KINDS
        for resource in kind.found()
        if resource.tag != tagging.VALUE and name_prefix.is_own(resource.name.removeprefix("/aws/lambda/"))
    ]


if __name__ == "__main__":
    sys.exit(main())
