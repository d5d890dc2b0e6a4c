"""Write the pictures that lessons show as files: `python3 -m helpers.pictures.files`."""

from collections.abc import Callable
from pathlib import Path

from helpers.paths import NOTEBOOKS
from helpers.pictures import directions, loop, service

FOLDER = NOTEBOOKS / "images"
PICTURES: dict[str, Callable[[], str]] = {
    "service.svg": service.draw,
    "two-directions.svg": directions.draw,
    "loop.svg": loop.draw,
}


def write(folder: Path = FOLDER) -> list[str]:
    """Write each picture that is not current; return their names."""
    folder.mkdir(exist_ok=True)
    written = []
    for name, draw in PICTURES.items():
        path, content = folder / name, draw() + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8", newline="\n")
            written.append(name)
    return written


if __name__ == "__main__":
    print(*write() or ["All pictures are current."], sep="\n")
