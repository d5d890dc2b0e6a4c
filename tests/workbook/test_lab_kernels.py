"""A kernel that starts because a notebook is opened runs nothing of what lies beside the notebook."""

from __future__ import annotations

import json
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import KernelManager

from helpers.lab import launch, options
from helpers.lab.kernels import KernelSpecs
from helpers.paths import PROJECT
from tests.support.polling import PATIENCE


def shadows(folder: Path) -> Path:
    """Lay a file beside a notebook for everything that a kernel could import or read; each notes that it was run."""
    ran = folder / "ran"
    ran.mkdir()
    names = {module.name for module in pkgutil.iter_modules()} | set(sys.stdlib_module_names)
    settings = {"ipython_config", "ipython_kernel_config", "jupyter_config", "sitecustomize", "usercustomize"}
    for name in names | settings:
        note = f"open({str(ran / name)!r}, 'w').close()\nraise ImportError('this is not {name}')\n"
        (folder / f"{name}.py").write_text(note, encoding="utf-8")
    return ran


@contextmanager
def started(folder: Path) -> Iterator[BlockingKernelClient]:
    """A kernel as JupyterLab starts it for a notebook in a folder; it has answered, and has been asked for no cell."""
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecs())
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path) -> Iterator[BlockingKernelClient]:
    """One in a folder full of traps."""
    shadows(tmp_path)
    with started(tmp_path) as client:
        yield client


def printed(kernel: BlockingKernelClient, source: str) -> str:
    """What a cell prints."""
    shown: list[str] = []

    def keep(message: dict) -> None:
        shown.append(message["content"].get("text", ""))

    reply = kernel.execute_interactive(source, timeout=PATIENCE, output_hook=keep)
    assert reply["content"]["status"] == "ok", reply
    return "".join(shown)


def test_nothing_beside_the_notebook_runs_before_a_cell_does(kernel, tmp_path):
    for asked in (kernel.comm_info, lambda **_: kernel.complete("impo", reply=True, timeout=PATIENCE)):
        asked(reply=True, timeout=PATIENCE)
    assert list((tmp_path / "ran").iterdir()) == []


def test_what_lies_beside_it_can_be_imported_by_a_cell(kernel, tmp_path):
    (tmp_path / "my_own_module.py").write_text("answer = 42\n", encoding="utf-8")
    source = "import my_own_module, json; print(my_own_module.answer, json.dumps([]))"
    assert printed(kernel, source) == "42 []\n", "after the standard library, as in every kernel"


def test_a_folder_that_is_on_the_path_anyway_stays_there(monkeypatch):
    """As a learner's copy on a JupyterHub, with a notebook in it."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    with started(PROJECT) as kernel:
        assert "helpers.lessons.kernel" in printed(kernel, "print(get_ipython().extension_manager.loaded)")


def test_lab_has_its_server_start_kernels_so():
    ours = launch.defaults(options.read([]), PROJECT)
    named = next(each.partition("=")[2] for each in ours if "kernel_spec_manager_class" in each)
    assert named == f"{KernelSpecs.__module__}.{KernelSpecs.__name__}"


def test_other_kernels_are_as_they_are(tmp_path):
    specs = KernelSpecs(kernel_dirs=[str(tmp_path)])
    for argv in (["other", "{connection_file}"], ["/usr/bin/python3.8", "-m", "ipykernel_launcher", "-f", "x"]):
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x"}))
        assert specs.get_kernel_spec("other").argv == argv
    with pytest.raises(NoSuchKernel):
        specs.get_kernel_spec("none")
    assert specs.get_kernel_spec("python3").argv[1:4] == ["-P", "-m", "ipykernel"]
