"""Work on one stack is done in order, and nobody waits in a thread for it: in both forms of the executor."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from helpers.local_aws.cloudformation.beginnings import start
from helpers.local_aws.engine import executor
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.engine.threads import ThreadExecutor
from tests.support.polling import PATIENCE


@pytest.fixture(params=[ThreadExecutor, Loop], autouse=True)
def form(request) -> Iterator[None]:
    before = executor.in_use()
    executor.use(request.param())
    yield
    executor.use(before)


@pytest.fixture
def stack() -> SimpleNamespace:
    turned: list[str] = []
    return SimpleNamespace(
        id="arn",
        name="name",
        status="CREATE_IN_PROGRESS",
        turned=turned,
        give_up=lambda _: turned.append("CREATE_FAILED"),
    )


def test_a_deletion_comes_after_the_creation_that_it_has_cancelled(stack):
    done, changed = [], executor.Condition()

    def note(what: str) -> None:
        with changed:
            done.append(what)
            changed.notify_all()

    def create() -> None:
        note("creating")
        start(stack, lambda: note("deleted"))
        executor.soon(lambda: note("cancelled"))
        with changed:
            assert changed.wait_for(lambda: "cancelled" in done, PATIENCE)
        note("created")

    start(stack, create)
    with changed:
        assert changed.wait_for(lambda: len(done) == 4, PATIENCE)
    assert done == ["creating", "cancelled", "created", "deleted"]


def test_work_that_fails_leaves_no_stack_in_progress(stack, caplog):
    def fail() -> None:
        raise ValueError("of the work")

    finished = executor.Inbox()
    start(stack, fail)
    start(stack, lambda: finished.put("next"))
    assert finished.get(PATIENCE) == "next"
    assert stack.turned == ["CREATE_FAILED"]
    assert "of the work" in caplog.text
