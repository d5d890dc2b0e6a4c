"""Answer CloudFormation's operations: check a request, start the work in the background, tell how things stand.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..http.dispatch import Answer, error_answer
from ..http.http1 import Request as HttpRequest
from . import change_sets, describe, plan, query, requests
from .beginnings import begin_creation, begin_deletion, begin_update, check_updatable, store, unchanged
from .errors import Refused
from .services import Services
from .stacks import Stack, Store

logger = logging.getLogger("local_aws.cloudformation")

Parameters = dict[str, Any]


def answer(request: HttpRequest, caller: Services) -> Answer:
    """Answer one request of `caller`'s."""
    try:
        action, parameters = query.parse(request)
        operation = _OPERATIONS.get(action)
        if operation is None:
            message = f"The embedded AWS cannot do this yet: {action} of CloudFormation."
            return error_answer("cloudformation", 501, "NotImplemented", message)
        with store.lock:
            body = query.serialise(action, operation(parameters, caller))
    except Refused as refusal:
        return error_answer("cloudformation", 400, refusal.code, str(refusal))
    except Exception:
        logger.exception("cloudformation failed")
        message = "The embedded AWS failed; its server.log says why."
        return error_answer("cloudformation", 500, "InternalFailure", message)
    return 200, {"Content-Type": "text/xml"}, body


def create_stack(given: Parameters, caller: Services) -> Parameters:
    name = given["StackName"]
    requests.check_name(name)
    if given.get("DisableRollback") and given.get("OnFailure"):
        raise Refused("You can specify either DisableRollback or OnFailure, but not both.")
    existing = store.find(name)
    if existing is not None:
        raise Refused(f"Stack [{name}] already exists", "AlreadyExistsException")
    stack = Stack(name, caller.region, requests.read(given, caller), given.get("Capabilities") or [])
    plan.resources(stack, stack.request, store)  # refuses what cannot be
    stack.protected = bool(given.get("EnableTerminationProtection"))
    stack.on_failure = given.get("OnFailure") or ("DO_NOTHING" if given.get("DisableRollback") else "ROLLBACK")
    begin_creation(stack, caller, given.get("ClientRequestToken"))
    return {"StackId": stack.id}


def update_stack(given: Parameters, caller: Services) -> Parameters:
    stack = store.get(given["StackName"], "Stack [{}] does not exist")
    check_updatable(stack)
    request = requests.read(given, caller, stack)
    if unchanged(stack, request):
        raise Refused("No updates are to be performed.")
    stack.capabilities = given.get("Capabilities") or []
    begin_update(stack, request, caller, given.get("ClientRequestToken"), bool(given.get("DisableRollback")))
    return {"StackId": stack.id}


def delete_stack(given: Parameters, caller: Services) -> Parameters:
    stack = store.find(given["StackName"])
    if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
        return {}  # as on AWS: deleting what is not there is no error
    if stack.protected:
        raise Refused(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    retained = given.get("RetainResources") or []
    if retained and stack.status != "DELETE_FAILED":
        raise Refused(f"Invalid operation on stack [{stack.id}]. RetainResources is only for stacks in DELETE_FAILED.")
    if stack.in_progress and stack.status != "CREATE_IN_PROGRESS":
        raise Refused(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
    change_sets.forget(stack)
    begin_deletion(stack, caller, given.get("ClientRequestToken"), retained)
    return {}


def update_termination_protection(given: Parameters, caller: Services) -> Parameters:
    stack = store.get(given["StackName"], "Stack [{}] does not exist")
    stack.protected = bool(given["EnableTerminationProtection"])
    return {"StackId": stack.id}


def validate_template(given: Parameters, caller: Services) -> Parameters:
    return describe.validated(requests.read_template(given, caller))


def get_template_summary(given: Parameters, caller: Services) -> Parameters:
    if given.get("StackName"):
        return describe.template_summary(store.get(given["StackName"]).request.template)
    return describe.template_summary(requests.read_template(given, caller))


def _describing(operation: Callable[[Store, Parameters], Parameters]) -> Callable[[Parameters, Services], Parameters]:
    return lambda given, caller: operation(store, given)


_OPERATIONS: dict[str, Callable[[Parameters, Services], Parameters]] = {
    "CreateStack": create_stack,
    "UpdateStack": update_stack,
    "DeleteStack": delete_stack,
    "UpdateTerminationProtection": update_termination_protection,
    "ValidateTemplate": validate_template,
    "GetTemplateSummary": get_template_summary,
    "DescribeStacks": _describing(describe.stacks),
    "ListStacks": _describing(describe.summaries),
    "DescribeStackEvents": _describing(describe.events),
    "DescribeStackResource": _describing(describe.one_resource),
    "DescribeStackResources": _describing(describe.resources),
    "ListStackResources": _describing(describe.resource_summaries),
    "GetTemplate": _describing(describe.template),
    "ListExports": _describing(describe.exports),
    "ListImports": _describing(describe.imports),
    "CreateChangeSet": change_sets.create,
    "DescribeChangeSet": change_sets.describe,
    "ListChangeSets": change_sets.summaries,
    "DeleteChangeSet": change_sets.delete,
    "ExecuteChangeSet": change_sets.execute,
}
