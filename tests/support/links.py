"""Links in Markdown that lead to files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def dead_links(texts: Mapping[Path, str]) -> list[str]:
    """["GLOSSARY.md: 05_none.ipynb", …]: the relative links in {file: its Markdown} that lead to no file."""
    return [
        f"{path.name}: {link}"
        for path, text in texts.items()
        for link in re.findall(r"\]\(([^)\s]+)\)", text)
        if "://" not in link and link.partition("#")[0] and not (path.parent / link.partition("#")[0]).exists()
    ]
