"""Stop endless loops: functions that publish events which invoke them again.

AWS Lambda stops a function that calls itself through SQS, SNS or S3 after about 16 rounds. EventBridge is not on the
list of what it watches, so such a loop goes on, and is billed, until somebody breaks it:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
On a learner's machine it must end by itself. So here events remember, in the header that AWS uses for it
(X-Amzn-Trace-Id), through how many functions they have come, and a loop is stopped after as many rounds, or after a
number of repetitions when each round has more events than the one before. A long chain of different functions is
no loop, and nothing but an event that a function published is looked at.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from moto.logs.models import logs_backends

from ..account.arn import Arn
from ..account.service_table import service_lock
from ..awslambda import lambda_service
from ..engine import clock, executor
from ..execution.function_names import name_and_qualifier, unqualified
from ..execution.invocation import lineage_of
from ..storage import journal
from .delivery_errors import DeliveryFailed
from .put_events import Event

logger = logging.getLogger("local_aws.event_bus")

#: Rounds after which a loop is stopped: Lambda's own number for the services that it watches.
MAX_ROUNDS = 16
#: Repeated invocations of one function, caused by one event, after which a loop that grows is stopped.
MAX_REPETITIONS = 200
#: Chains that are remembered; the oldest is forgotten first.
MAX_CHAINS = 2_000
#: The log stream in which the function's log group tells of it, and the code in a dead-letter queue.
LOG_STREAM = "local-safety-net"
ERROR_CODE = "LOCAL_SAFETY_NET"

_TRACE = re.compile(r"Root=([^;]+).*?;Lineage=1:([0-9a-f]{8}):(\d{1,5})")


@dataclass
class _Chain:
    """What one event from outside has led to. `depth`: by function, after how many others it published first."""

    depth: dict[str, int] = field(default_factory=dict)
    repetitions: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)


class SafetyNet:
    """Remembers which functions publish in which chain of events, and stops those that go round."""

    def __init__(self) -> None:
        self._lock = executor.Lock()
        self._chains: OrderedDict[str, _Chain] = OrderedDict()

    def published(self, trace_header: str | None) -> tuple[int, str]:
        """Note an event that is put on a bus; return through how many functions it has come, and its chain.

        `trace_header` is its sender's; (0, "") when that is no function.
        """
        found = _TRACE.search(trace_header) if trace_header else None
        if found is None:
            return 0, ""
        root, function, hops = found[1], found[2], int(found[3])
        with self._lock:
            chain = self._chains.setdefault(root, _Chain())
            self._chains.move_to_end(root)
            chain.depth[function] = min(hops - 1, chain.depth.get(function, hops))
            while len(self._chains) > MAX_CHAINS:
                self._chains.popitem(last=False)
        return hops, root

    def check(self, event: Event, function_arn: str, rule_arn: str) -> None:
        """Raise DeliveryFailed when the function must not get this event, because it would go round once more."""
        arn = unqualified(function_arn)
        function = lineage_of(arn)
        with self._lock:
            chain = self._chains.get(event.root)
            if chain is None or chain.depth.get(function, event.hops) >= event.hops:
                return  # it has not published anything that led to this event
            chain.repetitions[function] += 1
            repetitions = chain.repetitions[function]
            if event.hops < MAX_ROUNDS and repetitions <= MAX_REPETITIONS:
                return
            first = function not in chain.told
            chain.told.add(function)
        message = _message(arn, rule_arn, min(event.hops, MAX_ROUNDS), repetitions)
        if first:
            logger.warning("%s", message)
            _tell_in_log_group(arn, message)
        raise DeliveryFailed(ERROR_CODE, message)


#: Of the whole account.
safety_net = SafetyNet()


def _message(function_arn: str, rule_arn: str, rounds: int, repetitions: int) -> str:
    name, rule = name_and_qualifier(Arn.parse(function_arn))[0], Arn.parse(rule_arn).resource_id
    so_far = f"{rounds} rounds" if rounds >= MAX_ROUNDS else f"{repetitions} repetitions"
    return (
        f"LOCAL SAFETY NET: loop stopped after {so_far}. The function {name} publishes events that the rule {rule} "
        "hands to it again. AWS would not have stopped here: Lambda's recursive loop detection does not cover "
        "EventBridge, so the loop would go on, and be billed, until somebody breaks it. Break it with an event "
        "pattern that does not match what the function itself publishes."
    )


def _tell_in_log_group(function_arn: str, message: str) -> None:
    arn = Arn.parse(function_arn)
    try:
        function = lambda_service.service_of(arn).get_function(function_arn)
        group, logs = function.logs_group_name, logs_backends[arn.account][arn.region]
        with service_lock("logs"):
            logs.ensure_log_group(group)
            if LOG_STREAM not in logs.groups[group].streams:
                logs.create_log_stream(group, LOG_STREAM)
                journal.changed("logs", arn.region)
            logs.put_log_events(group, LOG_STREAM, [{"timestamp": int(clock.now() * 1000), "message": message}])
    except Exception:  # the function is gone: the server's log has it
        logger.debug("no log group for %s", function_arn, exc_info=True)
