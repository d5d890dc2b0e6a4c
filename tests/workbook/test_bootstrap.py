"""The two commands, from outside: a small project with the workbook's own set-up code, broken in many ways.

Nothing here needs a network; and nothing touches the workbook's own `.venv`.
"""

import ast
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from helpers import filelock
from helpers.errors import WorkbookError
from helpers.installing import bootstrap, commands, trouble
from helpers.installing.installer import find_uv
from helpers.installing.place import Place
from helpers.paths import PROJECT
from tests.support import wheels
from tests.support.folders import open_to_others
from tests.support.polling import PATIENCE, eventually
from tests.support.signals import interruptible
from tests.support.wheels import make_wheel

MODULES = ["__init__", "__main__", "errors", "filelock", "paths"]
#: The uv of this machine, or else that of the environment in which the tests run: it is five times as fast as pip.
UV = find_uv(Place(Path("/nowhere"))) or shutil.which("uv", path=str(Path(sys.executable).parent))
needs_uv = pytest.mark.skipif(UV is None, reason="no uv on the PATH")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and shell scripts")

#: Stands for pytest in the small project: tells what it was called with, and fails when asked to.
FAKE_PYTEST = """
import json, os, sys
import small_project
print(json.dumps({"arguments": sys.argv[1:], "python": sys.executable, "cwd": os.getcwd(),
                  "venv": os.environ["VIRTUAL_ENV"], "small_project": small_project.__file__}))
sys.exit(3 if "--fail" in sys.argv else 0)
"""
#: A program that says in which environment it runs.
HELLO = "import sys\ndef main():\n    print(sys.prefix)\n"
#: A build backend without dependencies: the project can be installed without a network. It says that it is there, and
#: waits to be told to go on where a test wants that.
BACKEND = """
import os, pathlib, sys, time
sys.path.insert(0, os.path.dirname(__file__))
from wheels import make_wheel

def build_editable(folder, config_settings=None, metadata_directory=None):
    pathlib.Path("building").touch()
    end = time.monotonic() + 600
    while "GATE" in os.environ and not os.path.exists(os.environ["GATE"]) and time.monotonic() < end:
        time.sleep(0.05)
    return make_wheel(folder, "small_project", "1.0", {"small_project.pth": os.getcwd()})

build_wheel = build_editable
"""


class Project:
    """A small project with the workbook's set-up code, whose packages lie in a folder beside it."""

    def __init__(self, folder):
        self.root, self.wheels, self.folder = folder / "project", folder / "wheels", folder
        (self.root / "helpers").mkdir(parents=True)
        self.wheels.mkdir()
        for module in MODULES:
            shutil.copy(PROJECT / "helpers" / f"{module}.py", self.root / "helpers")
        shutil.copytree(
            PROJECT / "helpers" / "installing",
            self.root / "helpers" / "installing",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for version in ("1.0", "2.0"):
            entry = {f"pytest-{version}.dist-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n"}
            make_wheel(self.wheels, "pytest", version, {"pytest.py": FAKE_PYTEST, "hello.py": HELLO} | entry)
        self.write("requirements.txt", "# what the project needs\npytest==1.0\n")
        self.write("small_project.py", "")
        self.write("backend.py", BACKEND)
        shutil.copy(wheels.__file__, self.root)
        self.write(
            "pyproject.toml",
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "small-project"\nversion = "1.0"\n',
        )

    def write(self, name, text):
        (self.root / name).write_text(text, encoding="utf-8")

    @property
    def venv(self):
        return self.root / ".venv"

    @property
    def python(self):
        return Place(self.root).python

    def beside(self):
        """What lies beside `.venv` and may not last: environments that are being made, or deleted."""
        return sorted(
            path.name for path in self.root.glob(".v*") if path.name not in (".venv", ".venv.lock", ".venv.log")
        )

    def was_made(self):
        """When `.venv` was made: another one has another time."""
        return (self.venv / "workbook.json").stat().st_mtime_ns

    def environment(self, **extra):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        closed = "http://127.0.0.1:9/simple"  # nothing listens there: nothing comes from a network
        env |= {
            "PIP_FIND_LINKS": str(self.wheels), "PIP_INDEX_URL": closed, "PIP_RETRIES": "0",
            "PIP_CONFIG_FILE": os.devnull, "PIP_CACHE_DIR": str(self.folder / "pip-cache"),
            "UV_FIND_LINKS": str(self.wheels), "UV_DEFAULT_INDEX": closed, "UV_OFFLINE": "true",
            "UV_NO_CONFIG": "1", "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(self.folder / "uv-cache"),
        }  # fmt: skip
        if UV:
            env["PATH"] = f"{Path(UV).parent}{os.pathsep}{env['PATH']}"
        return env | extra

    def start(self, *arguments, env=None, prefix=(), **extra):
        """Start `python -m helpers test`, as a learner would."""
        command = [*prefix, sys.executable, "-m", "helpers", *(arguments or ["test"])]
        return subprocess.Popen(
            command, cwd=self.root, env=env or self.environment(**extra), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=os.name == "posix",
            **interruptible(),
        )  # fmt: skip

    def run(self, *arguments, **options):
        """The same to its end: (exit status, what pytest was called with or None, what the user was told)."""
        return self.finish(self.start(*arguments, **options))

    @staticmethod
    def finish(process):
        output, told = process.communicate(timeout=PATIENCE)
        return process.returncode, json.loads(output) if output.startswith("{") else None, told

    def start_and_stop_in_the_build(self):
        """Start, and return the process when its installation waits in the build for the file `gate`."""
        process = self.start(GATE=str(self.gate))
        eventually((self.root / "building").exists, "the installation to come to the project")
        return process

    @property
    def gate(self):
        return self.folder / "gate"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project whose environment is complete; tests copy it."""
    project = Project(tmp_path_factory.mktemp("made"))
    status, _, told = project.run()
    assert status == 0, told
    return project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def complete(made):
    """The complete environment, put right again after the test by the next one that uses it."""
    yield made
    made.write("requirements.txt", "# what the project needs\npytest==1.0\n")


def fake_uv(folder, script):
    """A PATH with a uv that answers --version and otherwise does as the shell script says."""
    folder.mkdir()
    uv = folder / "uv"
    uv.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit 0\n{script}\n')
    uv.chmod(0o755)
    return f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"


def last_line(told):
    return told.rstrip("\n").splitlines()[-1]


def test_first_start_installs_and_later_ones_just_start(project):
    status, called, told = project.run("test", "-x", "notebooks/some name.ipynb")
    assert status == 0
    assert called["arguments"] == ["-x", "notebooks/some name.ipynb"]
    assert Path(called["python"]) == project.python
    assert Path(called["cwd"]).samefile(project.root)
    assert Path(called["venv"]) == project.venv
    assert Path(called["small_project"]).samefile(project.root / "small_project.py")
    assert "there is none yet" in told and "[1/2]" in told and "[2/2] Installing 1 packages" in told
    assert (project.venv / "workbook.json").exists() and project.beside() == []

    status, called, told = project.run("test", "--fail")
    assert status == 3, "pytest's own exit status is passed on"
    assert told == "", "a start with everything in place says nothing"


def test_a_python_that_has_everything_is_used_as_it_is(project):
    """Under conda, on Binder and on a JupyterHub nobody wants 900 MB more in a home."""
    pyproject = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    wanted = f'version = "1.0"\ndependencies = ["pytest=={pytest.__version__}"]\n'
    project.write("pyproject.toml", pyproject.replace('version = "1.0"\n', wanted))
    status, _, told = project.run("test", "--version")
    assert status == 0
    assert told == "" and not project.venv.exists()

    project.write("pyproject.toml", (project.root / "pyproject.toml").read_text().replace(pytest.__version__, "1.0"))
    status, called, told = project.run("test")
    assert status == 0
    assert Path(called["python"]) == project.python and "there is none yet" in told


@pytest.mark.deep
@posix
def test_pip_does_what_uv_cannot(project):
    path = fake_uv(project.folder / "bin", 'echo "error: something new" >&2; exit 2')
    status, called, told = project.run(PATH=path)
    assert status == 0 and called
    assert "uv could not do it; pip will." in told
    assert json.loads((project.venv / "workbook.json").read_text())["made_with"] == "pip"
    assert list(project.venv.glob("**/__pycache__/pytest.*.pyc")), "pip compiles what it installs"


@needs_uv
def test_uv_compiles_what_it_installs(complete):
    assert complete.run()[0] == 0
    assert json.loads((complete.venv / "workbook.json").read_text())["made_with"] == "uv"
    assert list(complete.venv.glob("**/__pycache__/pytest.*.pyc"))


def delete_interpreter(project):
    project.python.unlink()


def interpreter_of_a_removed_python(project):
    project.python.unlink()
    project.python.write_text("#!/gone/python\n") if os.name == "nt" else project.python.symlink_to("/gone/python3")


def damage_stamp(project):
    (project.venv / "workbook.json").write_text('{"root":')


def no_folder(project):
    shutil.rmtree(project.venv)


def half_deleted(project):
    for library in project.venv.glob("lib*"):
        shutil.rmtree(library) if not library.is_symlink() else library.unlink()


def other_python(project):
    stamp = project.venv / "workbook.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"python": [3, 99]}))


def uninstall(project):
    shutil.rmtree(next(project.venv.glob("**/pytest-1.0.dist-info")))


def change_requirements(project):
    project.write("requirements.txt", "# newer\npytest==2.0\n")


@pytest.mark.parametrize(
    "damage, reason",
    [
        (delete_interpreter, "its Python is gone"),
        (interpreter_of_a_removed_python, "its Python is gone"),
        (damage_stamp, "is not complete"),
        (no_folder, "there is none yet"),
        (half_deleted, "is missing in it"),
        (other_python, "its Python is gone or was replaced"),
        (uninstall, "pytest-1.0 is missing in it"),
        (change_requirements, "what it should contain has changed"),
    ],
)
def test_a_broken_environment_is_made_anew(complete, damage, reason):
    assert complete.run()[0] == 0
    damage(complete)
    status, called, told = complete.run()
    assert status == 0 and called, told
    assert reason in told
    assert complete.run()[2] == "", "and then it is in order"
    assert complete.beside() == [], "nothing of the broken one is left"


def test_a_moved_project_is_set_up_anew(project, complete):
    assert complete.run()[0] == 0
    project.root = shutil.copytree(complete.root, project.folder / "moved", symlinks=True)
    status, called, told = project.run()
    assert status == 0 and "the workbook was moved" in told
    assert Path(called["small_project"]).samefile(project.root / "small_project.py")


def test_programs_name_the_environment_in_its_place(complete):
    """It is made in another folder, and what pip, uv and venv have written there names that."""
    assert complete.run()[0] == 0
    script = Place(complete.root).programs / ("hello.exe" if os.name == "nt" else "hello")
    assert subprocess.run([script], capture_output=True, text=True).stdout.strip() == str(complete.venv)
    texts = [
        complete.venv / "pyvenv.cfg",
        *(path for path in Place(complete.root).programs.iterdir() if path.is_file()),
    ]
    assert not [path.name for path in texts if path.stat().st_size < 1_000_000 and b".vnew" in path.read_bytes()]


@pytest.mark.deep
@posix
def test_programs_that_pip_has_made_do_so_too(project):
    path = fake_uv(project.folder / "bin", 'echo "error: something new" >&2; exit 2')
    assert project.run(PATH=path)[0] == 0
    answer = subprocess.run([project.venv / "bin" / "hello"], capture_output=True, text=True)
    assert answer.stdout.strip() == str(project.venv)
    shell = f"cd / && . {project.venv}/bin/activate && echo $VIRTUAL_ENV"
    assert subprocess.run(["sh", "-c", shell], capture_output=True, text=True).stdout.strip() == str(project.venv)


# --- what was there stays until there is a better one ---


def no_network(project):
    return {"UV_OFFLINE": "false", "PIP_RETRIES": "1"}


def full_disk(project):
    script = 'echo "error: failed to write: No space left on device (os error 28)" >&2; exit 2'
    return {"PATH": fake_uv(project.folder / "bin", script)}


@pytest.mark.parametrize("trouble, said", [
    (no_network, "The packages cannot be downloaded"),
    pytest.param(full_disk, "The disk is full", marks=posix),
])  # fmt: skip
def test_an_installation_that_fails_leaves_what_was_there(complete, trouble, said):
    assert complete.run()[0] == 0
    before = complete.was_made()
    change_requirements(complete)
    hidden = complete.wheels.rename(complete.folder / "hidden")
    complete.wheels.mkdir()
    status, called, told = complete.run(**trouble(complete))
    complete.wheels.rmdir()
    hidden.rename(complete.wheels)
    assert status == 2 and called is None and complete.was_made() == before and complete.beside() == []
    assert last_line(told).startswith(said), told
    assert told.endswith(" The .venv that was there is unchanged.\n")
    answer = subprocess.run([complete.python, "-c", "import hello, small_project"], cwd=complete.folder)
    assert answer.returncode == 0, "it can be used as before"
    status, called, told = complete.run()
    assert status == 0 and called and complete.was_made() != before, told


def keep_a_clue(project):
    """Let an environment be one of its own that a test knows again."""
    (project.venv / "clue").write_text("the former")
    change_requirements(project)


@posix
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_an_installation_leaves_what_was_there(project, stop):
    assert project.run()[0] == 0
    keep_a_clue(project)
    (project.root / "building").unlink()
    process = project.start_and_stop_in_the_build()
    assert (project.venv / "clue").exists() and project.beside() == [".vnew"]
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(stop)
    status, _, told = project.finish(process)
    assert status == 130
    assert last_line(told) == "Stopped. Nothing is broken: run the same command again to go on."
    assert children and not psutil.wait_procs(children, timeout=PATIENCE)[1], "the installer ended too"
    assert (project.venv / "clue").exists() and project.beside() == []
    status, called, told = project.run()
    assert status == 0 and called, told
    assert not (project.venv / "clue").exists() and project.beside() == []


def whole_but_not_in_place(project):
    """A start was killed just before it put the new environment in its place."""
    project.venv.rename(Place(project.root).new.venv)


def old_one_in_the_way_of_its_deletion(project):
    """A start was killed while it deleted what it had replaced."""
    shutil.copytree(project.venv, project.root / ".venv.trash-1", symlinks=True)


def half_made(project):
    """A start was killed while it made a new one, and what was wrong with the old one is right again."""
    Place(project.root).new.programs.mkdir(parents=True)


@pytest.mark.parametrize("killed", [whole_but_not_in_place, old_one_in_the_way_of_its_deletion, half_made])
def test_the_next_start_tidies_up_after_one_that_was_killed(complete, killed):
    assert complete.run()[0] == 0
    made = complete.was_made()
    killed(complete)
    status, called, told = complete.run()
    assert status == 0 and called and told == "", "nothing had to be made"
    assert complete.was_made() == made and complete.beside() == []


def test_what_an_older_start_has_made_is_no_use_when_something_has_changed_since(complete):
    assert complete.run()[0] == 0
    whole_but_not_in_place(complete)
    change_requirements(complete)
    status, _, told = complete.run()
    assert status == 0 and "Making the workbook's Python environment" in told
    assert "pytest-2.0.dist-info" in Place(complete.root).installed() and complete.beside() == []


def test_an_environment_that_cannot_be_put_in_its_place_leaves_the_old_one(complete, monkeypatch):
    """On Windows, something in the old one may be in use."""
    assert complete.run()[0] == 0
    place = Place(complete.root)
    shutil.copytree(place.venv, place.new.venv, symlinks=True)
    keep_a_clue(complete)
    stamp = json.loads(place.new.stamp.read_text())
    place.new.stamp.write_text(json.dumps(stamp | {"wanted": place.wanted()}))
    rename = Path.rename

    def refuse(path, target):
        if path == place.new.venv:
            raise PermissionError(errno.EACCES, "it is in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(WorkbookError, match="cannot be written to, or something in its .venv is in use"):
        bootstrap.ensure(complete.root)
    assert (complete.venv / "clue").exists() and complete.beside() == [".vnew"]
    monkeypatch.undo()
    assert complete.run()[2] == "", "the next start has it ready"
    assert not (complete.venv / "clue").exists() and complete.beside() == []


# --- what the workbook has not made is the user's ---


def made_by_venv(project):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project.venv], check=True)


def made_by_conda(project):
    (project.venv / "conda-meta").mkdir(parents=True)


def a_file(project):
    project.venv.write_text("mine")


def a_link_to_itself(project):
    project.venv.symlink_to(project.venv)


@pytest.mark.parametrize("make", [made_by_venv, made_by_conda, a_file, pytest.param(a_link_to_itself, marks=posix)])
def test_an_environment_of_somebody_else_is_not_touched(project, make):
    make(project)
    before = project.venv.lstat()  # its time of reading may change
    status, called, told = project.run()
    assert status == 2 and called is None
    assert told.startswith(f"{project.venv} was not made by the workbook, so it stays as it is. Rename or delete it,")
    assert told.count("\n") == 1
    after = project.venv.lstat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns) and project.beside() == []
    project.venv.rename(project.root / "kept")
    assert project.run()[0] == 0


@posix
def test_a_link_is_not_replaced_nor_what_it_leads_to(project):
    assert project.run()[0] == 0
    elsewhere = project.venv.rename(project.folder / "elsewhere")
    project.venv.symlink_to(elsewhere)
    assert project.run()[2] == "", "it is the workbook's own, on another disk, and whole"
    made = project.was_made()
    change_requirements(project)
    status, _, told = project.run()
    assert status == 2
    assert told == f"{project.venv} leads to {elsewhere}, so it stays as it is. Delete the link, then run this again.\n"
    assert project.venv.is_symlink() and project.was_made() == made and project.beside() == []
    project.venv.unlink()
    assert project.run()[0] == 0 and elsewhere.exists()


def test_beside_an_environment_of_somebody_else_a_python_that_has_everything_will_do(project):
    made_by_venv(project)
    pyproject = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    wanted = f'version = "1.0"\ndependencies = ["pytest=={pytest.__version__}"]\n'
    project.write("pyproject.toml", pyproject.replace('version = "1.0"\n', wanted))
    status, _, told = project.run("test", "--version")
    assert status == 0 and told == ""


@pytest.mark.deep
@posix
def test_a_killed_installation_leaves_nothing_in_the_way(project):
    assert project.run()[0] == 0
    keep_a_clue(project)
    (project.root / "building").unlink()
    process = project.start_and_stop_in_the_build()
    process.kill()  # its installer lives on and still writes: the next start has to wait for it
    process.communicate()
    assert (project.venv / "clue").exists()
    process = project.start()
    while "waiting for it to finish" not in (line := process.stderr.readline()):
        assert line, "the next start did not wait"
    project.gate.touch()
    status, called, told = project.finish(process)
    assert status == 0 and called, told
    assert project.run()[2] == "" and project.beside() == []


@pytest.mark.deep
def test_two_starts_at_once_make_one_environment(project):
    results = [project.finish(process) for process in [project.start(), project.start()]]
    assert [status for status, _, _ in results] == [0, 0], results
    assert sum("Making the workbook's Python environment" in told for _, _, told in results) == 1, results


def test_a_folder_of_wheels_is_enough_for_both_tools(project):
    env = project.environment(PIP_NO_INDEX="1", UV_OFFLINE="false")
    for name in ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS"]:
        del env[name]
    status, called, told = project.finish(project.start(env=env))
    assert status == 0 and called, told
    assert "uv could not do it" not in told, "uv is told what pip's variables say"


@pytest.mark.deep
def test_no_network_is_one_line(project):
    shutil.rmtree(project.wheels)
    project.wheels.mkdir()
    status, called, told = project.run(UV_OFFLINE="false", PIP_RETRIES="1")
    assert status == 2 and called is None
    assert last_line(told).startswith("The packages cannot be downloaded: no network"), told
    assert "Traceback" not in told
    assert not project.venv.exists() and project.beside() == [], "nothing half-made stays"
    make_wheel(project.wheels, "pytest", "1.0", {"pytest.py": FAKE_PYTEST})
    assert project.run()[0] == 0, "with a network, the next try does it"


@posix
def test_a_full_disk_is_one_line(project):
    """On a real, tiny disk where one can be had (as root, in a mount namespace of its own)."""
    disk = project.folder / "disk"
    mount = f'mount -t tmpfs -o size=2m tmpfs {disk} && cp -r . {disk} && cd {disk} && exec "$@"'
    disk.mkdir()
    unshare = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(disk)]
    if shutil.which("unshare") and subprocess.run(unshare, capture_output=True).returncode == 0:
        make_wheel(project.wheels, "pytest", "1.0", {"pytest.py": FAKE_PYTEST, "big.txt": "x" * 3_000_000})
        prefix = ["unshare", "--mount", "sh", "-c", mount, "sh"]
        status, _, told = project.run(prefix=prefix)
    else:
        script = 'echo "error: failed to write: No space left on device (os error 28)" >&2; exit 2'
        status, _, told = project.run(PATH=fake_uv(project.folder / "bin", script))
    assert status == 2
    assert last_line(told).startswith("The disk is full"), told
    assert "Traceback" not in told
    assert not project.venv.exists() and project.beside() == []


@posix
def test_a_folder_that_cannot_be_written_to_is_one_line(project):
    """Root may write anywhere: for the test it becomes somebody else once Python has read its modules."""
    project.root.chmod(0o555)
    script = (
        "import os, sys, helpers.installing.commands, pathlib\n"
        "os.geteuid() or os.seteuid(65534)\n"
        "sys.exit(helpers.installing.commands.main(['test']))"
    )
    open_to_others(project.folder)
    command = [sys.executable, "-c", script]
    answer = subprocess.run(
        command, cwd=project.root, env=project.environment(), capture_output=True, text=True, timeout=PATIENCE
    )
    project.root.chmod(0o755)
    assert answer.returncode == 2, answer.stderr
    assert answer.stderr.count("\n") == 1 and "cannot be written to" in answer.stderr


OLD_PYTHONS = [
    path
    for folder in [
        *os.environ.get("PATH", "").split(os.pathsep),
        *Path.home().glob(".pyenv/versions/*/bin"),
        *Path.home().glob(".local/share/uv/python/*/bin"),
    ]
    for path in (Path(folder) / f"python{version}" for version in ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10"))
    if path.exists() and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0
]


@pytest.mark.skipif(not OLD_PYTHONS, reason="no Python before 3.11 on this machine")
@pytest.mark.parametrize("newer_one", [True, False])
def test_an_old_python_is_told_what_to_do(tmp_path, newer_one):
    if newer_one:
        (tmp_path / "python3.13").write_text("#!/bin/sh\n")
        (tmp_path / "python3.13").chmod(0o755)
    for python in {path.name: path for path in OLD_PYTHONS}.values():
        answer = subprocess.run(
            [python, "-m", "helpers", "lab"],
            cwd=PROJECT,
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        version = python.name.removeprefix("python")
        assert answer.returncode == 2
        assert answer.stderr.startswith(f"This workbook needs Python 3.11 or later; this is Python {version}. ")
        assert answer.stderr.count("\n") == 1, answer.stderr
        assert ("python3.13 -m helpers lab" in answer.stderr) is newer_one
        assert ("Install Python" in answer.stderr) is not newer_one


@pytest.mark.parametrize("module", ["__init__", "__main__"])
def test_an_old_python_can_read_what_it_meets_first(module):
    source = (PROJECT / "helpers" / f"{module}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert 'f"' not in source and ":=" not in source, "which not even Python 2 would read"


DEBIAN = """\
The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv
package using the following command."""


@pytest.mark.parametrize(
    "output, kind",
    [
        (DEBIAN, "venv"),
        ("/usr/bin/python3: No module named venv", "venv"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk"),
        ("error: failed to write\n  Caused by: No space left on device (os error 28)", "disk"),
        ("OSError: [WinError 112] There is not enough space on the disk", "disk"),
        ("OSError: [Errno 122] Disk quota exceeded", "disk"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'",
            "permission",
        ),
        ("error: failed to remove file: Access is denied. (os error 5)", "permission"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for boto3==1.44.5",
            "network",
        ),
        ("error: Failed to fetch: `x`\n  Caused by: error sending request for url\n  dns error", "network"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate", "network"),
        ("ERROR: No matching distribution found for pyarrow==26.0.1", "build"),
        (
            "  error: Microsoft Visual C++ 14.0 or greater is required.\nERROR: Failed building wheel for x",
            "build",
        ),
        ("Something nobody has thought of", "other"),
    ],
)
def test_each_failure_has_its_own_line(output, kind):
    assert trouble.diagnose(output, PROJECT) == kind
    line = trouble.advice(kind, Path("workbook"), Path("workbook/.venv.log"), output)
    assert line and "\n" not in line and len(line) < 300
    assert kind != "other" or "Something nobody has thought of" in line


def test_errors_of_the_system_are_told_apart():
    assert trouble.diagnose_os_error(OSError(errno.ENOSPC, "No space")) == "disk"
    assert trouble.diagnose_os_error(PermissionError(errno.EACCES, "No")) == "permission"
    assert trouble.diagnose_os_error(OSError(errno.EROFS, "Read-only")) == "permission"
    assert trouble.diagnose_os_error(FileNotFoundError(errno.ENOENT, "None")) == "other"


@pytest.mark.skipif(
    not (DEBIANS := Path("/usr/bin/python3")).exists()
    or subprocess.run([DEBIANS, "-c", "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"]).returncode != 1
    or subprocess.run([DEBIANS, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode != 0,
    reason="the system's Python is missing, too old, or has venv",
)
def test_a_python_without_venv_is_told_what_to_install(project):
    answer = subprocess.run(
        [DEBIANS, "-m", "helpers", "test"], cwd=project.root, env=project.environment(PATH="/nowhere"),
        capture_output=True, text=True,
    )  # fmt: skip
    assert answer.returncode == 2
    assert "apt install python3-venv" in last_line(answer.stderr)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_needs_nothing(project, arguments):
    answer = subprocess.run(
        [sys.executable, "-m", "helpers", *arguments], cwd=project.root, capture_output=True, text=True
    )
    assert answer.returncode == 0
    assert all(f"python3 -m helpers {command}" in answer.stdout for command in commands.KNOWN)
    assert not project.venv.exists()


def test_an_unknown_command_is_one_line(project):
    status, _, told = project.run("tset")
    assert status == 2 and told.count("\n") == 1 and "lab, test, progress" in told
    assert not project.venv.exists()


def test_a_lock_dies_with_its_holder(tmp_path, capfd):
    file = tmp_path / "lock"
    script = (
        "import sys, time, pathlib; from helpers import filelock\n"
        "with filelock.lock(pathlib.Path(sys.argv[1]), ''): print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(file)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    said = []

    def waits() -> bool:
        said.append(capfd.readouterr().err)
        return bool(said[-1])

    def take() -> None:
        with filelock.lock(file, "waiting", poll=0.05):
            pass

    taking = threading.Thread(target=take)
    taking.start()
    eventually(waits)
    assert taking.is_alive(), "it is held still"
    holder.kill()
    taking.join(PATIENCE)
    assert not taking.is_alive()
    holder.communicate()
    assert "".join(said) + capfd.readouterr().err == "waiting\n"
    with filelock.lock(file, "waiting"):
        pass
    assert capfd.readouterr().err == "", "a file that was left behind is no lock"
