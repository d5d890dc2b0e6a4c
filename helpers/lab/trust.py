"""Tell JupyterLab that the lessons may show their pictures.

JupyterLab draws no SVG of a notebook that it does not trust, and it trusts what its user has run or signed
(https://jupyter-server.readthedocs.io/en/latest/operators/security.html#security-in-notebook-documents). Whoever starts
JupyterLab with this workbook's own command means its lessons; so they are signed, as `jupyter trust` would.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from helpers.authoring import quick_imports  # noqa: F401  (before nbformat)


def trust(notebooks: Path) -> int:
    """Sign the lessons in a folder; returns how many were not signed before, 0 without a place for signatures."""
    import nbformat
    from nbformat.sign import NotebookNotary

    signed = 0
    notary = NotebookNotary()
    for path in sorted(notebooks.glob("[0-9][0-9]_*.ipynb")):
        with contextlib.suppress(OSError, ValueError, json.JSONDecodeError):  # not readable: JupyterLab will say so
            notebook = nbformat.read(path, as_version=4)
            if not notary.check_signature(notebook):
                notary.sign(notebook)
                signed += 1
    return signed
