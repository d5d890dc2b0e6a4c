"""What was accepted is worked off, however long that takes, and whatever happens to the account meanwhile.

The whole account in one interpreter, on a clock of its own; after its end another interpreter goes on, hours later.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local_aws.test_in_process import run

#: A function that takes half a minute: with 60 events that is longer than AWS's six hours, and its 24, when scaled.
SLOW = """
import builtins, time, boto3
def lambda_handler(event, context):
    order = event["detail"]["body"]["OrderId"]
    if order == getattr(builtins, "last_order", None):
        builtins.end()
    time.sleep(30)
    boto3.client("dynamodb").put_item(TableName="sample-table", Item={"OrderId": {"S": order}})
"""

BEGIN = """
    import builtins, json, os, sys, time
    from helpers.local_aws import in_process
    from helpers.local_aws.engine.clock import ManualClock

    leave, told = os._exit, sys.stdout  # a function has others

    def end():  # as a crash ends it
        print(json.dumps(clock.now()), file=told, flush=True)
        leave(0)

    builtins.end = end
    clock = ManualClock()
    with in_process(sys.argv[2], clock=clock, scale=1/60) as account:
        from tests.support import tutorial
        tutorial.build(sys.argv[1])
        account.client("lambda").update_function_configuration(FunctionName=tutorial.FUNCTION, Timeout=60)
        for number in range(60):
            tutorial.put(f"{number:02}")
        result = clock.now()
        if sys.argv[3] == "killed":
            builtins.last_order = "12"
            time.sleep(3600)
"""

GO_ON = """
    import sys, time
    from helpers.local_aws import in_process
    from helpers.local_aws.engine import clock
    with in_process(sys.argv[1], clock=clock.ManualClock(start=float(sys.argv[2])), scale=1/60) as account:
        from tests.support import tutorial
        began = time.monotonic()
        result = [len(tutorial.stored()), round((time.monotonic() - began) / 30)]
        account.client("lambda").put_function_event_invoke_config(
            FunctionName=tutorial.FUNCTION, MaximumEventAgeInSeconds=3600)
        for number in range(10):
            tutorial.put(f"impatient {number}")
        time.sleep(600)
        result.append(len(tutorial.stored()) - result[0])
"""


@pytest.mark.parametrize("hours", [7, *(pytest.param(hours, marks=pytest.mark.deep) for hours in (-2, 24 * 60))])
@pytest.mark.parametrize("end", ["killed", pytest.param("stopped", marks=pytest.mark.deep)])
def test_a_long_queue_before_a_slow_function_is_worked_off(tmp_path: Path, end: str, hours: int):
    """Only an age that the learner has set, an hour, which is a minute here, lets events go."""
    ended_at = run(BEGIN, SLOW, str(tmp_path), end)
    stored, invocations, patient = run(GO_ON, str(tmp_path), str(ended_at + hours * 3600))
    assert (stored, invocations) == (60, 48 if end == "killed" else 60)
    assert 0 < patient < 10, "each environment has had one, and the others have grown too old"
