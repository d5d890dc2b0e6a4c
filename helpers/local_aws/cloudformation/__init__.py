"""AWS CloudFormation: builds, changes and deletes a stack of resources from one template.

moto has one as well. It knows ten times as many resource types, needs about thirty more packages for them, and
does not roll back. This one knows the resources of the workbook's service and keeps CloudFormation's promises:
dependency order, rollback, replacement, cleanup, events. Every resource is made by a request to the account's own
endpoint, signed by whoever asked for the stack, so validation and permissions are those of the services themselves.

Nothing but this page is imported before the first request: starting the account must stay quick.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..account.credentials import Credentials
from ..http import dispatch
from ..http.http1 import Request
from ..iam import looked_up_resources

_KEY = re.compile(r"Credential=([^/,\s]+)/")


def answering(find_credentials: Callable[[str], Credentials | None]) -> Callable[[Request, str], dispatch.Answer]:
    """Return what answers a request in a region. `find_credentials` knows the credentials of an access key id.

    IAM is told where it finds the stacks that a request names.
    """
    looked_up_resources.set_stacks(_named)
    return functools.partial(_answer, find_credentials)


def _named(stack: str, change_set: str) -> list[str]:
    from . import change_sets
    from .beginnings import store

    with store.lock:
        found = store.find(stack) if stack else None
        of_change_set = change_sets.state().get(change_set)
    return [each.id for each in (found, of_change_set.stack if of_change_set is not None else None) if each is not None]


def resume(endpoint_url: str, find_credentials: Callable[[str], Credentials | None]) -> None:
    """Go on with the stacks that an earlier process was in the middle of. Call it when the account answers requests."""
    from . import beginnings

    beginnings.resume(endpoint_url, find_credentials)


def end() -> None:
    """Work on no stack any more. Call it before requests are no longer answered: the next process goes on."""
    stacks = sys.modules.get(f"{__name__}.stacks")
    if stacks is not None:
        stacks.end()


def lock() -> AbstractContextManager[Any]:
    """Return what is held while stacks are touched."""
    from .beginnings import store

    return store.lock


def _answer(find_credentials: Callable[[str], Credentials | None], request: Request, region: str) -> dispatch.Answer:
    from . import api, services  # not before somebody wants a stack

    key = _KEY.search(request.headers.get("authorization", ""))
    credentials = find_credentials(key[1]) if key else None
    if credentials is None:  # the server has checked the signature; it can only have been revoked since
        return dispatch.error_answer(
            "cloudformation", 403, "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    caller = services.Services(f"http://{request.headers['host']}", credentials, region)
    return api.answer(request, caller)
