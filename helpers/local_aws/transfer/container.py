"""Write and read the file: a ZIP of JSON, of items line by line, and of functions' packages. Nothing in it is run."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from helpers.errors import WorkbookError

FORMAT = 1
#: Bytes of a part that is read as a whole: a description; a function's package (Lambda takes 250 MB unpacked).
LARGEST_PART = 256 * 1024 * 1024
#: Bytes of one line of items: DynamoDB's items have 400 KB, which JSON and base64 make longer.
LARGEST_LINE = 8 * 1024 * 1024
#: What reading a part of a damaged file, or of one that is encrypted, may raise.
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Writer:
    """Writes a file beside `path` and puts it in its place at the end of a `with` block that has not failed."""

    def __init__(self, path: Path) -> None:
        self._path, self._draft = path, path.with_name(f"{path.name}.{os.getpid()}.part")
        descriptor = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    def put(self, name: str, value: Any) -> None:
        """Write a description as JSON."""
        self.put_bytes(name, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode())

    def put_bytes(self, name: str, content: bytes) -> None:
        with self._zip.open(_entry(name), "w") as part:
            part.write(content)

    def put_items(self, name: str, items: Iterable[dict[str, Any]]) -> int:
        """Write items as they come; returns how many."""
        count = 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as part:
            for item in items:
                line = json.dumps(_to_text(item), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
                part.write(line.encode("utf-8", "surrogatepass") + b"\n")
                count += 1
        return count

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if kind is None:
                self._draft.replace(self._path)
        finally:
            self._file.close()
            with contextlib.suppress(OSError):
                self._draft.unlink()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return entry


class Reader:
    """Reads a file that `Writer` has written, or somebody else: what is in it is believed in nothing."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises WorkbookError when it is none of this kind."""
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
            manifest = self.get("manifest.json", {})
        except OSError as error:
            raise WorkbookError(f"{path} cannot be read: {error.strerror or error}.") from None
        except zipfile.BadZipFile:
            raise self.wrong("it is no ZIP file, or a damaged one") from None
        given = manifest.get("format") if isinstance(manifest, dict) else None
        if given != FORMAT:
            raise self.wrong(f"its format is {given}, and this version of the workbook reads format {FORMAT}")

    def wrong(self, reason: str) -> WorkbookError:
        return WorkbookError(f"{self._path} is no file of an account that can be imported: {reason}.")

    def get(self, name: str, otherwise: Any) -> Any:
        """Return a description, or `otherwise` where the file has none."""
        content = self.get_bytes(name)
        if content is None:
            return otherwise
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise self.wrong(f"{name} is no JSON") from None
        if not isinstance(value, type(otherwise)):
            raise self.wrong(f"{name} has another shape")
        return value

    def get_bytes(self, name: str) -> bytes | None:
        try:
            with self._zip.open(name) as part:
                content = part.read(LARGEST_PART + 1)
        except KeyError:
            return None
        except _DAMAGED:
            raise self.wrong(f"{name} is damaged") from None
        if len(content) > LARGEST_PART:
            raise self.wrong(f"{name} is too large")
        return content

    def items(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield items, one at a time."""
        try:
            with self._zip.open(name) as part:
                while line := part.readline(LARGEST_LINE + 1):
                    yield self._item(name, line)
        except KeyError:
            return
        except _DAMAGED:
            raise self.wrong(f"{name} is damaged") from None

    def _item(self, name: str, line: bytes) -> dict[str, Any]:
        try:
            return _from_text(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise self.wrong(f"{name} has a line that is no item") from None

    def close(self) -> None:
        self._zip.close()


def _to_text(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value, lambda raw: base64.b64encode(raw).decode()) for name, value in item.items()}


def _from_text(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value, base64.b64decode) for name, value in item.items()}


def _value(value: dict[str, Any], binary: Any) -> dict[str, Any]:
    """Return one of DynamoDB's values with its bytes in another form. Numbers are text already, and so exact."""
    [(kind, content)] = value.items()
    if kind == "B":
        content = binary(content)
    elif kind == "BS":
        content = sorted(binary(each) for each in content)
    elif kind in ("SS", "NS"):
        content = sorted(content)
    elif kind == "L":
        content = [_value(each, binary) for each in content]
    elif kind == "M":
        content = {name: _value(each, binary) for name, each in content.items()}
    return {kind: content}
