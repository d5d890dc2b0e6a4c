"""SIGKILL in the middle of work on stacks, at a moment that nobody chooses: each goes on, and nothing is orphaned."""

from __future__ import annotations

import random

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from helpers.local_aws import lifecycle
from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.support import cut_stacks
from tests.support.cut_stacks import STACK, template
from tests.support.stacks import IAM

#: How often a stack is created, changed and deleted, with a kill in the middle of each.
ROUNDS = 8


def end_in_the_middle(account: Account, chance: random.Random, operation: str, **given: object) -> None:  # noqa: F811
    """Have something done, and kill the server when so many of the stack's events are there, or the work is done.

    One time in four it is stopped as it should be: what then fails, since nobody answers, is no failure of the stack.
    """
    stacks = account.client("cloudformation")
    before = len(events(account))
    getattr(stacks, operation)(StackName=STACK, **given)
    enough = before + chance.randrange(1, 45)
    while len(events(account)) < enough and stack_is_busy(account):
        pass
    if chance.randrange(4):
        account.kill()
    else:
        assert lifecycle.stop()
    account.start()


def events(account: Account) -> list[dict]:  # noqa: F811
    try:
        return account.client("cloudformation").describe_stack_events(StackName=STACK)["StackEvents"]
    except (ClientError, BotoCoreError):  # there is no such stack any more
        return []


def stack_is_busy(account: Account) -> bool:  # noqa: F811
    found = account.client("cloudformation").describe_stacks()["Stacks"]
    return any(each["StackStatus"].endswith("_IN_PROGRESS") for each in found)


def end(account: Account) -> str:  # noqa: F811
    """How the stack comes out, with the reasons when something failed that was not to."""
    status = cut_stacks.settled(account.client("cloudformation"))
    failed = [each for each in events(account) if "FAILED" in each["ResourceStatus"]]
    print(status, *[(each["LogicalResourceId"], each.get("ResourceStatusReason")) for each in failed], sep="\n")
    return status


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_kills_at_any_moment_orphan_nothing(account: Account, seed: int):  # noqa: F811
    chance = random.Random(seed)
    empty = cut_stacks.inventory(account)
    end_in_the_middle(account, chance, "create_stack", TemplateBody=template(1), Capabilities=IAM)
    assert end(account) == "CREATE_COMPLETE"
    first = cut_stacks.inventory(account)
    assert len(first["queues"]) == 2 and len(first["functions"]) == 1
    end_in_the_middle(account, chance, "update_stack", TemplateBody=template(2, broken=True), Capabilities=IAM)
    assert end(account) == "UPDATE_ROLLBACK_COMPLETE"
    assert cut_stacks.inventory(account) == first
    end_in_the_middle(account, chance, "update_stack", TemplateBody=template(2), Capabilities=IAM)
    assert end(account) == "UPDATE_COMPLETE"
    end_in_the_middle(account, chance, "delete_stack")
    assert end(account) == ""
    assert cut_stacks.inventory(account) == empty


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_deleting_what_a_kill_left_in_the_middle_deletes_all(account: Account, seed: int):  # noqa: F811
    """Whoever does not want to see how it goes on deletes the stack at once."""
    chance = random.Random(1000 + seed)
    empty = cut_stacks.inventory(account)
    end_in_the_middle(account, chance, "create_stack", TemplateBody=template(1), Capabilities=IAM)
    assert cut_stacks.delete(account) == ""
    assert cut_stacks.inventory(account) == empty
