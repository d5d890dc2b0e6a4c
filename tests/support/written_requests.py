"""Requests for any operation of AWS's, as an SDK writes them from botocore's model, with all that they may have."""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.serialize import create_serializer
from moto.core.model import OperationModel

from helpers.local_aws.account.service_table import Service
from helpers.local_aws.http.http1 import Request

PROTOCOLS = ("json", "query", "rest-json", "rest-xml", "ec2")


def full(shape: Shape | None, text: str = "some-text", depth: int = 4) -> Any:
    """A value with everything that a shape has, as deep as that; text: of every text in it."""
    if isinstance(shape, StructureShape):
        if depth == 0:
            return {name: full(shape.members[name], text, 0) for name in shape.required_members}
        return {name: full(each, text, depth - 1) for name, each in shape.members.items()}
    if isinstance(shape, ListShape):
        return [full(shape.member, text, depth)] * 2
    if isinstance(shape, MapShape):
        return {"key": full(shape.value, text, depth)}
    kinds = {"boolean": True, "blob": b"bytes", "timestamp": 1_700_000_000, "string": text}
    return kinds.get(shape.type_name if shape is not None else "", 1)


def written(operation: OperationModel, text: str = "some-text") -> Request:
    metadata = operation.service_model.metadata
    protocol = next(p for p in metadata.get("protocols") or [metadata["protocol"]] if p in PROTOCOLS)
    shape = operation.input_shape
    made = create_serializer(protocol, include_validation=False).serialize_to_request(
        full(shape, text) if shape is not None else {}, operation
    )
    body, query = made["body"], made["query_string"] or {}
    if isinstance(body, dict):
        body = "&".join(f"{key}={value}" for key, value in body.items())
    pairs = query.items() if isinstance(query, dict) else query
    listed = [(name, each) for name, value in pairs for each in (value if isinstance(value, list) else [value])]
    address = "&".join(f"{name}={value}" for name, value in listed)
    path = made["url_path"] + (("&" if "?" in made["url_path"] else "?") + address if address else "")
    headers = {key.lower(): value for key, value in made["headers"].items()}
    return Request(made["method"], path, headers, body if isinstance(body, bytes) else body.encode())


def operations(service: Service) -> list[OperationModel]:
    return [model.operation_model(name) for model in service.described for name in model.operation_names]
