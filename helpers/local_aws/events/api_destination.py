"""Send an event as an HTTP request to an endpoint outside AWS, with a connection's credentials: API destinations.

EventBridge waits five seconds for the answer, and retries after one that means "not now":
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import requests
from moto.core.exceptions import JsonRESTError
from moto.events.models import events_backends

from ..account.arn import Arn
from .delivery_errors import DeliveryFailed, no_resource

#: Seconds until a request times out, as on AWS.
TIMEOUT_S = 5
#: Answers after which EventBridge retries, beside those from 500 up.
_RETRIED = (401, 407, 409, 429)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_endpoint(endpoint: str | None) -> None:
    """Refuse an address that is not HTTPS. A server on this machine may speak HTTP, for trying things out."""
    url = urlsplit(endpoint or "")
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise JsonRESTError(
            "ValidationException", "Parameter InvocationEndpoint is not valid. Reason: It must be an HTTPS address."
        )


def call_api_destination(target: dict[str, Any], arn: Arn, text: str) -> None:
    """Send `text` to the API destination. Raises DeliveryFailed, or what `requests` raises."""
    backend = events_backends[arn.account][arn.region]
    destination = backend.destinations.get(arn.resource_id.split("/")[0])
    if destination is None or destination.arn != target["Arn"]:
        raise no_resource("The API destination does not exist.")
    connection = next((c for c in backend.connections.values() if c.arn == destination.connection_arn), None)
    if connection is None:
        raise no_resource("The connection of the API destination does not exist.")
    parameters = target.get("HttpParameters") or {}
    address = destination.invocation_endpoint
    for value in parameters.get("PathParameterValues", []):
        address = address.replace("*", quote(value, safe=""), 1)
    response = requests.request(
        destination.http_method,
        address,
        params=parameters.get("QueryStringParameters"),
        headers={
            "Content-Type": "application/json; charset=utf-8",
            **parameters.get("HeaderParameters", {}),
            **_authorization(connection),
        },
        auth=_basic(connection),
        data=text.encode(),
        timeout=TIMEOUT_S,
        allow_redirects=False,
    )
    if not response.ok:
        raise DeliveryFailed(
            "SDK_CLIENT_ERROR",
            f"Unable to invoke ApiDestination endpoint: API destination endpoint returned HTTP status code "
            f"{response.status_code}",
            retryable=response.status_code >= 500 or response.status_code in _RETRIED,
        )


def _authorization(connection: Any) -> dict[str, str]:
    if connection.authorization_type == "OAUTH_CLIENT_CREDENTIALS":
        raise DeliveryFailed("INVALID_PARAMETER", "The embedded AWS knows no OAuth: use an API key or basic.")
    key = connection.auth_parameters.get("ApiKeyAuthParameters")
    return {key["ApiKeyName"]: key["ApiKeyValue"]} if key else {}


def _basic(connection: Any) -> tuple[str, str] | None:
    given = connection.auth_parameters.get("BasicAuthParameters")
    return (given["Username"], given["Password"]) if given else None
