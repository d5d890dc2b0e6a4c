"""Decide which notebooks JupyterLab may show with all that their outputs hold.

JupyterLab draws no SVG and runs no script of a notebook that it does not trust, and it trusts what its user has run or
signed (https://jupyter-server.readthedocs.io/en/latest/operators/security.html#security-in-notebook-documents).
A lesson may come from anybody, so opening one must run nothing. A new lesson in the learner's copy has no outputs and
needs no signature. What is signed here: the released lessons that are exactly what was released, and a learner's lesson
that was signed before a new release came in.
"""

from __future__ import annotations

from collections.abc import Iterable

from helpers.authoring import quick_imports  # noqa: F401  (before nbformat)


def sign_all(lessons: Iterable[bytes]) -> int:
    """Sign the notebooks with these contents; returns how many were not signed before."""
    unsigned = [lesson for lesson in lessons if not is_signed(lesson)]
    for lesson in unsigned:
        sign(lesson)
    return len(unsigned)


def is_signed(notebook: bytes) -> bool:
    """Return whether JupyterLab trusts the notebook with this content."""
    import nbformat
    from nbformat.sign import NotebookNotary

    try:
        return bool(NotebookNotary().check_signature(nbformat.reads(notebook.decode(), as_version=4)))
    except (
        AttributeError,
        TypeError,
        ValueError,
        nbformat.ValidationError,
    ):  # not what a notebook should be: JupyterLab will say so
        return False


def sign(notebook: bytes) -> None:
    """Let JupyterLab trust the notebook with this content, as `jupyter trust` would."""
    import nbformat
    from nbformat.sign import NotebookNotary

    NotebookNotary().sign(nbformat.reads(notebook.decode(), as_version=4))
