"""Which Python has what the workbook needs, judged by pyproject.toml alone."""

from importlib import metadata

import pytest

from helpers.installing import running
from helpers.paths import PROJECT

THIS = f"pytest=={metadata.version('pytest')}"


@pytest.mark.parametrize("project, will_do", [
    (f'dependencies = ["{THIS}"]', True),
    (f'dependencies = ["{THIS}", "absent-package ; sys_platform == \'none\'"]', True),
    ('dependencies = ["pytest==0.1"]', False),
    ('dependencies = ["absent-package"]', False),
    ('dependencies = ["pytest >= 1"]', False),
    ("dependencies = []", False),
    ("dependencies = [1]", False),
    ('version = "1"', False),
])  # fmt: skip
def test_what_is_asked_for_has_to_be_there(tmp_path, project, will_do):
    (tmp_path / "pyproject.toml").write_text(f"[project]\n{project}\n", encoding="utf-8")
    assert running.will_do(tmp_path, "lab") is will_do


@pytest.mark.parametrize("text", ["project = 1", "[", ""])
def test_a_file_in_another_form_promises_nothing(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert not running.will_do(tmp_path, "lab") and not running.will_do(tmp_path / "none", "lab")


def test_maintainers_need_more(tmp_path):
    text = f'[project]\ndependencies = ["{THIS}"]\n[project.optional-dependencies]\ntest = ["absent-package"]\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert running.will_do(tmp_path, "lab") and not running.will_do(tmp_path, "test")


def test_this_one_has_all():
    assert running.will_do(PROJECT, "lab") and running.will_do(PROJECT, "test")
