"""An AWS account in a process of its own, on this machine: moto's services, and what they lack made real.

`lifecycle` starts, finds and stops it; `server` is the process, which begins anew (`succession`) when it could not keep
a change; `in_process` has the account in the caller's own interpreter instead. It knows nothing of notebooks. From the
top down; a package imports those below it alone:

    transfer                 the account in a file, and a file in an account
    inside                   the account in the caller's interpreter, and what is changed there
    services                 the account without a process around it
    seams                    every place of moto's that is changed
    recovery                 how the account outlives its server
    cloudformation           stacks
    events                   EventBridge: buses, rules, delivery, archives
    mappings                 queues and streams that invoke functions
    event_patterns           what events rules and mappings ask for
    schedules                when rate(...) and cron(...) are due
    awslambda                functions and their invocations
    logs, sqs, dynamodb, s3  what moto's services lack
    log_patterns             which log events a filter pattern means
    iam                      who may do what; STS
    execution                where functions run: workers and their Runtime API
    cloudwatch               metrics and alarms
    http                     from a connection to an answer
    account                  what the whole account shares
    storage                  the account on disk
    engine                   time and work: the clock, and what runs in the background

A package that is a service's has the name that boto3 has for it; `awslambda` is moto's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .engine.clock import Clock
    from .inside.opening import InProcessAccount


def in_process(
    folder: Path | str | None = None, *, clock: Clock | None = None, scale: float | None = None
) -> InProcessAccount:
    """Open an account in this interpreter, without a server, a socket, a thread or a process, and return it.

    folder: where the account is kept, and found again (without one, it lives in memory); clock: the account's time,
    such as an `engine.clock.QuickClock`, whose days pass as soon as somebody waits for them (without one, the
    machine's); scale: the factor of AWS's waits (without one, LOCAL_AWS_TIME_SCALE's). `close()` ends it, as does the
    end of a `with` statement.

    While it is open, boto3's own functions and new sessions speak to it: what AWS_* variables said before is put aside.
    Everything is checked as ever, signatures and permissions too. All is done on this thread, by whoever asks
    for something or calls time.sleep: deliveries, retries, functions. With a clock of its own, time.time and
    time.monotonic tell that clock's time here; datetime.now does not.

    What it cannot do: answer other threads or processes (the AWS CLI, a browser, code that runs beside; boto3's
    upload_file needs use_threads=False), open a link (to a function's package), do two things at the same time, so that
    concurrency is never above one, and what a function can only do in a process of its own (see
    `execution.in_process_environment`). An interpreter can have one such account in its life. Raises WorkbookError for
    a second one, for a folder that cannot be used, and for a scale below 0.
    """
    from .inside import absent

    absent.stand_in()
    from .inside.opening import open_account

    return open_account(folder, clock, scale)
