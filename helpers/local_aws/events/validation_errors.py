"""Word what is wrong with the members of a request to EventBridge as AWS does."""

from __future__ import annotations

from moto.events.exceptions import ValidationException


def refuse(problems: list[str]) -> None:
    """Raise ValidationException that names all problems; nothing happens when there is none."""
    if problems:
        errors = "error" if len(problems) == 1 else "errors"
        raise ValidationException(f"{len(problems)} validation {errors} detected: {'; '.join(problems)}")
