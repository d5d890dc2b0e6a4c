"""Find whose fault a failure is: an input that is not what the operation's model says is refused as AWS refuses it.

moto takes the types of parameters for granted, since SDKs check them before they send, and some texts in a language of
their own (JSON, XML, DynamoDB's expressions) are read by parsers that fail at what they do not know. To look at every
request would cost each order a tenth of a millisecond; so this looks when something has failed.
"""

from __future__ import annotations

import json
from traceback import extract_tb
from xml.parsers.expat import ExpatError

from botocore.validate import ParamValidator

from .call import Call

#: Code and message of an answer.
Wrong = tuple[str, str]

#: Parts of moto's that read DynamoDB's expressions, by the end of the file's or function's name.
_OF_EXPRESSIONS = ("comparisons.py", "key_condition_expression.py", "tokens.py", "expressions.py")
_EXPRESSIONS = ("ProjectionExpression", "KeyConditionExpression", "ConditionExpression", "FilterExpression")


def problem(call: Call, error: Exception) -> Wrong | None:
    """Return what is wrong with a request at which a service has failed; None when nothing is known to be."""
    return _of_model(call) or _of_language(call, error)


def _of_model(call: Call) -> Wrong | None:
    """Look at an AWS JSON request; there is nothing to be said about other protocols."""
    if "x-amz-target" not in call.request.headers:
        return None
    if call.operation is None:
        return "SerializationException", f"There is no operation {call.request.headers['x-amz-target']!r}."
    shape = call.operation.input_shape
    report = ParamValidator().validate(call.input, shape) if shape is not None else None
    if report is None or not report.has_errors():
        return None
    return "SerializationException", report.generate_report()


def _of_language(call: Call, error: Exception) -> Wrong | None:
    service = call.service.endpoint
    if isinstance(error, json.JSONDecodeError):  # the request itself was read already: it is a text in it
        code = "InvalidAttributeValue" if service == "sqs" else "ValidationException"
        return code, f"A parameter that has to be JSON is none: {error}"
    if isinstance(error, ExpatError):
        return (
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    if service == "dynamodb":
        return _of_expression(call, error)
    return None


def _of_expression(call: Call, error: Exception) -> Wrong | None:
    """Look at DynamoDB's languages; the words are AWS's as far as its SDKs' users report them."""
    if call.name == "ExecuteStatement" and isinstance(error, TypeError):
        return "ValidationException", "Statement wasn't well formed, can't be processed: it cannot be read."
    frames = extract_tb(error.__traceback__)
    if not any(f.filename.endswith(_OF_EXPRESSIONS) or f.name == "check_projection_expression" for f in frames):
        return None
    given = [name for name in _EXPRESSIONS if name in call.input]
    which = given[0] if len(given) == 1 else "expression"
    return "ValidationException", f"Invalid {which}: it cannot be read: {error}"
