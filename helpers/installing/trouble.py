"""Turn what goes wrong during the set-up into one line that says what to do. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
from pathlib import Path

# What happened, by the words of pip, uv, venv or the system: the first that matches. Without a network pip
# ends with "No matching distribution" too, so the network comes before the missing package.
_SYMPTOMS = {
    "disk": r"No space left on device|not enough space on the disk|[Qq]uota exceeded"
    r"|(os error|Errno|WinError) (28|112|122)\b",
    "venv": r"ensurepip is not\s+available|No module named '?(ensurepip|venv)\b",
    "network": r"NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionResetError|Connection refused"
    r"|Failed to establish a new connection|name resolution|getaddrinfo failed|nodename nor servname"
    r"|dns error|error sending request|tcp connect error|client error \(Connect\)|[Nn]etwork is unreachable"
    r"|ProxyError|Cannot connect to proxy|certificate verify failed|CERTIFICATE_VERIFY_FAILED"
    r"|invalid peer certificate|UnknownIssuer|SSLError|operation timed out"
    r"|Connection broken|[Nn]etwork connectivity is disabled",
    "permission": r"Permission denied|Read-only file system|Access is denied"
    r"|(os error|Errno|WinError) (5|13|30|32)\b",
    "build": r"Failed to build|Failed building wheel|No matching distribution found|No solution found"
    r"|Could not find a version|no usable wheels|metadata-generation-failed|Microsoft Visual C\+\+",
}  # fmt: skip


#: A disk with less free space than this, in bytes, is taken for full once something has failed.
_FULL = 10_000_000


class ToolFailed(Exception):
    """pip, uv or venv ended with an error. `output` is all that it printed."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


def diagnose(output: str, root: Path) -> str:
    """Return what made a tool fail, by its output: disk, venv, network, permission, build or other.

    On a full disk tools often fail without saying why (venv does), so the free space of `root` is read too.
    """
    kind = next((kind for kind, words in _SYMPTOMS.items() if re.search(words, output)), "other")
    with contextlib.suppress(OSError):
        if kind == "other" and shutil.disk_usage(root).free < _FULL:
            return "disk"
    return kind


def diagnose_os_error(error: OSError) -> str:
    """Return the same, disk, permission or other, for an error that the system gave to this process."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return "disk"
    return "permission" if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else "other"


def advice(kind: str, root: Path, log: Path, output: str) -> str:
    """Return the one line for the user. The tool's own last words stand in it only where nothing better is known."""
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "without a word")
    return {
        "disk": f"The disk is full: the workbook needs about 1 GB in {root}. Make room, then run this again.",
        "venv": "This Python cannot make virtual environments. On Debian and Ubuntu install it with "
        "apt install python3-venv; then run this again.",
        "permission": f"{root} cannot be written to, or something in its .venv is in use. Close other "
        "JupyterLabs, or copy the workbook to a folder of your own; then run this again.",
        "network": "The packages cannot be downloaded: no network, or a proxy or certificate is in the way. "
        f"Connect (only this first time needs it); then run this again. Details: {log}",
        "build": "A package is not to be had ready-made for this Python and machine. Use a 64-bit Python "
        f"3.11 to 3.14. Details: {log}",
        "other": f"The installation failed: {last[:200]} (details: {log})",
    }[kind]
