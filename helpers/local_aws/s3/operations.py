"""Refuse what moto's S3 takes for something else.

moto goes through the parameters that it knows of an address; of one that it does not know it sees the bucket or the
object alone, and DeleteBucketAnalyticsConfiguration deletes the bucket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..http.call import Call
from ..http.moto_requests import CALL

#: The parameters that tell operations apart, of those that moto knows, by what the path names and HTTP's method.
KNOWN: dict[tuple[str, str], frozenset[str]] = {
    ("BUCKET", "HEAD"): frozenset(),
    ("BUCKET", "GET"): frozenset(
        {
            "accelerate", "acl", "cors", "encryption", "inventory", "lifecycle", "list-type", "location", "logging",
            "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock",
            "replication", "tagging", "uploads", "versioning", "versions", "website",
        }
    ),
    ("BUCKET", "PUT"): frozenset(
        {
            "accelerate", "acl", "cors", "encryption", "inventory", "lifecycle", "logging", "notification",
            "object-lock", "ownershipControls", "policy", "publicAccessBlock", "replication", "tagging", "versioning",
            "website",
        }
    ),
    ("BUCKET", "DELETE"): frozenset(
        {
            "cors", "encryption", "lifecycle", "ownershipControls", "policy", "publicAccessBlock", "replication",
            "tagging", "website",
        }
    ),
    ("KEY", "HEAD"): frozenset(),
    ("KEY", "GET"): frozenset({"acl", "attributes", "legal-hold", "tagging", "uploadId"}),
    ("KEY", "PUT"): frozenset({"acl", "legal-hold", "partNumber", "retention", "tagging", "uploadId"}),
    ("KEY", "DELETE"): frozenset({"tagging", "uploadId"}),
    ("KEY", "POST"): frozenset({"restore", "select", "select-type", "uploadId", "uploads"}),
}  # fmt: skip


def refuse_unknown(by_moto: Callable[..., None]) -> Callable[..., None]:
    """Have moto go no further than to where it finds its name for an operation that it would take for another."""

    def _set_action(self: Any, kind: str, method: str, querystring: dict[str, Any]) -> None:
        call: Call | None = self.normalized_request.environ.get(CALL)
        if call is not None and call.operation is not None:
            named = set(call.operation.http_trait.query_args)
            if named - KNOWN.get((kind, method), frozenset()):
                raise NotImplementedError(f"{call.name} of S3.")
        by_moto(self, kind, method, querystring)

    return _set_action
