"""Keep the learner's own copy of the lessons: `my-lessons`, which `python3 -m helpers lab` makes and opens.

The released lessons have their outputs, to be read; in the copy they have none, so that whoever predicts does not see
the answer below. The copy is the learner's to change, handler.py with it, and it follows new releases all the same:
what it was made from lies in `my-lessons/.released`, and helpers.lab.merge compares the three. What the learner has
written and has to give way moves into a folder of its own, `kept-lessons-1` or the next number that is free.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.filelock import lock
from helpers.installing.trouble import diagnose_os_error
from helpers.lab.merge import is_fresh, merge
from helpers.lessons import notebook_files
from helpers.lessons.catch_up import lesson_files

#: Pages that only teachers need.
FOR_TEACHERS = {
    "notebooks/TEACHING.md",
    "notebooks/MISTAKES.md",
    "docs/jupyterhub/README.md",
    "docs/jupyterhub/jupyterhub_config.py",
}
BASE = ".released"
FULL = "The disk is full. What you have written is all there: make room, then run this again."
_TROUBLE = "When something goes wrong"  # a section of the README
README = """\
# Your lessons

The lessons in `notebooks` are yours: change what you like. `handler.py` is the function that they deploy, and it is
yours, too. When the workbook has something new, the next `python3 -m helpers lab` brings it in and leaves alone what
you have changed. `python3 -m helpers start-over` gives you fresh lessons and keeps yours in a folder `kept-lessons-1`.

"""


@dataclass
class WorkingCopy:
    """The copy in `folder` of the lessons that `project` releases; `said` collects what the learner should know."""

    project: Path
    folder: Path
    said: list[str] = field(default_factory=list)
    _kept: Path | None = None

    def refresh(self) -> list[str]:
        """Make the copy, or bring it up to date; returns what to say about it. Raises WorkbookError or OSError.

        Each file of the copy is written before what says that it was: an interruption is made good next time.
        """
        made = not is_copy(self.folder)
        with self._alone():
            released = self._released()
            readable = {name: content for name, content in released.items() if content is not None}
            updated = [name for name, content in readable.items() if self._update(name, content)]
            self._retire(set(released))
        mine = self.folder.name
        if made:
            return [f"Your own lessons are in {mine}: change what you like, updates leave it alone.", *self.said]
        if updated:
            return [f"New in {mine}: {', '.join(updated)}. What you have changed is as it was.", *self.said]
        return self.said

    def renew(self) -> list[str]:
        """Bring everything back as it is released; what was changed or run is kept. Returns what to say about it."""
        with self._alone():
            changed = []
            for name, content in self._released().items():
                if content is None:
                    continue
                path = self.folder / name
                if path.exists() and not self._is_as_made(name, content):
                    changed.append(name)
                    self._keep(path)
                self._write(name, content)
        if not changed:
            return [f"The lessons in {self.folder.name} are as they came.", *self.said]
        return [came_again(changed, self._kept_name()), *self.said]

    def _released(self) -> dict[str, bytes | None]:
        """Return what the copy holds in the release: {a file's name in the copy: its content}.

        A lesson that is no notebook, in the middle of a git merge for one, has None, and `said` speaks of it.
        """
        found: dict[str, bytes | None] = {"README.md": (README + self._trouble()).encode()}
        notebooks = self.project / "notebooks"
        others = [*sorted(notebooks.glob("*.md")), *sorted(notebooks.glob("images/**/*"))]
        for path in [self.project / "handler.py", *others]:
            name = path.relative_to(self.project).as_posix()
            if path.is_file() and name not in FOR_TEACHERS:
                found[name] = path.read_bytes()
        for path in lesson_files(notebooks):
            try:
                lesson = notebook_files.without_outputs(notebook_files.read(path))
                found[f"notebooks/{path.name}"] = notebook_files.text_of(lesson)
            except WorkbookError as error:
                found[f"notebooks/{path.name}"] = None
                self.said.append(str(error))
        return found

    def _alone(self) -> AbstractContextManager[int]:
        """Let no other start work on the copy at the same time."""
        (self.folder / BASE).mkdir(parents=True, exist_ok=True)
        return lock(self.folder / BASE / "lock", waiting="Another start is at work on your lessons; waiting …")

    def _trouble(self) -> str:
        readme = self.project / "README.md"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
        section = re.search(rf"^## {_TROUBLE}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        return section[0].rstrip() + "\n" if section else ""

    def _update(self, name: str, new: bytes) -> bool:
        """Bring one file up to date; returns whether the learner had it and it is another now."""
        path, base = self.folder / name, self.folder / BASE / name
        is_lesson = name.endswith(".ipynb")
        before = base.read_bytes() if base.is_file() and not (is_lesson and not _is_notebook(base)) else None
        wanted = "notebook" if is_lesson else "file"
        if path.exists() and not (_is_notebook(path) if is_lesson else path.is_file()):
            self._keep(path)
            self.said.append(
                f"{name} could not be read as a {wanted}: it is kept in {self._kept_name()}, and made anew."
            )
        if not path.exists():
            self._write(name, new)
            return False
        if before == new:
            return False
        changed = self._merge(name, before or new, new) if is_lesson else self._follow(name, before, new)
        notebook_files.replace(base, new)
        return changed

    def _merge(self, name: str, before: bytes, new: bytes) -> bool:
        path = self.folder / name
        text = path.read_bytes()
        mine = notebook_files.parse(text)
        merged = merge(notebook_files.parse(before), mine, notebook_files.parse(new))
        if merged.kept_own:
            cells = ", ".join(merged.kept_own)
            line = f"{name}: the workbook has a new version of {cells}, which you have changed; yours stays."
            self.said.append(f"{line} The new one: {self.project / name}")
        if merged.notebook == mine:
            return False
        if _run(merged.notebook) < _run(mine):  # new cells have yet to be run; on AWS that may come out differently
            notebook_files.replace(self._place_for(path), text)
            self.said.append(f"{name} as you ran it is kept in {self._kept_name()}.")
        notebook_files.write(merged.notebook, path)
        return True

    def _follow(self, name: str, before: bytes | None, new: bytes) -> bool:
        path = self.folder / name
        mine = _lines(path.read_bytes())
        if mine == _lines(new):
            return False
        if before is not None and mine == _lines(before):
            notebook_files.replace(path, new)
            return True
        where = f" The workbook's new one: {self.project / name}" if name != "README.md" else ""
        self.said.append(f"{name} stays as you have changed it.{where}")
        return False

    def _retire(self, names: set[str]) -> None:
        """Take away what is no longer released; what the learner has made of it is kept."""
        base = self.folder / BASE
        gone = [path for path in base.rglob("*") if path.is_file() and path != base / "lock"]
        for old in sorted(gone):
            name = old.relative_to(base).as_posix()
            if name in names or old.name.endswith(".new"):
                continue
            path = self.folder / name
            if path.exists() and self._is_as_made(name, old.read_bytes()):
                path.unlink()
            elif path.exists():
                self._keep(path)
                self.said.append(f"{name} is no longer part of the workbook; yours is kept in {self._kept_name()}.")
            old.unlink()

    def _is_as_made(self, name: str, content: bytes) -> bool:
        if not (self.folder / name).is_file():  # a folder that the learner has made
            return False
        mine = (self.folder / name).read_bytes()
        if not name.endswith(".ipynb"):
            return _lines(mine) == _lines(content)
        try:
            return is_fresh(notebook_files.parse(mine), notebook_files.parse(content))
        except ValueError:
            return False

    def _write(self, name: str, content: bytes) -> None:
        notebook_files.replace(self.folder / name, content)
        notebook_files.replace(self.folder / BASE / name, content)

    def _keep(self, path: Path) -> None:
        """Move a file of the learner's to where it is kept."""
        path.replace(self._place_for(path))

    def _place_for(self, path: Path) -> Path:
        """Return where a file of the learner's is kept, in this run's folder for that."""
        if self._kept is None:
            self._kept = free_folder(self.folder)
        name = path.relative_to(self.folder)
        place = self._kept / (name.relative_to("notebooks") if name.parts[0] == "notebooks" else name)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _kept_name(self) -> str:
        return f"{self.folder.name}/{self._kept.name}" if self._kept else ""


def came_again(names: list[str], kept: str) -> str:
    """Return what to say about files that were brought back."""
    if len(names) == 1:
        return f"{names[0]} is as it came again; yours is kept in {kept}."
    return f"{len(names)} files are as they came again; yours are kept in {kept}: {', '.join(names)}."


def free_folder(root: Path) -> Path:
    """Return the folder for what is kept: kept-lessons-1, or the first number that is free."""
    number = 1
    while (root / f"kept-lessons-{number}").exists():
        number += 1
    return root / f"kept-lessons-{number}"


def is_copy(folder: Path) -> bool:
    """Return whether a folder is a learner's copy, as `refresh` makes it."""
    return (folder / BASE).is_dir()


def refresh(project: Path, folder: Path) -> list[str]:
    """Make the learner's copy, or bring it up to date; returns what to say about it. Raises WorkbookError."""
    try:
        return WorkingCopy(project, folder).refresh()
    except OSError as error:
        if diagnose_os_error(error) == "disk":
            raise WorkbookError(FULL) from None
        raise WorkbookError(
            f"Your lessons in {folder} cannot be written: {error.strerror or error}. Copy the workbook to a folder of "
            "your own, or name another place in the variable WORKBOOK_MY_LESSONS."
        ) from None


def _run(notebook: notebook_files.Notebook) -> int:
    """Return how many cells have outputs."""
    return sum(bool(cell.get("outputs")) for cell in notebook["cells"])


def _is_notebook(path: Path) -> bool:
    try:
        notebook_files.parse(path.read_bytes() if path.is_file() else b"")
    except ValueError:
        return False
    return True


def _lines(content: bytes) -> bytes:
    """Return what counts of a text: git on Windows, and editors, write line ends in their own way."""
    return content.replace(b"\r\n", b"\n")
