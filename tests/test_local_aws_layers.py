"""The embedded AWS's packages: each has its place, and imports only what stands below it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

from embedded_aws import PROJECT

NAME = "helpers.local_aws"
FOLDER = Path(PROJECT, *NAME.split("."))
#: The process, how it is started, and what it can be asked from outside; the last is below all packages.
ABOVE, BELOW = ["__main__", "server"], ["lifecycle"]


def layers() -> list[str]:
    """The packages from the top down, as the page of helpers/local_aws shows them to a newcomer."""
    page = ast.get_docstring(ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8")))
    lines = re.findall(r"^    (\w+(?:, \w+)*)  +\S", page, re.MULTILINE)
    return [name for line in lines for name in line.split(", ")]


def imports(path: Path) -> Iterator[str]:
    """The absolute names of what one file imports from the embedded AWS, wherever in the file it does."""
    package = ".".join(path.relative_to(PROJECT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith(f"{NAME}."))


def graph() -> dict[str, dict[str, Path]]:
    """What each package, or module of the process, imports, and a file that does so."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted(FOLDER.rglob("*.py")):
        own = path.relative_to(FOLDER).with_suffix("").parts[0]
        for name in imports(path):
            other = name.removeprefix(f"{NAME}.").partition(".")[0]
            if other != own:
                found[own].setdefault(other, path)
    return found


def test_each_package_imports_only_what_stands_below_it():
    order = [*ABOVE, *layers(), *BELOW]
    arrows = graph()
    assert {"iam", "http", "storage"} <= set(arrows["server"]), "imports are seen"
    upwards = [
        f"{path.relative_to(FOLDER)} imports {other}"
        for own, others in arrows.items()
        for other, path in others.items()
        if order.index(own) >= order.index(other)
    ]
    assert not upwards, "move what both need further down, or the importer further up"


def test_the_page_names_each_package_and_each_package_says_what_it_is():
    packages = sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))
    assert sorted(layers()) == packages == sorted({path.parent.name for path in FOLDER.glob("*/*.py")})
    for package in packages:
        assert ast.get_docstring(ast.parse((FOLDER / package / "__init__.py").read_text(encoding="utf-8")))
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(["__init__", *ABOVE, *BELOW])
