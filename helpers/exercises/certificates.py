"""Make a page to print that says what a learner has built and solved, from the account and the records alone.

The page needs no network, no script and no other file. It says what is open, too, and that nobody has supervised it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from unicodedata import category

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account.state import PARTS
from helpers.errors import WorkbookError
from helpers.exercises.overview import Row, look, unseen
from helpers.pictures.palette import EDGE, INK, MUTED, PAPER

FILE = "certificate.html"
LONGEST_NAME = 100  # characters
_UNPRINTABLE = {"Cc", "Cs"}  # control characters and halves of others; invisible joiners belong to names and emoji
UNSEEN = "The account could not be seen when this page was made, so it lists only what was seen before."
_STYLE = f"""
body {{ font: 11pt/1.45 Georgia, serif; color: {INK}; background: {PAPER}; max-width: 46em; margin: 2em auto;
  padding: 0 1.5em; }}
h1 {{ font-size: 26pt; margin: 0.2em 0; }} h2 {{ font-size: 14pt; margin: 1.4em 0 0.3em; break-after: avoid; }}
.name {{ font-size: 20pt; border-bottom: 1px solid {INK}; padding-bottom: 0.2em; overflow-wrap: anywhere; }}
.open, footer {{ color: {MUTED}; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.2em 0.8em 0.2em 0; border-bottom: 1px solid {EDGE}; }}
tr {{ break-inside: avoid; }} footer {{ margin-top: 2em; font-size: 9pt; }}
@page {{ margin: 18mm; }} @media print {{ body {{ margin: 0; max-width: none; padding: 0; }} }}
"""


@dataclass(frozen=True)
class Certificate:
    """A page that has been written, and what it says in one line: shown as a link in a notebook."""

    path: Path
    line: str

    def __repr__(self) -> str:
        return f"{self.path}: {self.line}"

    def _repr_html_(self) -> str:
        link = f'<a href="{FILE}" target="_blank">{FILE}</a>'
        return f"<p>{link}, beside the lessons: {escape(self.line)} Open it in a browser to print it.</p>"


def certificate(name: str) -> Certificate:
    """Write the page for `name` into the folder of the lessons, and return a link to it with what it says in a line.

    An account that does not answer is no trouble: then the page says so. Raises WorkbookError for a name that is none,
    and when the page cannot be written.
    """
    return write(name, Path.cwd(), seen())


def write(name: str, folder: Path, lessons: list[Row] | None) -> Certificate:
    """Write the page into `folder`. `lessons`: as `seen` returns them, None when the account cannot be seen.

    Raises WorkbookError like `certificate`.
    """
    name = " ".join(name.split()) if isinstance(name, str) else ""
    if not any(map(str.isprintable, name)) or len(name) > LONGEST_NAME or _UNPRINTABLE & set(map(category, name)):
        raise WorkbookError(f"A certificate needs a name, as text of 1 to {LONGEST_NAME} characters.")
    account_seen = lessons is not None
    lessons = lessons if lessons is not None else unseen()
    path = folder / FILE
    try:
        text = page(name, lessons, datetime.now(UTC).date(), account_seen)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise WorkbookError(f"{path} cannot be written: {error.strerror}. Make room, or close what uses it.") from error
    solved, total = _count(lessons)
    line = f"{_built_count(lessons)} Exercises solved: {solved} of {total}."
    return Certificate(path, line if account_seen else f"{line} {UNSEEN}")


def page(name: str, lessons: list[Row], made: date, account_seen: bool) -> str:
    """Return the page as HTML. Whatever comes from a learner, a notebook or the record is escaped."""
    solved, total = _count(lessons)
    blind = "" if account_seen else f'<p class="open">{UNSEEN}</p>'
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Certificate of {escape(name)}</title>
<style>{_STYLE}</style>
</head>
<body>
<p>The notebook workbook: serverless orders</p>
<h1>Certificate</h1>
<p class="name"><bdi>{escape(name)}</bdi></p>
<p>has worked on a serverless, event-driven service: an Amazon EventBridge rule hands each order to an AWS Lambda
function, and the function stores it in an Amazon DynamoDB table.</p>
<h2>{_built_count(lessons).rstrip(".")}</h2>
{blind}{_built(lessons)}
<h2>Exercises: {solved} of {total} solved</h2>
{_exercises(lessons)}
<footer>Made on {made.isoformat()}, from the learner's own account and records. Exercises were checked by the
workbook on the learner's machine; nobody has supervised them.</footer>
</body>
</html>
"""


def seen() -> list[Row] | None:
    """Return the lessons as `overview.look` does; None when the account does not answer.

    Raises WorkbookError for a broken lesson.
    """
    try:
        return look()
    except (BotoCoreError, ClientError):
        return None


def _built_count(lessons: list[Row]) -> str:
    building = [row for row in lessons if row.parts]
    return f"Built: {sum(row.built for row in building)} of the {len(building)} lessons that build something."


def _built(lessons: list[Row]) -> str:
    """Return a table of the lessons that the learner has begun."""
    lines = "".join(f"<tr><td>{escape(row.title)}</td><td>{_result(row)}</td></tr>" for row in lessons if row.begun)
    if not lines:
        return '<p class="open">No lesson has been begun yet.</p>'
    return f"<table><tr><th>Lesson begun</th><th>What was built</th></tr>{lines}</table>"


def _result(row: Row) -> str:
    """Return what the learner has built in a lesson and when that was seen, then what is not there."""
    if not row.parts:
        return f"cleaned up: seen on {escape(row.built_on)}" if row.built_on else _open("builds nothing that stays")
    if row.caught_up and not row.built:
        return _open("not built by the learner: a later lesson's setup cell did")
    made = row.parts if row.built else [part for part in row.parts if part not in row.absent]
    said = [escape(_listed(made)) + (f": seen on {escape(row.built_on)}" if row.built_on else "")] if made else []
    if row.absent and row.seen:
        all_gone = row.built and row.absent == row.parts
        now = "deleted since" if all_gone else f"not there{' now' if row.built else ''}: {escape(_listed(row.absent))}"
        said.append(_open(now))
    return "; ".join(said) or _open("nothing was seen of it")


def _open(text: str) -> str:
    return f'<span class="open">{text}</span>'


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(map(_words, parts))


def _exercises(lessons: list[Row]) -> str:
    lines = []
    for exercise in (each for row in lessons for each in row.exercises):
        if exercise.solved:
            tries = "1 try" if exercise.tries == 1 else f"{exercise.tries} tries"
            result = f"<td>solved on {escape(exercise.solved)}, checked in {tries}</td>"
        else:
            result = '<td class="open">not solved yet</td>'
        lines.append(f"<tr><td>{escape(exercise.id)}</td><td>{escape(exercise.title)}</td>{result}</tr>")
    return f"<table><tr><th>Exercise</th><th>Task</th><th>Result</th></tr>{''.join(lines)}</table>"


def _words(part: str) -> str:
    """Return how a sentence names a part, or orders."""
    return PARTS.get(part) or part.replace("orders:", "orders ").replace("order:", "order ").replace("..", " to ")


def _count(lessons: list[Row]) -> tuple[int, int]:
    return sum(row.solved for row in lessons), sum(len(row.exercises) for row in lessons)
