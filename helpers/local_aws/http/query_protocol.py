"""Read the parameters of a request of the AWS query protocol.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from moto.core.model import OperationModel

from ..account.service_table import Service
from . import foreign
from .http1 import Request

#: Parameters, as they were sent.
Form = list[tuple[str, str]]

FORM = "application/x-www-form-urlencoded"


def form_of(request: Request) -> Form:
    """Return the parameters of a request of the AWS query protocol: of its address, and of its body."""
    fields = parse_qsl(request.query, keep_blank_values=True)
    if request.headers.get("content-type", "").lower().startswith(FORM):
        fields += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return fields


def of_query(request: Request, service: Service, operation: OperationModel | None, form: Form) -> tuple[Request, Form]:
    """Return a request of the query protocol, and its parameters, as its operation knows them.

    A queue may be named by the path alone: its address was where requests went, before the parameter QueueUrl.
    """
    if operation is None:
        return request, form
    queue = request.path if service.endpoint == "sqs" and "QueueUrl" not in dict(form) else "/"
    request = foreign.leave_out_of_form(
        replace(request, target=request.target[len(request.path) - 1 :]), operation, form
    )
    form = form_of(request)
    if queue.count("/") > 1 and operation.input_shape is not None and "QueueUrl" in operation.input_shape.members:
        form.append(("QueueUrl", f"https://queue{queue}"))
        request = replace(
            request, target="/", body=urlencode(form).encode(), headers={**request.headers, "content-type": FORM}
        )
    return request, form
