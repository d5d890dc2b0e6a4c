"""Unpack a function's .zip archive into a folder of its own, keep it beside, and remove both again.

What an archive may hold is decided here and nowhere else: nothing in it can be written outside its folder,
and an archive that is small but unpacks to gigabytes is refused before a byte of it is written.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import io
import os
import shutil
import stat
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Container
from pathlib import Path

from ..engine import executor
from ..execution.lambda_errors import LambdaError, invalid
from ..storage import journal

#: Bytes; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_UPLOAD = 50 * 1024 * 1024
MAX_UNZIPPED = 250 * 1024 * 1024
#: Files in one archive. AWS names no number; this one keeps a hostile archive from filling the file system.
MAX_FILES = 50_000
#: Folders inside one another. AWS names no number; the file system's own limit is on the length of a path.
MAX_DEPTH = 100

_CANNOT_UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
#: Names that Windows keeps for devices, with any suffix, and characters that its file names cannot have.
_WINDOWS_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
}
_WINDOWS_FORBIDDEN = set('<>:"|?*')

#: Behind a folder's name: the archive itself, for whoever wants the code back.
_ARCHIVE = ".zip"

_root: Path | None = None


def set_root(folder: Path) -> Path:
    """Unpack into subfolders of `folder`, this module's alone; returns it."""
    global _root  # noqa: PLW0603  set once, before the first function
    _root = folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_leftovers(used: Container[str] = ()) -> None:
    """Remove what an earlier server left in the folder, but for the code with these names."""
    assert _root is not None
    for name in {leftover.name.removesuffix(_ARCHIVE) for leftover in _root.glob("code-*")}:
        if name not in used:
            _remove(_root / name)


def kept_archive(name: str) -> bytes | None:
    """Return the archive that the folder of this name was unpacked from; None when it is gone."""
    assert _root is not None
    try:
        return (_root / f"{name}{_ARCHIVE}").read_bytes()
    except OSError:
        return None


class FunctionCode:
    """An unpacked archive. Versions of a function may share one; the folder goes with the last of them.

    path: the folder; size: of the archive, in bytes; sha256: of the archive, in base64.
    """

    def __init__(self, archive: bytes, name: str) -> None:
        """Unpack `archive`, the code of the function called `name`. Raises LambdaError with AWS's message."""
        self.size = len(archive)
        self.sha256 = base64.b64encode(hashlib.sha256(archive).digest()).decode()
        self.path = _new_folder(name)
        self._users = 1
        self._lock = executor.Lock()
        try:
            _unpack(archive, self.path)
            journal.beside(_keep(archive, self.path))
            journal.beside(self.path)
        except BaseException:
            _remove(self.path)
            raise

    @classmethod
    def kept(cls, name: str, size: int, sha256: str) -> FunctionCode:
        """Return what an earlier server has unpacked into the folder of this name. Nobody uses it yet."""
        assert _root is not None
        code = cls.__new__(cls)
        code.path, code.size, code.sha256, code._users = _root / name, size, sha256, 0  # noqa: SLF001  a constructor
        code._lock = executor.Lock()  # noqa: SLF001
        return code

    def share(self) -> FunctionCode:
        """Count one more user of the folder, and return it."""
        with self._lock:
            self._users += 1
        return self

    def release(self) -> None:
        """Count one user less; the last one removes the folder."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:  # not before it is certain that the function will not be needed again
            journal.afterwards(lambda: _remove(self.path))

    def __deepcopy__(self, memo: object) -> FunctionCode:
        return self  # moto copies functions in order to show them; the folder stays the one folder


def decoded(zip_file: str | bytes) -> bytes:
    """Return the archive of a request, where it stands in base64. Raises LambdaError."""
    try:
        archive = base64.b64decode(zip_file, validate=True)
    except (binascii.Error, ValueError):
        raise invalid(_CANNOT_UNZIP) from None
    if len(archive) > MAX_UPLOAD:
        raise LambdaError("RequestEntityTooLargeException", f"Zipped size must be smaller than {MAX_UPLOAD} bytes")
    return archive


def check(archive: bytes) -> None:
    """Refuse an archive that cannot be unpacked, without unpacking it. Raises LambdaError."""
    with _opened(archive) as opened:
        _checked_members(opened)


def _unpack(archive: bytes, folder: Path) -> None:
    with _opened(archive) as opened:
        try:
            members = _checked_members(opened)
            _check_case(members, folder)
            for member in members:
                _write(opened, member, folder.joinpath(*member.filename.split("/")))
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, zlib.error) as error:
            raise _refused(f"it is damaged: {error}") from error
        except OSError as error:
            raise _refused(f"a file could not be written here: {error.strerror or error}") from error


def _keep(archive: bytes, folder: Path) -> Path:
    """Keep the archive beside the folder, where the function does not see it; returns its path."""
    path = folder.with_name(f"{folder.name}{_ARCHIVE}")
    try:
        path.write_bytes(archive)
    except OSError as error:
        raise _refused(f"a file could not be written here: {error.strerror or error}") from error
    return path


def _opened(archive: bytes) -> zipfile.ZipFile:
    if not archive:
        raise invalid("Uploaded file must be a non-empty zip")
    # Reading the directory of a million members takes half a gigabyte. A file that is a zip itself may have entries,
    # too, hence the double.
    if archive.count(b"PK\x01\x02") > 2 * MAX_FILES:
        raise _refused(f"it holds more than {MAX_FILES} files")
    try:
        return zipfile.ZipFile(io.BytesIO(archive))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise invalid(_CANNOT_UNZIP) from None


def _checked_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if not members:
        raise invalid("Uploaded file must be a non-empty zip")
    if len(members) > MAX_FILES:
        raise _refused(f"it holds more than {MAX_FILES} files")
    folders: set[str] = set()
    for member in members:
        trouble = trouble_with(member, windows=os.name == "nt")
        if trouble:
            raise _refused(f"it holds {_shown(member.orig_filename)}, {trouble}")
        folders.update(_folders_of(member.filename, folders))
        if len(folders) > MAX_FILES:
            raise _refused(f"it holds more than {MAX_FILES} folders")
    if sum(member.file_size for member in members) >= MAX_UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes")
    return members


def trouble_with(member: zipfile.ZipInfo, windows: bool) -> str | None:
    """Return why a member of an archive must not be unpacked, or None. `windows`: where it is unpacked."""
    if "\0" in member.orig_filename:
        return "whose name has a zero byte"
    if "\\" in member.orig_filename:
        return "whose name has a backslash; a zip separates folders with forward slashes"
    parts = member.filename.rstrip("/").split("/")
    if ".." in parts or parts[0] == "":
        return "a path that leaves the function's folder"
    if len(parts) > MAX_DEPTH:
        return f"a path of more than {MAX_DEPTH} folders"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "which is a link or a device; the embedded AWS unpacks files and folders only"
    if member.flag_bits & 1:
        return "which is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "which is compressed in another way than deflate"
    if windows and any(_impossible_on_windows(part) for part in parts):
        return "a name that Windows cannot have"
    return None


def _folders_of(name: str, known: set[str]) -> list[str]:
    """Return the folders that a member needs and that no earlier one needed."""
    found = []
    folder = name.rstrip("/").rpartition("/")[0]
    while folder and folder not in known:
        found.append(folder)
        folder = folder.rpartition("/")[0]
    return found


def _check_case(members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Refuse names that differ in case only, where the file system would take one for the other. Raises LambdaError."""
    first: dict[str, str] = {}
    for member in members:
        known = first.setdefault(member.filename.casefold(), member.filename)
        if known != member.filename and _ignores_case(folder):
            raise _refused(f"{_shown(known)} and {_shown(member.filename)} are one file on this machine")


def _ignores_case(folder: Path) -> bool:
    probe = folder / "Probe"
    probe.touch()
    try:
        return (folder / "pROBE").exists()
    finally:
        probe.unlink()


def _shown(name: str) -> str:
    """Return a member's name for a message: long ones are cut, and control characters escaped."""
    return repr(name if len(name) <= 200 else f"{name[:200]}…")


def _impossible_on_windows(name: str) -> bool:
    device = name.split(".")[0].rstrip(" ").lower() in _WINDOWS_DEVICES
    return device or name[-1:] in (".", " ") or any(c in _WINDOWS_FORBIDDEN or c < " " for c in name)


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # A declared size that is too small ends in a checksum error, so no more is written than was announced.
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
        if file.tell() != member.file_size:
            raise zipfile.BadZipFile(f"{_shown(member.filename)} is shorter than announced")
    if member.external_attr >> 16 & stat.S_IXUSR:
        target.chmod(0o755)


def _refused(reason: str) -> LambdaError:
    return invalid(f"{_CANNOT_UNZIP} (The archive was refused because {reason}.)")


def _new_folder(name: str) -> Path:
    root = _root if _root is not None else set_root(Path(tempfile.mkdtemp(prefix="local-aws-code-")))
    # Short, because Windows limits whole paths to 260 characters.
    folder = root / f"code-{name[:24]}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    return folder


def _remove(folder: Path) -> None:
    # A worker that is just ending may still hold a file open on Windows; the next start removes what stays.
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.with_name(f"{folder.name}{_ARCHIVE}").unlink(missing_ok=True)
