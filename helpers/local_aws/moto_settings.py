"""Set what moto goes by, before any of its resources is made.

moto takes its settings from the environment, which is its user's: it may name a profile that there is not, or an
account. So they are set in moto, and the environment of the interpreter is left alone.
"""

from __future__ import annotations

import os

import moto.settings as settings
from moto.core.config import default_user_config

#: Variables that choose the user's own configuration of AWS, and what they are without it.
_USERS_OWN = {
    "AWS_PROFILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def apply() -> None:
    """Set it."""
    default_user_config["iam"] = {"load_aws_managed_policies": True}
    settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")  # who may do what is for `iam` to say, not for moto


def leave_out_the_users_aws() -> None:
    """Have this process go without its user's configuration of AWS: for a process that is an account and no more."""
    for name, value in _USERS_OWN.items():
        _put(name, value)


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
