"""Say what one resource of a stack is, and what a request wants a stack to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..engine import clock
from .resource_type import ResourceType
from .resource_types import KNOWN
from .template import Template


@dataclass
class Resource:
    """One resource of a stack. `properties` are those it was last made or changed with, all functions evaluated.

    name: under which it was to be made; on disk before anything is made. There may be such a thing although no
    `physical_id` is known yet.
    """

    logical_id: str
    type_name: str
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    needs: set[str] = field(default_factory=set)  # logical ids of what it depends on
    name: str | None = None
    physical_id: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    stack_tags: dict[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str | None = None
    changed_at: datetime = field(default_factory=clock.utc)

    @property
    def type(self) -> ResourceType:
        return KNOWN[self.type_name]

    @property
    def exists(self) -> bool:
        return self.physical_id is not None and self.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


@dataclass
class Request:
    """What a stack is to be: a template, its parameters as text, and tags."""

    template: Template
    parameters: dict[str, str]
    tags: dict[str, str]
