"""The two houses, `helpers` and `helpers.local_aws`: each part has its place, and imports only what stands below it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from helpers.paths import PROJECT

#: The whole of `helpers` that the embedded AWS may use: it is an account, and knows nothing of notebooks.
OF_THE_EMBEDDED_AWS = {"local_aws", "private_folders", "errors", "filelock", "paths", "settings"}


@dataclass(frozen=True)
class House:
    """A package whose first page lists its parts from the top down; `above` and `below` are left out there.

    on_the_page: parts that functions of the page itself import when they are called.
    """

    name: str
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    on_the_page: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return PROJECT.joinpath(*self.name.split("."))

    def listed(self) -> list[str]:
        """The parts that the page names, from the top down."""
        page = ast.get_docstring(ast.parse((self.folder / "__init__.py").read_text(encoding="utf-8")))
        lines = re.findall(r"^    (\w+(?:, \w+)*)(?:  +\S.*)?$", page or "", re.MULTILINE)
        return [name for line in lines for name in line.split(", ")]

    def order(self) -> list[str]:
        return [*self.above, *self.listed(), *self.below]

    def arrows(self) -> dict[str, dict[str, Path]]:
        """What each part imports from the others, and a file that does so."""
        found: dict[str, dict[str, Path]] = defaultdict(dict)
        for path in sorted(self.folder.rglob("*.py")):
            own = path.relative_to(self.folder).with_suffix("").parts[0]
            for name in imports(path):
                if name.startswith(f"{self.name}."):
                    other = name.removeprefix(f"{self.name}.").partition(".")[0]
                    if other != own:
                        found[own].setdefault(other, path)
        return found


HELPERS = House("helpers", above=("__main__",))
LOCAL_AWS = House(
    "helpers.local_aws",
    above=("__main__", "server"),
    below=("lifecycle", "home", "server_proof", "moto_settings", "succession"),
    on_the_page=("inside", "engine"),
)
both = pytest.mark.parametrize("house", [HELPERS, LOCAL_AWS], ids=lambda house: house.name)


def imports(path: Path) -> Iterator[str]:
    """The absolute names of what one file imports, wherever in the file it does."""
    package = ".".join(path.relative_to(PROJECT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def modules() -> dict[str, Path]:
    """Every module of helpers, by its name; a package goes by its own."""
    found = {}
    for path in sorted(HELPERS.folder.rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@both
def test_each_part_imports_only_what_stands_below_it(house: House):
    order, arrows = house.order(), house.arrows()
    upwards = [
        f"{path.relative_to(house.folder)} imports {other}"
        for own, others in arrows.items()
        for other, path in others.items()
        if (other not in house.on_the_page if own == "__init__" else order.index(own) >= order.index(other))
    ]
    assert not upwards, "move what both need further down, or the importer further up"


@both
def test_a_page_is_read_without_its_house(house: House):
    """Whoever imports a part reads the page first."""
    tree = ast.parse((house.folder / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level]


def test_imports_are_seen():
    assert {"iam", "http", "storage"} <= set(LOCAL_AWS.arrows()["services"])
    assert {"account", "lessons", "pictures", "target"} <= set(HELPERS.arrows()["workbook"])
    assert "installing" in HELPERS.arrows()["__main__"], "those inside of functions too"


@both
def test_the_page_names_each_part_and_each_package_says_what_it_is(house: House):
    parts = {path.stem for path in house.folder.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in house.folder.glob("*/*.py")}
    assert sorted(house.order()) == sorted(parts | packages)
    for package in packages:
        source = (house.folder / package / "__init__.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(source)), package


def test_no_modules_import_each_other_in_a_circle():
    known = modules()
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        used = {each if each in known else each.rpartition(".")[0] for each in imports(path)}
        # A package's page may hand on what its modules have; they import each other, not the page.
        graph[name] = {each for each in used if each in known and each != name and not name.startswith(f"{each}.")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_no_package_takes_a_private_name_of_anothers():
    """Ruff sees `module._name`; this sees `from module import _name`."""
    taken = [
        f"{path.relative_to(PROJECT)} imports {name}"
        for path in HELPERS.folder.rglob("*.py")
        for name in imports(path)
        if name.startswith("helpers.")
        and re.search(r"\._[a-z]\w*$", name, re.IGNORECASE)
        and package_of(name) != ".".join(path.relative_to(PROJECT).parts[:-1])
    ]
    assert not taken, "give it a public name, or ask its own package to do it"


def package_of(name: str) -> str:
    """The package in which `helpers.package.module.name` is defined."""
    return ".".join(name.split(".")[:-2])


def test_what_is_handed_out_needs_no_tests():
    used = {name for path in HELPERS.folder.rglob("*.py") for name in imports(path)}
    assert not [name for name in used if name.partition(".")[0] in ("tests", "benchmarks", "conftest")]


def test_the_embedded_aws_knows_nothing_of_notebooks():
    used = set(HELPERS.arrows()["local_aws"])
    assert used <= OF_THE_EMBEDDED_AWS, "an account is an account, whoever uses it"
