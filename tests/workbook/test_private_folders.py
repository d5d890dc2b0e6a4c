"""No folder is used in which another user could put something in the place of what is kept there."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from helpers import private_folders
from helpers.errors import WorkbookError
from helpers.exercises import record
from helpers.filelock import lock
from helpers.local_aws import lifecycle
from tests.support.embedded_aws import own_home

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits: a profile's ACL protects")
INSTEAD = "Set PLACE to"
as_root = pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root gives a file to somebody else")


def folder(path: Path, mode: int) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path


def refused(path: Path) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(WorkbookError) as refusal:
        private_folders.make(path, INSTEAD)
    line = str(refusal.value)
    assert "\n" not in line and f"{INSTEAD} a folder of your own" in line
    return line


def another_user(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """From now on, this process is somebody's to whom `path` does not belong."""
    os.chown(path, 4321, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)


def test_a_folder_is_made_for_its_user_alone(tmp_path):
    before = os.umask(0)
    try:
        private_folders.make(tmp_path / "a" / "b", INSTEAD)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert not (tmp_path / "a").stat().st_mode & 0o022


@pytest.mark.parametrize("mode", [0o777, 0o757])
@pytest.mark.parametrize("below", ["home", "a/b/home"])
def test_a_folder_below_one_that_others_may_write_is_refused(tmp_path, mode, below):
    shared = folder(tmp_path / "shared", mode)
    assert f"Other users may write to the folder {shared}," in refused(shared / below)
    assert list(shared.iterdir()) == [], "nothing is made there"


def test_a_sticky_folder_may_be_on_the_way(tmp_path):
    private_folders.make(folder(tmp_path / "like-tmp", 0o1777) / "home", INSTEAD)


@as_root
def test_what_somebody_else_has_put_into_a_sticky_folder_is_refused(tmp_path, monkeypatch):
    theirs = folder(folder(tmp_path / "like-tmp", 0o1777) / "home", 0o755)
    another_user(monkeypatch, theirs)
    assert refused(theirs / "account").startswith(f"{theirs} belongs to another user")


@as_root
@pytest.mark.parametrize("above", [False, True])
def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch, above):
    theirs = folder(tmp_path / "theirs", 0o755)
    another_user(monkeypatch, theirs)
    assert refused(theirs / "mine" if above else theirs).startswith(f"{theirs} belongs to another user")


@as_root
def test_a_link_that_another_user_has_laid_is_refused(tmp_path, monkeypatch):
    """Though it leads to a folder of one's own: tomorrow it may lead elsewhere."""
    folder(tmp_path / "mine", 0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "mine")
    os.lchown(link, 4321, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert refused(link / "home").startswith(f"{link} belongs to another user")


@pytest.mark.parametrize("absolute", [True, False])
def test_where_a_link_leads_is_looked_at(tmp_path, absolute):
    shared = folder(tmp_path / "shared", 0o777)
    link = folder(tmp_path / "mine", 0o700) / "link"
    link.symlink_to(shared if absolute else Path("..", "shared"))
    assert f"the folder {shared}," in refused(link / "home")


def test_links_that_go_round_are_an_error_and_no_endless_way(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        private_folders.make(tmp_path / "a" / "home", INSTEAD)


def test_the_way_up_again_is_followed(tmp_path):
    shared = folder(tmp_path / "shared", 0o777)
    folder(tmp_path / "mine", 0o700)
    assert f"the folder {shared}," in refused(tmp_path / "mine" / ".." / "shared" / "home")


class TestAGroupThatMayWrite:
    @pytest.fixture
    def shared(self, tmp_path):
        return folder(tmp_path / "shared", 0o775)

    def test_it_is_accepted_when_the_user_is_alone_in_it(self, shared, monkeypatch):
        monkeypatch.setattr(private_folders, "_is_private_group", lambda gid: True)
        private_folders.make(shared / "home", INSTEAD)

    def test_it_is_refused_otherwise(self, shared, monkeypatch):
        monkeypatch.setattr(private_folders, "_is_private_group", lambda gid: False)
        assert str(shared) in refused(shared / "home")

    def test_it_is_refused_when_a_list_says_who_may(self, shared, monkeypatch):
        monkeypatch.setattr(private_folders, "_is_private_group", lambda gid: True)
        monkeypatch.setattr(private_folders, "_has_list", lambda place: place == shared)
        assert str(shared) in refused(shared / "home")

    @pytest.mark.parametrize(
        ("primary", "more", "private"),
        [
            ({"me": 1234}, [], True),
            ({"me": 1234}, ["me", "root"], True),
            ({"me": 1234, "you": 5678}, [], False),
            ({"me": 1234}, ["you"], False),
            ({"me": 1234}, ["of a directory"], False),
            ({}, [], False),  # who has it is not listed
        ],
    )
    def test_who_is_in_it(self, monkeypatch, primary, more, private):
        import grp
        import pwd
        from types import SimpleNamespace

        users = {"root": (0, 0), "me": (1234, 1), "you": (5678, 2)}
        listed = [
            SimpleNamespace(pw_name=name, pw_uid=uid, pw_gid=77 if name in primary else gid)
            for name, (uid, gid) in users.items()
        ]
        monkeypatch.setattr(pwd, "getpwall", lambda: listed)
        monkeypatch.setattr(grp, "getgrgid", lambda gid: SimpleNamespace(gr_mem=more))
        monkeypatch.setattr(os, "geteuid", lambda: 1234)
        assert private_folders._is_private_group.__wrapped__(77) is private


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows lists of access as attributes")
def test_a_list_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "listxattr", lambda place: ["user.note", "system.posix_acl_access"])
    assert private_folders._has_list(tmp_path)
    monkeypatch.undo()
    assert not private_folders._has_list(tmp_path)


def test_a_file_system_without_permissions_says_nothing(tmp_path, monkeypatch):
    """As a USB stick, or a Windows disk in WSL: every folder there has the same mode, whatever is asked for."""
    import tempfile

    disk = folder(tmp_path / "disk", 0o777)
    make = tempfile.mkdtemp

    def without_permissions(**where: object) -> str:
        made = make(**where)
        Path(made).chmod(0o777)
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", without_permissions)
    private_folders.make(disk / "home", INSTEAD)
    assert [path.name for path in disk.iterdir()] == ["home"], "what tried it is gone"


# --- who uses it ---


@pytest.mark.parametrize("ask", [lifecycle.start, lifecycle.status, lifecycle.stop, lifecycle.has_account])
def test_no_account_is_looked_for_where_others_may_write(tmp_path, ask):
    with own_home(folder(tmp_path / "shared", 0o777) / "home"), pytest.raises(WorkbookError, match="LOCAL_AWS_HOME"):
        ask()


def test_a_folder_does_not_become_an_account_because_others_have_put_a_lock_into_it(tmp_path):
    shared = folder(tmp_path / "shared", 0o777)
    (shared / "lock").touch()
    with own_home(shared), pytest.raises(WorkbookError, match="Other users may write"):
        lifecycle.start()


@pytest.mark.parametrize("name", ["functions", "scratch", "account.sqlite"])
def test_an_account_does_not_lead_out_of_its_folder_to_where_others_write(tmp_path, name):
    home, shared = folder(tmp_path / "home", 0o700), folder(tmp_path / "shared", 0o777)
    (home / "lock").touch()
    (home / name).symlink_to(shared / "theirs")
    with own_home(home), pytest.raises(WorkbookError, match="Other users may write"):
        lifecycle.start()


def test_nothing_is_remembered_where_others_may_write(tmp_path, monkeypatch):
    """They could lay a link there, by which any file of the learner's is overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("the learner's")
    shared = folder(tmp_path / "shared", 0o1777)
    (shared / "progress.new").symlink_to(victim)
    monkeypatch.setenv("WORKBOOK_HOME", str(shared))
    with pytest.raises(WorkbookError, match="WORKBOOK_HOME"):
        record.remember("05-1", solved=True)
    assert victim.read_text() == "the learner's"


def test_a_lock_is_no_link_and_nobody_else_can_hold_it(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), lock(tmp_path / "lock", waiting=None):
        pass
    assert not (tmp_path / "elsewhere").exists()
    with lock(tmp_path / "own", waiting=None):
        assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o600
