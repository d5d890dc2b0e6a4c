"""Check and answer, as AWS does, requests about archives, replays and the rules that EventBridge manages.

Limits: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html, …/API_StartReplay.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import ValidationException
from moto.events.responses import EventsHandler

from .validation_errors import refuse

_NAME = r"[\.\-_A-Za-z0-9]+"
_ARN = r"^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:.+\/.+$"
#: Longest text and pattern of each member.
_TEXTS = {
    "ArchiveName": (48, _NAME),
    "ReplayName": (64, _NAME),
    "EventSourceArn": (1600, _ARN),
    "Description": (512, ""),
    "EventPattern": (4096, ""),
}
_PAGE = 100  # what a list without Limit returns at most


def check(**members: Any) -> None:
    """Raise ValidationException for members of a request, by name, that AWS does not take; None is not there."""
    problems = []
    for name, value in members.items():
        if value is None:
            continue
        failed = f"Value '{value}' at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must"
        if name == "RetentionDays":
            if value < 0:
                problems.append(f"{failed} have value greater than or equal to 0")
            continue
        longest, pattern = _TEXTS[name]
        if pattern and not re.fullmatch(pattern, value):
            problems.append(f"{failed} satisfy regular expression pattern: {pattern}")
        if len(value) > longest:
            problems.append(f"{failed} have length less than or equal to {longest}")
    refuse(problems)


def check_one_filter(action: str, *filters: str | None) -> None:
    """Raise ValidationException when a list is asked for with more than one filter."""
    if sum(value is not None for value in filters) > 1:
        raise ValidationException(
            f"At most one filter is allowed for {action}. Use either : State, EventSourceArn, or NamePrefix."
        )


def check_state(state: str | None, states: Sequence[str]) -> None:
    """Raise ValidationException for a state that there is not."""
    if state is not None and state not in states:
        raise ValidationException(
            f"1 validation error detected: Value '{state}' at 'state' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(states)}]"
        )


Action = Callable[[EventsHandler], Any]


def _in_pages(action: Action, key: str) -> Action:
    """Return a list action of moto's, with Limit and NextToken."""

    def listed(handler: EventsHandler) -> tuple[str, Any]:
        body, headers = action(handler)
        everything = json.loads(body)[key]
        token = handler._get_param("NextToken") or "0"
        if not token.isdecimal():
            raise ValidationException("Parameter NextToken is not valid.")
        start = int(token)
        end = start + (handler._get_param("Limit") or _PAGE)
        page = {key: everything[start:end]}
        return json.dumps(page if end >= len(everything) else page | {"NextToken": str(end)}), headers

    return listed


def _unless_managed(action: Action, *, force_overrides: bool = False) -> Action:
    """Return an action on a rule that leaves alone the rules that AWS manages.

    force_overrides: whether the request's Force parameter says that it is to be done all the same.
    """

    def guarded(handler: EventsHandler) -> Any:
        name = handler._get_param("Rule") or handler._get_param("Name")
        bus_name = (handler._get_param("EventBusName") or "default").split("/")[-1]
        bus = handler.events_backend.event_buses.get(bus_name)
        rule = bus.rules.get(name) if bus else None
        if rule is not None and rule.managed_by and not (force_overrides and handler._get_param("Force")):
            how = " Set 'force' parameter to true to override." if force_overrides else ""
            raise JsonRESTError("ManagedRuleException", f"{name} is a managed rule.{how}")
        return action(handler)

    return guarded


class ArchiveRequests(EventsHandler):
    """The part of moto's handler of requests that answers for archives, replays and managed rules."""

    list_archives = _in_pages(EventsHandler.list_archives, "Archives")
    list_replays = _in_pages(EventsHandler.list_replays, "Replays")

    put_rule = _unless_managed(EventsHandler.put_rule)
    delete_rule = _unless_managed(EventsHandler.delete_rule, force_overrides=True)
    enable_rule = _unless_managed(EventsHandler.enable_rule)
    disable_rule = _unless_managed(EventsHandler.disable_rule)
    put_targets = _unless_managed(EventsHandler.put_targets)
    remove_targets = _unless_managed(EventsHandler.remove_targets, force_overrides=True)
