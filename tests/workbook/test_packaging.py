"""What is installed: by every way the same, nothing that nobody uses, and nothing that is used unsaid."""

import ast
import functools
import importlib
import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers import __main__
from helpers.authoring.minutes import Minutes, in_table, listing_pages, measure
from helpers.installing import installer, pins
from helpers.installing.place import Place
from helpers.paths import PROJECT
from tests.support.wheels import make_wheel

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
METADATA = PYPROJECT["project"]
LOCK = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
PINS = pins.read(PROJECT / "requirements.txt")
DIRECT = [
    Requirement(text)
    for text in [
        *METADATA["dependencies"],
        *(r for extra in METADATA["optional-dependencies"].values() for r in extra),
    ]
]
#: Every machine and Python that the lock is for, as far as markers see them.
PYTHONS = ["3.11.0", "3.11.9", "3.12.1", "3.13.0", "3.14.0"]
MACHINES = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
]
#: Dependencies whose use is not an import of ours: {name: (files, words in them that are its use)}.
USED_OTHERWISE = {
    "awscli": ("helpers/lab/shell_settings.py", '"-m", "awscli"'),  # run as a program, by the shell's function `aws`
    "awslambdaric": (
        "tests/local_aws/execution/test_runtime_client.py",
        "awslambdaric",
    ),  # run as a program, as Lambda runs it
    "ipykernel": ("notebooks/*.ipynb", '"name": "python3"'),  # the kernel of every notebook
    "py-partiql-parser": (
        "tests/local_aws/dynamodb/test_partiql.py",
        "execute_statement(",
    ),  # moto imports it for DynamoDB's PartiQL
    "mypy": (".pre-commit-config.yaml", "-m helpers mypy"),  # run as a program, by a test below and by pre-commit
    "ruff": (".pre-commit-config.yaml", "-m helpers ruff check"),  # the same
    "uv": ("helpers/installing/pins.py", "[uv, *_COMPILE"),  # run as a program, by `lock` and by the set-up
}
PRE_COMMIT = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = [hook for repository in PRE_COMMIT["repos"] for hook in repository["hooks"]]
IMPORT_NAMES = {"ipython": "IPython", "pytest-xdist": "xdist", "pyyaml": "yaml", "websocket-client": "websocket"}


def python_files():
    for folder in ("helpers", "tests", "benchmarks", "notebooks/solutions"):
        yield from (PROJECT / folder).rglob("*.py")
    yield from PROJECT.glob("*.py")


def notebook_code():
    """The code of each notebook as one Python source, magic lines left out."""
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        lines = [line for cell in cells if cell["cell_type"] == "code" for line in [*cell["source"], "\n"]]
        yield (
            path,
            "".join(line if line.endswith("\n") else line + "\n" for line in lines if line[:1] not in "%!"),
        )


@functools.cache
def third_party_imports():
    """{module that is not ours and not Python's: a file that imports it}"""
    ours = {"benchmarks", "conftest", "handler", "helpers", "tests"}
    found = {}
    sources = [(path, path.read_text(encoding="utf-8")) for path in python_files()]
    for path, source in [*sources, *notebook_code()]:
        for node in ast.walk(ast.parse(source, filename=str(path))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for module in {name.partition(".")[0] for name in names} - ours - sys.stdlib_module_names:
                found[module] = path
    return found


def import_name(distribution):
    return IMPORT_NAMES.get(distribution, distribution.replace("-", "_"))


# The lock.


def test_every_line_of_the_lock_is_an_exact_version():
    for line in LOCK.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement = Requirement(line)
            assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), line
            assert requirement.url is None and not requirement.extras, line


def test_the_lock_names_no_server_and_no_machine():
    assert not re.search(r"://|^\s*-|file:|--(index|find|extra|trusted|hash)|[A-Za-z]:\\|@", LOCK, re.MULTILINE)
    assert not re.search(r"(?<![\w.])/\w", LOCK), "an absolute path"
    assert not re.search(r"\b[\w-]+\.(org|com|net|io|dev)\b", LOCK), "a host"
    assert "python3 -m helpers lock" in LOCK, "it says how it was made"


def pinned_for(machine, python):
    """The lock as this machine reads it: {name: version}; no name twice."""
    environment = {
        **machine, "python_full_version": python, "python_version": python.rpartition(".")[0],
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
    }  # fmt: skip
    lines = [Requirement(line) for line in LOCK.splitlines() if re.match(r"\w", line)]
    mine = [line for line in lines if line.marker is None or line.marker.evaluate(environment)]
    assert len({line.name for line in mine}) == len(mine), "a package is pinned twice for one machine"
    return environment, {canonicalize_name(line.name): str(line.specifier)[2:] for line in mine}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['sys_platform']}-{m['platform_machine']}")
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_satisfies_pyproject_on_every_machine(machine, python):
    environment, pinned = pinned_for(machine, python)
    for requirement in DIRECT:
        if requirement.marker is None or requirement.marker.evaluate(environment):
            version = pinned.get(canonicalize_name(requirement.name))
            assert version, f"{requirement.name} is not in the lock: python3 -m helpers lock"
            assert requirement.specifier.contains(version), f"{requirement} is locked as {version}"


def test_the_lock_is_complete_and_holds_nothing_else():
    """Followed from pyproject.toml through what is installed here, they are exactly the lock's."""
    here = {canonicalize_name(d.metadata["Name"]): d for d in metadata.distributions()}
    lines = [Requirement(line) for line in LOCK.splitlines() if re.match(r"\w", line)]
    pinned = {canonicalize_name(line.name) for line in lines if line.marker is None or line.marker.evaluate()}
    reached, todo = set(), [(r, "") for r in DIRECT]
    while todo:
        requirement, extra = todo.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        step = (name, frozenset(requirement.extras))
        if step in reached or name not in here:
            assert name in pinned, f"{name} is needed and not in the lock: python3 -m helpers lock"
            continue
        reached.add(step)
        for line in here[name].requires or []:
            todo += [(Requirement(line), wanted) for wanted in ["", *requirement.extras]]
    missing = sorted(pinned - here.keys())
    if missing:
        pytest.skip(f"this environment is not the lock's: {', '.join(missing)} not installed")
    assert {name for name, _ in reached} == pinned


def test_the_commands_own_environment_holds_the_pinned_versions():
    if Path(sys.prefix) != Place(PROJECT).venv:
        pytest.skip("this is not the environment that the commands made")
    here = {canonicalize_name(d.metadata["Name"]): d.version for d in metadata.distributions()}
    assert not {name: here[name] for name in here.keys() & PINS.keys() if here[name] not in PINS[name]}


# The conda environment.


def conda_environment():
    """environment.yml, read as the little YAML that it is: ({key: value or list}, the list under pip)."""
    keys, pip, items = {}, [], None
    for line in (PROJECT / "environment.yml").read_text(encoding="utf-8").splitlines():
        line = line.split(" #")[0].rstrip()
        if not line or line.startswith("#"):
            continue
        if match := re.fullmatch(r"(\w+):(?: (.+))?", line):
            items = keys[match[1]] = match[2] or []
        elif match := re.fullmatch(r"  - (.+)", line):
            items.append(match[1])
        elif match := re.fullmatch(r"      - (.+)", line):
            assert items[-1] == "pip:", "only pip has a list of its own"
            pip.append(match[1])
        else:
            pytest.fail(f"environment.yml has a line that this test cannot read: {line!r}")
    return keys, pip


def test_conda_installs_what_the_commands_install():
    keys, pip = conda_environment()
    assert keys == {
        "name": METADATA["name"],
        "channels": ["conda-forge"],
        "dependencies": ["python=3.13", "pip", "pip:"],
    }
    source = (PROJECT / "helpers" / "installing" / "installer.py").read_text(encoding="utf-8")
    assert '["--no-deps", "-r", str(place.requirements), "-e", str(place.root)]' in source
    assert Place(PROJECT).requirements == PROJECT / "requirements.txt"
    assert pip == ["-r requirements.txt", "-e ."], "the commands' own arguments, relative to the project"


def test_condas_python_is_one_that_the_project_supports():
    keys, _ = conda_environment()
    python = keys["dependencies"][0].partition("=")[2]
    assert SpecifierSet(METADATA["requires-python"]).contains(f"{python}.0")
    assert any(tried.startswith(f"{python}.") for tried in PYTHONS)


# Dependencies and their use.


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda r: r.name)
def test_each_dependency_is_used(requirement):
    if requirement.name in USED_OTHERWISE:
        files, words = USED_OTHERWISE[requirement.name]
        users = [path for path in PROJECT.glob(files) if path != Path(__file__)]
        assert any(words in path.read_text(encoding="utf-8") for path in users), "nothing uses it: take it out"
    else:
        assert import_name(requirement.name) in third_party_imports(), "nothing imports it: take it out"


def test_each_import_is_a_dependency():
    declared = {import_name(requirement.name) for requirement in DIRECT}
    unsaid = {module: str(path) for module, path in third_party_imports().items() if module not in declared}
    assert not unsaid, "name these in pyproject.toml, then: python3 -m helpers lock"


def test_what_a_learner_runs_needs_no_test_dependency():
    needed = {import_name(Requirement(text).name) for text in METADATA["dependencies"]}
    code = "\n".join(source for _, source in notebook_code())
    for module in re.findall(r"^\s*(?:import|from) (\w+)", code, re.MULTILINE):
        assert module in needed | {"helpers", "handler"} | sys.stdlib_module_names


def test_awslambdaric_is_asked_for_only_where_it_has_wheels():
    marker = next(r.marker for r in DIRECT if r.name == "awslambdaric")
    for machine in MACHINES:
        environment = {**machine, "implementation_name": "cpython", "python_version": "3.13"}
        assert marker.evaluate(environment) == (machine["sys_platform"] == "linux")
    linux = {**MACHINES[0], "implementation_name": "cpython"}
    assert not Marker(str(marker)).evaluate(linux | {"python_version": "3.15"})
    assert not Marker(str(marker)).evaluate(linux | {"python_version": "3.13", "platform_machine": "riscv64"})


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_the_code_is_in_order(hook):
    """By the very commands that pre-commit runs."""
    python, *arguments = shlex.split(hook["entry"])
    assert (python, *arguments[:2]) == ("python3", "-m", "helpers"), "a command that works in a clean clone"
    if Path(sys.prefix) != Place(PROJECT).venv:  # not the environment that the command would make: conda's
        del arguments[1]
    answer = subprocess.run([sys.executable, *arguments], cwd=PROJECT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_pre_commit_downloads_nothing_and_checks_everything():
    assert [hook["entry"].partition(" helpers ")[2] for hook in HOOKS] == ["ruff check", "ruff format --check", "mypy"]
    assert [repository["repo"] for repository in PRE_COMMIT["repos"]] == ["local"]
    assert all(hook["language"] == "system" and hook["pass_filenames"] is False for hook in HOOKS)
    on_github = (PROJECT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8").splitlines()
    for hook in HOOKS:
        command = hook["entry"].partition(" helpers ")[2]
        assert f"- run: .venv/bin/{command}" in map(str.strip, on_github), "the same, when it is pushed"


# Refreshing the lock.


@pytest.mark.skipif(installer.find_uv(Place(Path("/nowhere"))) is None, reason="no uv on the PATH")
def test_the_lock_is_made_from_pyproject(tmp_path):
    """`python3 -m helpers lock` on a project whose only dependency lies in a folder beside it."""
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels", "small_thing", "1.5", {"small_thing.py": ""})
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["small-thing"]\n'
        '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n'
    )
    assert pins.refresh(tmp_path, installer.find_uv(Place(tmp_path)), []) == 0
    text = (tmp_path / "requirements.txt").read_text()
    assert pins.read(tmp_path / "requirements.txt") == {"small-thing": ["1.5"]}
    assert "python3 -m helpers lock" in text and "wheels" not in text and str(tmp_path) not in text


# pytest's settings.


@pytest.mark.parametrize(
    "options, passes",
    [
        pytest.param([], False, id="strict"),
        pytest.param(["--nbval-lax"], True, id="lax", marks=pytest.mark.deep),
    ],
)
def test_pytest_compares_unless_it_is_told_not_to(tmp_path, options, passes):
    """On a notebook that runs without an error and whose stored output is wrong."""
    output = {"output_type": "stream", "name": "stdout", "text": "3\n"}
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1, "source": "print(2)"}
    notebook = {"cells": [cell | {"outputs": [output]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "wrong.ipynb").write_text(json.dumps(notebook))
    command = [sys.executable, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", f"--rootdir={PROJECT}"]
    answer = subprocess.run(
        [*command, "-c", "pyproject.toml", *options, tmp_path / "wrong.ipynb"],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert ("1 passed" if passes else "1 failed") in answer.stdout, answer.stdout + answer.stderr


# Names and promises.


def test_the_project_says_what_it_is():
    assert METADATA["name"] == "serverless-order-workbook" and METADATA["license"] == "MIT"
    licence = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("MIT License") and "The notebook workbook authors" in licence
    oldest = "{}.{}".format(*__main__.OLDEST)
    assert METADATA["requires-python"] == f">={oldest}"
    assert Version(PYTHONS[0]) == Version(f"{oldest}.0")


SHARED = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]


def test_the_look_of_lessons_lies_where_jupyter_finds_it():
    look = json.loads((PROJECT / "helpers" / "lab" / "look" / "package.json").read_text())
    assert SHARED["helpers/lab/look"] == f"share/jupyter/labextensions/{look['name']}"
    script = (PROJECT / "helpers" / "lab" / "look" / look["jupyterlab"]["_build"]["load"]).read_text()
    assert f'window._JUPYTERLAB["{look["name"]}"]' in script, "JupyterLab looks for it under the extension's name"
    assert look["name"] == METADATA["name"] and look["version"] == METADATA["version"]
    for path in (PROJECT / "helpers" / "lab" / "look").rglob("*.*"):
        installed = Path(sys.prefix, SHARED["helpers/lab/look"], path.relative_to(PROJECT / "helpers" / "lab" / "look"))
        assert installed.read_bytes() == path.read_bytes(), "a change of it is a change of .venv"


def test_jupyter_is_told_to_ask_the_network_for_nothing():
    settings = json.loads((PROJECT / "helpers" / "lab" / "jupyter" / "jupyter_lab_config.json").read_text())["LabApp"]
    assert settings["news_url"] is None and settings["extension_manager"] == "readonly"
    module, _, name = settings["check_for_updates_class"].rpartition(".")
    assert hasattr(importlib.import_module(module), name)
    assert SHARED["helpers/lab/jupyter"] == "etc/jupyter"
    assert SHARED["helpers/lab/ipython"] == "etc/ipython"
    page = json.loads((PROJECT / "helpers" / "lab" / "jupyter" / "labconfig" / "page_config.json").read_text())
    assert page["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"], "it asks about news"


README = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_the_two_commands_first():
    commands = re.findall(r"^python3 -m helpers \w+$", README, re.MULTILINE)
    assert commands == ["python3 -m helpers lab", "python3 -m helpers test"]
    assert README.index("python3 -m helpers test") < README.index("conda env create")
    *_, last = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert last == 'python3 -m helpers test --all "$@"'


def test_every_link_of_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 10
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    own = [link for link in links if "://" not in link]
    assert not [link for link in own if not (link in anchors if link.startswith("#") else (PROJECT / link).exists())]


LESSONS = {
    path.name: json.loads(path.read_text(encoding="utf-8"))["cells"]
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))
}
#: The command that writes them, said where a test fails.
WRITE = "run: python3 -m helpers.authoring.minutes"


def told_of_each_lesson(folder=""):
    """(link, title, minutes of the core path, all minutes) of each lesson, as a table should tell them."""
    for name, cells in LESSONS.items():
        title = re.match(r"# (.+)", "".join(cells[0]["source"]))[1]
        minutes = measure(cells)
        yield (folder + name, title, str(minutes.core), str(minutes.all))


def test_the_readmes_table_of_lessons_agrees_with_the_lessons():
    """The minutes are those of the core path, and of everything."""
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| (.+?) \| (.+?) \|", README, re.MULTILINE)
    told = [(path, title, core, everything) for title, path, core, everything in rows]
    assert told == [*told_of_each_lesson("notebooks/")], WRITE


def test_the_map_in_lesson_0_agrees_with_the_lessons():
    (table,) = ["".join(cell["source"]) for cell in LESSONS["00_start_here.ipynb"] if cell["id"] == "map"]
    assert "| Lesson | Core path | All | Afterwards you have |" in table
    here, *others = re.findall(r"^\| (\[?\d+\. [^|]+?) \| (.+?) \| (.+?) \| \S", table, re.MULTILINE)
    told = [(re.fullmatch(r"\[(.+)\]\((.+)\)", linked), core, everything) for linked, core, everything in others]
    (_, *first), *later = told_of_each_lesson()
    assert [*here] == first, f"the lesson itself, without a link; {WRITE}"
    assert [(link[2], link[1], core, everything) for link, core, everything in told] == later, WRITE


def test_the_command_for_both_tables_has_nothing_left_to_write():
    assert {path.name for path in listing_pages()} == {"00_start_here.ipynb", "README.md"}
    for path, text in listing_pages().items():
        assert path.read_text(encoding="utf-8") == text, WRITE


def test_only_the_minutes_of_a_row_are_written():
    minutes = {0: Minutes(9, 8, 1, 22, 1_000), 13: Minutes(10, 15, 2, 20, 1_000)}
    before = "| 0. Start | 7 | 7 | 2. words |\n| [13. Deploy](x.ipynb) | 1 | 2 | 3 | 4 |\n| 8 | 7 | 7 |\n14. | 5 | 5 |"
    after = (
        "| 0. Start | 17 | 40 | 2. words |\n| [13. Deploy](x.ipynb) | 25 | 47 | 3 | 4 |\n| 8 | 7 | 7 |\n14. | 5 | 5 |"
    )
    assert in_table(before, minutes) == after


def test_the_readme_quotes_the_messages_that_there_are():
    """What the troubleshooting table names, somebody says."""
    said = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "helpers").rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", said).replace("%d.%d", "3.11")
    table = README[README.index("| It says |") : README.index("## How the notebooks are tested")]
    for quote in re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]:
        if not quote.startswith(("Anything odd", "---")):
            assert all(part.strip() in said for part in quote.split("…")), quote
