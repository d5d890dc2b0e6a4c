"""Read and write the query protocol, a form in and XML out, as botocore's model of CloudFormation describes it."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationNotFoundError
from moto.core.parse import QueryParser
from moto.core.serialize import QuerySerializer, SerializationContext
from moto.core.utils import get_service_model

from ..http.http1 import Request
from .errors import Refused


def parse(request: Request) -> tuple[str, dict[str, Any]]:
    """Return the operation and its parameters. Raises Refused for an operation that CloudFormation has not."""
    form = dict(parse_qsl(request.body.decode() or request.query, keep_blank_values=True))
    action = form.get("Action", "")
    try:
        operation = _model().operation_model(action)
    except OperationNotFoundError:
        raise Refused(f"The action {action} is not valid for this web service.", "InvalidAction") from None
    parameters = QueryParser(operation).parse({"values": form})  # type: ignore[typeddict-item]  # a plain dict will do
    missing = [name for name in operation.input_shape.required_members if name not in parameters]
    if missing:
        name = missing[0][0].lower() + missing[0][1:]
        raise Refused(
            f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        )
    return action, parameters


def serialise(action: str, result: dict[str, Any]) -> bytes:
    """Return the answer of an operation as XML. What is None is left out."""
    context = SerializationContext(str(uuid.uuid4()))
    serialised: Any = QuerySerializer(_model().operation_model(action), context).serialize(_without_none(result))
    return serialised["body"].encode()


def _model() -> Any:
    return get_service_model("cloudformation")


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(each) for name, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value
