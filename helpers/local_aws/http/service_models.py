"""Read AWS's own descriptions of its services, which botocore brings, once for moto and for what is ours."""

from __future__ import annotations

import functools

import moto.core.utils as moto_utils
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel


def install() -> None:
    """Have moto keep its loader: a new one looks through all of botocore's folders again."""
    moto_utils.create_loader = functools.cache(moto_utils.create_loader)


def find(service: str) -> ServiceModel | None:
    """Return the model of a service, by botocore's name; None when there is no such service."""
    try:
        return moto_utils.get_service_model(service)
    except UnknownServiceError:
        return None
