"""Verify who sent a request: AWS Signature Version 4 against the account's credentials.

The embedded AWS runs code that it is sent, so a request without a valid signature gets no further than this.
Algorithm: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from posixpath import normpath
from urllib.parse import quote

from ..account.credentials import Credentials, CredentialStore
from ..account.service_table import Service, named
from ..engine import clock
from .http1 import Request

ALGORITHM = "AWS4-HMAC-SHA256"
#: Seconds that a request's clock may differ from ours, as on AWS: an overheard request cannot be sent again
#: later.
MAX_SKEW = 15 * 60

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[^/,\s]+)/(?P<date>\d{{8}})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})$"
)
#: Parameters of a presigned URL, of Signature Version 4 and of Version 2 (S3).
_PRESIGNED = re.compile(r"(?:^|&)(?:X-Amz-Signature|X-Amz-Credential|AWSAccessKeyId)=")
#: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
_MARKER = re.compile(r"UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+")


class NotAuthenticated(Exception):
    """The request is refused. `code` is AWS's error code for services that speak JSON, `query_code` for the others."""

    def __init__(self, code: str, query_code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.query_code = code, query_code


@dataclass(frozen=True)
class Caller:
    """The verified sender of a request, and the scope that it signed for."""

    credentials: Credentials
    service: Service
    region: str


def authenticate(request: Request, store: CredentialStore) -> Caller:
    """Return who signed `request`, or raise NotAuthenticated with AWS's code and message."""
    match, credentials = _claimed(request, store)
    expected = _signature(request, credentials.secret_access_key, match)
    if not hmac.compare_digest(expected, match["signature"]):
        raise NotAuthenticated(
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )
    request.vouched = True
    return Caller(credentials, named(match["service"]), match["region"])


def screen(request: Request, store: CredentialStore) -> None:
    """Look at all of a request but its signature, for which its body has to be there. Raises NotAuthenticated."""
    _claimed(request, store)


def _claimed(request: Request, store: CredentialStore) -> tuple[re.Match[str], Credentials]:
    """Return what a request says of its signature, and the credentials that it names. Raises NotAuthenticated."""
    match = _AUTHORIZATION.match(request.headers.get("authorization", ""))
    if match is None and "authorization" not in request.headers and _PRESIGNED.search(request.query):
        raise NotAuthenticated(
            "AccessDeniedException",
            "AccessDenied",
            "The embedded AWS answers no presigned URL. Send the request itself, with boto3 or the AWS CLI.",
        )
    if match is None:
        raise NotAuthenticated(
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        )
    credentials = store.find(match["key"])
    if credentials is None or not _same(request.headers.get("x-amz-security-token"), credentials.session_token):
        raise NotAuthenticated(
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )
    now = clock.now()
    if credentials.expires_at is not None and credentials.expires_at <= now:
        raise NotAuthenticated(
            "ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired"
        )
    _check_clock(request, match["date"], now)
    return match, credentials


def _same(given: str | None, expected: str | None) -> bool:
    return hmac.compare_digest((given or "").encode(), (expected or "").encode())


def _check_clock(request: Request, date: str, now: float) -> None:
    stamp = request.headers.get("x-amz-date", "")
    if not stamp.startswith(date) or abs(now - _moment(stamp)) > MAX_SKEW:
        raise NotAuthenticated(
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            f"Signature expired or not yet current: {stamp}",
        )


@lru_cache(maxsize=64)  # requests of the same second have the same one
def _moment(stamp: str) -> int:
    """Seconds since the epoch; 0 for what is no time."""
    try:
        return int(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def _signature(request: Request, secret: str, match: re.Match[str]) -> str:
    scope = f"{match['date']}/{match['region']}/{match['service']}/aws4_request"
    canonical = _canonical_request(request, match["headers"], match["service"])
    to_sign = "\n".join(
        (ALGORITHM, request.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest())
    )
    # Not hmac.digest(): it releases the GIL, and to get that back takes far longer than the digest.
    signature = _keyed(secret, match["date"], match["region"], match["service"]).copy()
    signature.update(to_sign.encode())
    return signature.hexdigest()


@lru_cache(maxsize=256)
def _keyed(secret: str, date: str, region: str, service: str) -> hmac.HMAC:
    """Return an HMAC with the day's signing key of a service, to be copied."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def _canonical_request(request: Request, signed_headers: str, service: str) -> str:
    names = signed_headers.split(";")
    if "host" not in names:  # otherwise the signature would be good for any server
        raise NotAuthenticated("InvalidSignatureException", "SignatureDoesNotMatch", "'Host' must be a signed header.")
    # "You must include … any x-amz-* headers in the signature": or whoever hears a request could add to it.
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in names]
    if unsigned:
        message = f"'{unsigned[0]}' must be a signed header."
        raise NotAuthenticated("InvalidSignatureException", "SignatureDoesNotMatch", message)
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    query = "&".join(sorted(part if "=" in part else f"{part}=" for part in request.query.split("&") if part))
    return "\n".join(
        (
            request.method,
            _canonical_path(request.path, service),
            query,
            headers,
            signed_headers,
            _payload_hash(request, service),
        )
    )


def _canonical_path(path: str, service: str) -> str:
    """Every service but S3 encodes the path that is sent once more, and removes its dots."""
    if service == "s3" or path == "/":
        return path
    normal = normpath(path)
    if path.endswith("/") and not normal.endswith("/"):
        normal += "/"
    return quote("/" + normal.lstrip("/"), safe="/~")


def _payload_hash(request: Request, service: str) -> str:
    """Return the digest that was signed.

    A stated digest must be the body's; S3's markers for streams stand for themselves.
    """
    stated = request.headers.get("x-amz-content-sha256", "")
    if service == "s3" and _MARKER.fullmatch(stated):
        return stated
    return hashlib.sha256(request.body).hexdigest()
