"""Read a function's code without running it: is what its handler names there, and can Python read it?

GetFunction answers a link to the very package, good for ten minutes
(https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html). To fetch it changes nothing in the account.
"""

import ast
import io
import sys
import urllib.request
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from helpers.account.state import Finding
from helpers.paths import PROJECT, here

MAX_SIZE = 2_000_000  # bytes of a package, packed and unpacked; a larger one is more than a lesson's function
TIMEOUT = 5  # seconds
HANDLER = "handler.py"
Files = dict[str, bytes]  # of a package, by name
_TOO_DEEP = (RecursionError, MemoryError)  # of code nested deeper than Python reads: nothing is known of it then


def handler_file() -> Path:
    """Return the handler.py that lesson 3 packs: the one above the lesson's folder, or else the workbook's own."""
    beside = here().parent / HANDLER
    return beside if beside.is_file() else PROJECT / HANDLER


def fetch(location: str) -> Files | None:
    """Return the files of the package at a link of GetFunction's; None when it cannot be had or read."""
    if urlsplit(location).scheme not in ("http", "https"):
        return None
    try:
        with urllib.request.urlopen(location, timeout=TIMEOUT) as answer:
            package = zipfile.ZipFile(io.BytesIO(answer.read(MAX_SIZE)))
        modules = [each for each in package.infolist() if each.filename.endswith(".py")]
        if sum(each.file_size for each in modules) > MAX_SIZE:  # no more than that is unpacked, whatever is in it
            return None
        return {each.filename: package.read(each) for each in modules}
    except Exception:  # a package may be anything: encrypted, damaged in each compression's own way, none
        return None


def reads_as_here(runtime: str, location: str) -> bool:
    """Return whether this Python knows all of the syntax that the function's does.

    The embedded AWS runs a function with the Python that it has itself, whatever the runtime's name.
    """
    version = tuple(int(part) for part in runtime.removeprefix("python").split(".") if part.isdigit())
    return urlsplit(location).hostname in ("127.0.0.1", "localhost") or version <= sys.version_info[:2]


def fault(files: Files, handler: str, syntax: bool = True) -> Finding | None:
    """Return why the function cannot start, as far as its files tell. `syntax`: whether errors of syntax count."""
    try:
        return _fault(files, handler, syntax)
    except _TOO_DEEP:
        return None


def _fault(files: Files, handler: str, syntax: bool) -> Finding | None:
    module, dot, function = handler.rpartition(".")
    if not dot:
        return Finding("bad handler", {"handler": handler})
    stem = module.replace(".", "/")
    file = next((name for name in (f"{stem}.py", f"{stem}/__init__.py") if name in files), None)
    if file is None:
        return Finding("no handler file", {"file": f"{stem}.py", "handler": handler})
    for name in _imported(files, file):
        error = syntax_error(files[name])
        if error:
            return Finding("syntax error", {"file": name, **error}) if syntax else None
    names = _names(ast.parse(files[file]))
    if function not in names and "*" not in names:
        return Finding("no handler function", {"file": file, "function": function, "handler": handler})
    return None


def syntax_error(source: bytes) -> dict[str, str] | None:
    """Return the line and the problem of the first error of syntax; None when Python can read the source."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, HANDLER, "exec", dont_inherit=True)
    except SyntaxError as error:
        return {"line": str(error.lineno or 1), "problem": error.msg}
    except ValueError as error:  # a zero byte in it, to some Pythons
        return {"line": "1", "problem": str(error)}
    except _TOO_DEEP:
        return None
    return None


def is_as_released(files: Files, handler: str) -> bool:
    """Return whether the function is the workbook's own handler.py, which is known to start."""
    return handler == "handler.lambda_handler" and files == {HANDLER: (PROJECT / HANDLER).read_bytes()}


def is_other_code(files: Files, file: Path) -> bool:
    """Return whether the package is without the handler.py in `file`; False where that cannot be read."""
    try:
        wanted = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return files.get(HANDLER, b"").replace(b"\r\n", b"\n") != wanted.encode()


def _imported(files: Files, file: str) -> list[str]:
    """Return the file, and those of the package that importing it reads, too."""
    reached = [file]
    for name in reached:
        try:
            tree = ast.parse(files[name])
        except (SyntaxError, ValueError):
            continue
        stems = [stem.replace(".", "/") for node in ast.walk(tree) for stem in _modules(node)]
        found = [other for stem in stems for other in (f"{stem}.py", f"{stem}/__init__.py") if other in files]
        reached += [other for other in dict.fromkeys(found) if other not in reached]
    return reached


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def _names(tree: ast.Module) -> set[str]:
    """Return the names that a module has once it is imported; "*" when it takes over another's."""
    return {name for statement in tree.body for name in _bound(statement)}


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
        return  # what is bound inside belongs to it
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)
