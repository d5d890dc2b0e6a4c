"""Read AWS's own descriptions of its services, which botocore brings, once for moto and for what is ours."""

from __future__ import annotations

import moto.core.utils as moto_utils
from botocore.exceptions import UnknownServiceError
from moto.core.model import ServiceModel


def find(service: str) -> ServiceModel | None:
    """Return the model of a service, by botocore's name; None when there is no such service."""
    try:
        return moto_utils.get_service_model(service)
    except UnknownServiceError:
        return None
