"""Find whose fault a failure is: an input that is not what the operation's model says is refused as AWS refuses it.

moto takes the types of parameters for granted, since SDKs check them before they send. To look at every request would
cost each order a tenth of a millisecond; so this looks when something has failed.
"""

from __future__ import annotations

from botocore.validate import ParamValidator

from .call import Call


def problem(call: Call) -> str | None:
    """Return what is wrong with an AWS JSON request's input; None when nothing is, and for other protocols."""
    if "x-amz-target" not in call.request.headers:
        return None
    if call.operation is None:
        return f"There is no operation {call.request.headers['x-amz-target']!r}."
    shape = call.operation.input_shape
    report = ParamValidator().validate(call.input, shape) if shape is not None else None
    return report.generate_report() if report is not None and report.has_errors() else None
