"""Find whose fault a failure is: a body that is not what the service's model says is refused as AWS refuses it.

moto takes the types of parameters for granted, since SDKs check them before they send. To look at every request would
cost each order a tenth of a millisecond; so this looks when something has failed.
"""

from __future__ import annotations

import json

from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator

from . import service_models
from .http1 import Request


def problem(request: Request, service: str) -> str | None:
    """Return what is wrong with an AWS JSON request's body; None when nothing is, and for other protocols."""
    target = request.headers.get("x-amz-target")
    if target is None:
        return None
    try:
        parameters = json.loads(request.body)
    except (ValueError, RecursionError):
        return "The request's body is no JSON that can be read."
    if not isinstance(parameters, dict):
        return "The request's body is not a JSON object."
    model = service_models.find(service)
    try:
        shape = model.operation_model(target.rpartition(".")[2]).input_shape if model is not None else None
    except OperationNotFoundError:
        model = None
    if model is None:
        return f"There is no operation {target!r}."
    report = ParamValidator().validate(parameters, shape) if shape is not None else None
    return report.generate_report() if report is not None and report.has_errors() else None
