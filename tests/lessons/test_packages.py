"""Files in the packages that lessons and solutions deploy: on AWS, everybody must be allowed to read them.

zipfile gives an entry that is written by its name alone the permissions 0600, and Lambda cannot import it
(https://repost.aws/knowledge-center/lambda-deployment-package-errors).
"""

from __future__ import annotations

import re
import zipfile

import nbformat
import pytest

from helpers.paths import NOTEBOOKS

NAME_ALONE = re.compile(r"\.writestr\(\s*[frb]*[\"']")
REFUSED = "never-made"  # lesson 1: a function that Lambda refuses to create, whatever is in its package
CODE = {
    f"{path.stem}, {cell.id}": cell.source
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    for cell in nbformat.read(path, 4).cells
    if cell.cell_type == "code"
} | {path.stem: path.read_text(encoding="utf-8") for path in sorted((NOTEBOOKS / "solutions").glob("*.py"))}
PACKED = {place: source for place, source in CODE.items() if ".writestr(" in source and REFUSED not in source}


@pytest.mark.parametrize("source", PACKED.values(), ids=PACKED)
def test_no_file_is_packed_with_its_name_alone(source):
    assert not NAME_ALONE.search(source)


def test_everybody_may_read_the_probe_of_lesson_11():
    names: dict = {}
    exec(CODE["11_grant_least_privilege, probe-code"], names)
    entries = zipfile.ZipFile(names["package"]).infolist()
    assert [entry.filename for entry in entries] == ["probe.py"]
    assert all(entry.create_system == 3 and entry.external_attr >> 16 & 0o777 == 0o644 for entry in entries)
