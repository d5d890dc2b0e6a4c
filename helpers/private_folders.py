"""Refuse folders in which another user of the machine could put something in the place of the user's own.

Whoever may write into a folder may replace what lies in it, and the folders below it with that. So the way to a folder
is looked at from the root down, each link on it with where it leads. Every folder must be the user's or root's, and
nobody else may write to it. OpenSSH asks the same of the way to a user's keys (StrictModes in
https://man.openbsd.org/sshd_config).

- A folder with the sticky bit, such as /tmp, may be on the way: there only the owners of a file and of the folder may
  remove or rename the file (https://pubs.opengroup.org/onlinepubs/9699919799/basedefs/V1_chap04.html#tag_04_03), and
  what comes next on the way is the user's or root's again. What is kept must not lie in it directly.
- A group may write if none but the user and root is in it, as in Debian's OpenSSH: there a user's umask lets their own
  group write. An access control list that lets somebody write is another user's permission.
- Decided: root is not asked for the owner, since in a container root works in folders of the host's users. Nor is an
  owner whom a container cannot name; and a file system that keeps no permissions (FAT, a Windows disk in WSL) says
  nothing: who may write there was decided where it was mounted.

On Windows there is nothing to look at: a folder in the user's profile lets in the user, administrators and the system
alone, and permissions elsewhere are no bits. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from functools import lru_cache
from pathlib import Path

from helpers.errors import WorkbookError

#: Links on one way, as on Linux (https://man7.org/linux/man-pages/man7/path_resolution.7.html).
_MAX_LINKS = 40
_ADMINISTRATORS_OF_MACOS = 80  # the group `admin`, whose members may become root


def make(path: Path, instead: str) -> None:
    """Make a folder that only its user may look into, if it is not there, on a way that others cannot change.

    instead: how its user chooses another one, the beginning of a sentence. Raises WorkbookError, and OSError.
    """
    refuse_foreign_way(path, instead)
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir(mode=0o755, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    refuse_foreign_way(path, instead)


def refuse_foreign_way(path: Path, instead: str) -> None:
    """Raise WorkbookError when others could put something in the place of what lies at `path`, or will lie there.

    What is not there yet, and the modes of `path` itself, are not looked at.
    """
    if os.name != "posix":
        return
    way, whole = _way(path)
    folders = [(place, state) for place, state in way if stat.S_ISDIR(state.st_mode)]
    for place, state in way:
        if not _is_owners(state.st_uid):
            raise _belongs_to_another(place, instead)
    for place, state in folders[:-1] if whole else folders:
        if not state.st_mode & stat.S_ISVTX and others_may_write(place, state):
            _refuse_open(place, folders[-1][0], instead)


def refuse_foreign(path: Path, instead: str) -> None:
    """Raise WorkbookError when the folder `path` is not the user's own, or others may write into it, sticky or not."""
    if os.name != "posix":
        return
    state = path.stat()
    if os.geteuid() not in (0, state.st_uid):
        raise _belongs_to_another(path, instead)
    if others_may_write(path, state):
        _refuse_open(path, path, instead)


def others_may_write(place: Path, state: os.stat_result) -> bool:
    """Return whether another user than its owner and root may make files in a folder, as its permissions say."""
    if state.st_mode & stat.S_IWOTH:
        return True
    return bool(state.st_mode & stat.S_IWGRP) and (_has_list(place) or not _is_private_group(state.st_gid))


def _belongs_to_another(place: Path, instead: str) -> WorkbookError:
    return WorkbookError(
        f"{place} belongs to another user, who could put something in the place of what is kept there. "
        f"{instead} a folder of your own."
    )


def _refuse_open(place: Path, deepest: Path, instead: str) -> None:
    if _keeps_permissions(place, deepest):
        raise WorkbookError(
            f"Other users may write to the folder {place}, and could put something in the place of what is kept "
            f"there. {instead} a folder of your own, such as a new one in your home folder."
        )


def _way(path: Path) -> tuple[list[tuple[Path, os.stat_result]], bool]:
    """Return each folder and link on the way to `path`, and whether the way is whole: nothing of it is missing.

    Raises OSError where links go round in a circle.
    """
    place, links = Path("/"), 0
    way = [(place, place.lstat())]
    ahead = list(reversed(path.absolute().parts[1:]))
    while ahead:
        name = ahead.pop()
        if name == "..":
            place = place.parent
            continue
        try:
            state = (place / name).lstat()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return way, False  # whoever goes on from here learns of it
        way.append((place / name, state))
        if not stat.S_ISLNK(state.st_mode):
            place = place / name
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = (place / name).readlink()
        ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        place = Path("/") if target.is_absolute() else place
    return way, True


def _is_owners(owner: int) -> bool:
    user = os.geteuid()
    return user == 0 or owner in (0, user) or owner == _nameless()


@lru_cache(maxsize=1)
def _nameless() -> int | None:
    """Return the owner that stands for all whom this container cannot name; None outside of such a container.

    https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    """
    try:
        named = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        if named == [["0", "0", "4294967295"]]:
            return None
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return None


def _has_list(place: Path) -> bool:
    """Return whether a folder has an access control list; its group's bits are then what the list may give at most.

    https://man7.org/linux/man-pages/man5/acl.5.html
    """
    if sys.platform != "linux":
        return False
    try:
        return "system.posix_acl_access" in os.listxattr(place)
    except OSError:
        return False


@lru_cache(maxsize=64)
def _is_private_group(gid: int) -> bool:
    """Return whether none but the user and root is in a group, as far as the system lists its users."""
    import grp
    import pwd

    if sys.platform == "darwin" and gid == _ADMINISTRATORS_OF_MACOS:
        return True
    listed = {each.pw_name: each for each in pwd.getpwall()}
    members = {name for name, each in listed.items() if each.pw_gid == gid}
    with contextlib.suppress(KeyError):  # a group without a name
        members |= set(grp.getgrgid(gid).gr_mem)
    uids = {listed[name].pw_uid if name in listed else None for name in members}
    user = os.geteuid()
    # Where users come from a directory that does not list them, nothing shows who else has this group.
    return uids <= {0, user} and (user in uids or gid == 0)


def _keeps_permissions(place: Path, deepest: Path) -> bool:
    """Return whether the file system of `place` keeps permissions, as far as can be tried in `deepest`."""
    import tempfile

    try:
        if place.stat().st_dev != deepest.stat().st_dev:
            return True
        probe = Path(tempfile.mkdtemp(prefix=".permissions-", dir=deepest))
    except OSError:
        return True
    try:
        return not probe.stat().st_mode & 0o077
    finally:
        probe.rmdir()
