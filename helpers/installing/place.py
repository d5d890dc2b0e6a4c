"""Name the files that the set-up makes, and what decides whether they are up to date. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

#: Kinds of files that the installation copies.
_COPIED = {".css", ".js", ".json"}


@dataclass(frozen=True)
class Place:
    """The project's folder, and what the set-up makes in it. name: of the environment's folder."""

    root: Path
    name: str = ".venv"

    @property
    def new(self) -> Place:
        """Where an environment is made before it takes the place of this one.

        Its name is as long as the other: in the programs that pip and uv write, one can stand for the other.
        """
        return Place(self.root, ".vnew")

    @property
    def venv(self) -> Path:
        return self.root / self.name

    @property
    def programs(self) -> Path:
        return self.venv / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.programs / ("python.exe" if os.name == "nt" else "python")

    @property
    def stamp(self) -> Path:
        return self.venv / "workbook.json"

    @property
    def trash(self) -> list[Path]:
        """Environments that were on their way out when an earlier start ended."""
        return list(self.root.glob(".venv.trash-*"))

    @property
    def log(self) -> Path:
        return self.root / ".venv.log"

    @property
    def lock(self) -> Path:
        return self.root / ".venv.lock"

    @property
    def requirements(self) -> Path:
        return self.root / "requirements.txt"

    @property
    def jupyter(self) -> list[Path]:
        """JupyterLab's settings and the lessons' look, which the installation copies into the environment."""
        folders = (self.root / "helpers" / "lab" / name for name in ("jupyter", "look"))
        return sorted(path for folder in folders for path in folder.rglob("*.*") if path.suffix in _COPIED)

    def wanted(self) -> str:
        """Return a digest, in hexadecimal, of all that decides what belongs into the environment.

        Not among it: the settings of tools, such as ruff's.
        """
        with (self.root / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)
        parts = [project.get("build-system"), project.get("project"), project.get("tool", {}).get("hatch")]
        files = [self.requirements, *self.jupyter]
        parts += [path.read_text(encoding="utf-8") for path in files if path.exists()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def installed(self) -> list[str]:
        """Return what is installed, by its metadata folders: ["boto3-1.44.5.dist-info", ...], sorted."""
        folder = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return sorted(path.name for path in self.venv.glob(f"{folder}/*.dist-info"))
