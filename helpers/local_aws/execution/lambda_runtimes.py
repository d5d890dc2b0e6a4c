"""List Lambda's runtimes: which ones AWS creates functions for, and which of those can run here."""

from __future__ import annotations

import hashlib

from .lambda_errors import LambdaError, invalid

# As of 2026-11-23: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (dates as in
# cfn-lint 1.58.0) and the API model of botocore 1.44.5. AWS deprecates a runtime first and blocks new
# functions later, and has postponed the blocking more than once: python3.8, python3.9 and python3.10 are
# deprecated, but functions can be created for them until 2027-02-01. So this is a list, not a clock.

#: Runtimes that functions can be created for.
CREATABLE = (
    *(f"python3.{minor}" for minor in range(8, 16)),
    *(f"nodejs{major}.x" for major in (16, 18, 20, 22, 24, 26)),
    *("java8.al2", "java8.al2023", "java11", "java11.al2023", "java17", "java17.al2023", "java21", "java25"),
    *("dotnet6", "dotnet8", "dotnet10"),
    *("ruby3.2", "ruby3.3", "ruby3.4", "ruby4.0"),
    *("provided.al2", "provided.al2023"),
)
#: Runtimes that once were, and for which AWS no longer creates functions.
BLOCKED = frozenset(
    (
        *("python2.7", "python3.6", "python3.7"),
        *("nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10"),
        *("nodejs10.x", "nodejs12.x", "nodejs14.x"),
        *("java8", "go1.x", "ruby2.5", "ruby2.7", "provided"),
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1"),
    )
)


def check_runtime(runtime: str) -> None:
    """Raise the error that AWS refuses `runtime` with, or one that says that it cannot run here."""
    if runtime in BLOCKED:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions."
        )
    if runtime not in CREATABLE:
        raise invalid(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(CREATABLE)}] or be a valid ARN"
        )
    if not runtime.startswith("python"):
        raise cannot_here(f"runs Python functions only, not {runtime}: choose a runtime such as python3.13.")


def cannot_here(what: str) -> LambdaError:
    """Return the error for what AWS could do and the embedded AWS cannot, in one line."""
    return invalid(f"The embedded AWS {what}")


def runtime_version_arn(region: str, runtime: str) -> str:
    """Return the ARN of a runtime's version. AWS's last part names an image; here, it stands for the runtime."""
    return f"arn:aws:lambda:{region}::runtime:{hashlib.sha256(runtime.encode()).hexdigest()}"
