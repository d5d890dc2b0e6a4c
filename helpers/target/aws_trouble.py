"""Turn what AWS or boto3 say about foreseeable trouble into one line that says what to do.

Foreseeable is what has its cause outside of the lesson: credentials, region, network, quotas, an organization's rules.
What a lesson breaks on purpose is not: it catches the error itself, and AWS's own words are what is to be read.
"""

from typing import Any

from botocore import exceptions
from botocore.exceptions import ClientError

SIGN_IN = "Sign in again (aws sso login, or new keys), then run the setup cell."
_CODES = {  # of services; several have their own word for the same thing
    "expired": {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"},
    "unknown": {
        "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
        "AuthFailure", "InvalidSignatureException", "MissingAuthenticationToken", "IncompleteSignature",
        "MissingAuthenticationTokenException", "IncompleteSignatureException",
    },
    "throttled": {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException",
        "RequestThrottled", "SlowDown", "ProvisionedThroughputExceededException",
    },
    "quota": {
        "LimitExceededException", "LimitExceeded", "ServiceQuotaExceededException", "CodeStorageExceededException",
        "TooManyBuckets",
    },
    "region": {"OptInRequired", "InvalidRegion"},
    "broken": {
        "InternalFailure", "InternalError", "InternalServerError", "ServiceException", "InternalException",
        "ServiceUnavailable", "ServiceUnavailableException",
    },
}  # fmt: skip
_UNREACHABLE = (exceptions.ConnectionError, exceptions.HTTPClientError)
_DENIED = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "AuthorizationError")
_EXCEPTIONS = (
    (
        (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError),
        "No credentials for AWS were found. Set AWS_PROFILE to a profile that you are signed in to (aws sso login), "
        "then start JupyterLab again.",
    ),
    (
        (exceptions.ProfileNotFound,),
        "AWS_PROFILE names a profile that your AWS configuration (~/.aws/config) does not have. Correct it or unset "
        "it, then start JupyterLab again.",
    ),
    ((exceptions.SSOError, exceptions.TokenRetrievalError), f"Your sign-in has ended. {SIGN_IN}"),
    (
        (exceptions.NoRegionError,),
        "No region is chosen. Set AWS_DEFAULT_REGION, such as eu-central-1, then start JupyterLab again.",
    ),
    (
        (exceptions.InvalidRegionError, exceptions.UnknownRegionError),
        "AWS_DEFAULT_REGION names no region of AWS. Correct it, then start JupyterLab again.",
    ),
    (
        _UNREACHABLE,
        "AWS cannot be reached: no network, or a proxy or firewall is in the way (behind a proxy, set HTTPS_PROXY). "
        "Then run the cell again.",
    ),
)


def advice(error: BaseException) -> str | None:
    """Return one line for the learner, or None for an error that is none of the foreseeable ones."""
    if isinstance(error, exceptions.WaiterError):
        answer = error.last_response if isinstance(error.last_response, dict) else {}
        return _about_answer(answer.get("Error", {}), "what the waiter asks for")
    if isinstance(error, ClientError):
        return _about_answer(error.response.get("Error", {}), error.operation_name)
    return next((line for kinds, line in _EXCEPTIONS if isinstance(error, kinds)), None)


def is_unreachable(error: BaseException) -> bool:
    """Return whether no answer came at all."""
    return isinstance(error, _UNREACHABLE)


def in_one_line(error: BaseException) -> str | None:
    """Return the advice with AWS's own words behind it, for the end of a cell; None where there is no advice."""
    line = advice(error)
    return line and f"{line} (AWS: {' '.join(str(error).split())})"


def are_credentials_unknown(error: BaseException) -> bool:
    """Return whether AWS does not know who asks."""
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _CODES["unknown"]


def _about_answer(answer: dict[str, Any], operation: str) -> str | None:
    code, message = answer.get("Code", ""), answer.get("Message", "")
    if code.startswith(_DENIED):
        return _about_denial(operation, message)
    kind = next((kind for kind, codes in _CODES.items() if code in codes), None)
    return {
        None: None,
        "expired": f"Your credentials have expired. {SIGN_IN}",
        "unknown": f"AWS does not know your credentials. {SIGN_IN}",
        "throttled": f"AWS throttles {operation}: too many requests at once. Wait a minute, then run the cell again.",
        "quota": f"A quota of the account is used up by {operation}. Delete what you do not need, or ask for more in "
        "Service Quotas; then run the cell again.",
        "region": "This account has not enabled the region. Set AWS_DEFAULT_REGION to another, then start JupyterLab "
        "again.",
        "broken": f"AWS could not do {operation} just now, through no fault of yours. Run the cell again; if it goes "
        "on, see health.aws.amazon.com",
    }[kind]


def _about_denial(operation: str, message: str) -> str:
    if "service control policy" in message or "resource control policy" in message:
        return (
            f"Your organization forbids {operation} here (a control policy of AWS Organizations). Use another account, "
            "or ask whoever runs it."
        )
    return f"You may not call {operation} in this account. Ask for that permission, or use an account of your own."
