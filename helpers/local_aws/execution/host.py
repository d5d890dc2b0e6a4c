"""Give execution environments what they need from the account: their form, the variables, the credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..account.credentials import Credentials
from .environment import RUNTIME, Environment, Factory, Pool
from .invocation import FunctionSpec


@dataclass
class Host:
    """What the runners need from the account that they run in. Set once, by who assembles the account.

    environment: makes an environment, in one form or the other.
    """

    endpoint_url: str
    credentials_for: Callable[[str, str], Credentials]  # role ARN, session name
    write_log: Callable[..., None]  # as WriteLog, and role_arn: the role that writes
    environment: Factory

    def start_environment(self, spec: FunctionSpec, pool: Pool) -> Environment:
        """Start an environment with the variables and the credentials that AWS gives it."""
        credentials = self.credentials_for(spec.role_arn, spec.name)
        variables = worker_variables(spec, credentials, self)
        return self.environment(spec, pool, variables, partial(self.write_log, role_arn=spec.role_arn))


#: Variables of this process that a function needs to run at all, on one platform or another.
_INHERITED = (
    "PATH",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "COMSPEC",
    "PATHEXT",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "USERPROFILE",
)


def worker_variables(spec: FunctionSpec, credentials: Credentials, host: Host) -> dict[str, str]:
    """Return an execution environment's environment variables: those that AWS documents, and the function's own.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    variables |= dict(spec.environment)
    return variables | {
        "_HANDLER": spec.handler,
        "AWS_REGION": spec.region,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token or "",
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "LAMBDA_RUNTIME_DIR": str(RUNTIME.parent),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC" if os.name == "posix" else "UTC",
        # Not on AWS, where there is nothing else to reach: the account that the function's calls go to.
        "AWS_ENDPOINT_URL": host.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
