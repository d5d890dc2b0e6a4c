"""Work that another process was in the middle of and that cannot go on: it ends as on AWS, and nothing is forgotten."""

from __future__ import annotations

import pytest

from helpers.local_aws.account.credentials import Credentials
from helpers.local_aws.cloudformation import beginnings, template
from helpers.local_aws.cloudformation.operation import GIVEN_UP, Operation
from helpers.local_aws.cloudformation.resource import Request, Resource
from helpers.local_aws.cloudformation.stacks import Stack

QUEUE = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'


def queue(name: str) -> Resource:
    return Resource(
        "Queue", "AWS::SQS::Queue", name=name, physical_id=f"http://host/1/{name}", status="CREATE_COMPLETE"
    )


@pytest.fixture
def stack():
    made = Stack("shop", "us-east-1", Request(template.read(QUEUE), {}, {}))
    yield made
    beginnings.store.forget(made)


def find_nobody(access_key_id: str) -> Credentials | None:
    return None


@pytest.mark.parametrize("status", GIVEN_UP)
@pytest.mark.parametrize("operation", [Operation("AKIAGONE"), None], ids=["key is gone", "older account"])
def test_it_ends_in_a_status_that_aws_has(stack: Stack, status: str, operation: Operation | None):
    stack.status, stack.operation = status, operation
    beginnings.store.restore({stack.id: stack})
    beginnings.resume("http://nowhere", find_nobody)
    assert stack.status == GIVEN_UP[status]
    assert stack.reason.startswith("The embedded AWS ended in the middle, and ")
    assert stack.operation is None
    beginnings.resume("http://nowhere", find_nobody)
    assert len(stack.events) == 1, "it is given up once"


def test_what_an_update_has_made_and_replaced_is_still_the_stacks(stack: Stack):
    former, current, dropped = queue("former"), queue("current"), queue("dropped")
    dropped.logical_id = "Dropped"
    stack.resources = {"Queue": current, "Dropped": dropped}
    stack.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    stack.operation = Operation("AKIAGONE", made=[current], replaced=[former], removed=[dropped])
    stack.give_up("why")
    assert stack.resources == {"Queue": current}
    assert stack.leftovers == [former, dropped]
