"""Turn the traces of an event into its way: which lanes there are, and what has happened at each station."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.account.state import BUS
from helpers.timeline import evidence
from helpers.timeline.evidence import Attempt, Function, Invocation, Rule
from helpers.timeline.model import Lane, Row, State, Station, Trace
from helpers.timeline.parked import ParkedMessage, parked_messages
from helpers.timeline.wording import CAUSES, failed_times, reason, said, subject

FAILURES = {None, "failed", "invalid"}  # outcomes; None: not a word
GRAVEST = (State.FAILED, State.WAITING, State.UNKNOWN, State.DONE)  # what a picture with several lanes is about


@dataclass(frozen=True)
class _Findings:
    """Keep what the account knows of one event; `functions` and `runs` are by the ARN of the function."""

    rules: list[Rule]
    functions: dict[str, Function]
    runs: dict[str, list[Invocation]]
    parked: list[ParkedMessage]
    event: dict[str, Any] | None  # None: nothing tells its content


def read(event_id: str, entry: dict[str, Any] | None) -> Trace:
    """Return the way of the event until now: one lane for each delivery that the account knows of.

    `entry` is what was given to PutEvents, if that is known. Raises botocore's errors.
    """
    bus = (entry or {}).get("EventBusName") or BUS
    found = _collect(bus, event_id, entry)
    order = _order_id(found.event, found.runs)
    is_known = bool(found.event or entry)
    lanes = _lanes(found, order) or [_no_delivery(found, is_known)]
    station = _bus_station(bus, accepted=is_known or any(found.runs.values()))
    return Trace(station, tuple(lanes), *_outcome(lanes, order), _content(found.event))


def _collect(bus: str, event_id: str, entry: dict[str, Any] | None) -> _Findings:
    """Ask the account for everything that the event has left behind."""
    rules = evidence.rules_of(bus)
    functions = {arn: evidence.function_of(arn) for rule in rules for arn in rule.targets if ":function:" in arn}
    runs = {arn: evidence.invocations_of(function.name, event_id) for arn, function in functions.items()}
    parked = _parked(bus, rules, functions, runs, event_id)
    for arn, function in functions.items():
        runs[arn] = _with_parked(function, runs[arn], parked, event_id)
    event = _event(event_id, entry, rules, parked)
    if event:
        rules = [evidence.with_match(rule, bus, event) for rule in rules]
    return _Findings(rules, functions, runs, parked, event)


def _event(
    event_id: str, entry: dict[str, Any] | None, rules: list[Rule], parked: list[ParkedMessage]
) -> dict[str, Any] | None:
    """Return the event as a queue holds it, or as PutEvents makes it of the entry; None when neither is there."""
    event = next((each.event for each in parked), None)
    if entry and rules and not event:
        return evidence.event_of(entry, event_id, rules[0].arn)
    return event


def _bus_station(bus: str, accepted: bool) -> Station:
    if accepted:
        return Station("event bus", bus, State.DONE, "accepted")
    return Station("event bus", bus, State.UNKNOWN)


def _content(event: dict[str, Any] | None) -> str:
    return f"{event['source']} · {event['detail-type']}" if event else ""


def _outcome(lanes: Sequence[Lane], order: str) -> tuple[State, str, str]:
    """Return what the lanes come to: state, verdict, cause."""
    # A later invocation of the same function settles what an earlier one left open.
    last = {lane.function and lane.function.name: lane for lane in lanes}
    gravest = min(last.values(), key=lambda lane: GRAVEST.index(lane.state))
    if gravest.state is State.DONE and len(last) > 1:
        return State.DONE, f"{subject(order)} was handled by {len(last)} functions.", ""
    return gravest.state, gravest.verdict, gravest.cause


def _parked(
    bus: str, rules: list[Rule], functions: dict[str, Function], runs: dict[str, list[Invocation]], event_id: str
) -> list[ParkedMessage]:
    """Return what queues hold about the event; only those are read that may hold something."""
    good = [run for each in runs.values() for run in each if run.attempts and run.attempts[-1].outcome not in FAILURES]
    if good and len(good) == sum(map(len, runs.values())) == 1:
        return []
    queues = [function.failure_queue for function in functions.values()]
    names = dict.fromkeys([*evidence.dead_letter_queues(bus, rules), *(name for name in queues if name)])
    return [message for name in names for message in parked_messages(name, event_id)]


def _with_parked(
    function: Function, runs: list[Invocation], parked: list[ParkedMessage], event_id: str
) -> list[Invocation]:
    """Return the function's invocations, and those that only a parked record knows: they have logged nothing.

    The log is read once more: it was read before the queue, and may have had attempts to come.
    """
    records = [each.request_id for each in parked if each.queue == function.failure_queue and each.request_id]
    return evidence.invocations_of(function.name, event_id, records) if records else runs


def _order_id(event: dict[str, Any] | None, runs: dict[str, list[Invocation]]) -> str:
    """Return the id of the order that the event is about, or the empty text."""
    logged = [attempt.order_id for each in runs.values() for run in each for attempt in run.attempts]
    detail = (event or {}).get("detail")
    body = detail.get("body") if isinstance(detail, dict) else None
    sent = body.get("OrderId") if isinstance(body, dict) else None
    return next((order for order in [*logged, sent] if isinstance(order, str) and order), "")


def _lanes(found: _Findings, order: str) -> list[Lane]:
    """Return the lanes of every function: one for each rule that sent it the event, then further invocations."""
    lanes = []
    for arn, function in found.functions.items():
        runs = list(found.runs[arn])
        for rule in _senders(found, arn):
            station = Station("rule", rule.name, State.DONE, "matches")
            letter = next((each for each in found.parked if (each.rule_arn, each.target_arn) == (rule.arn, arn)), None)
            if letter:
                lanes.append(_undelivered(station, function, letter, order))
            elif runs:
                lanes.append(_invoked(station, function, runs.pop(0), found.parked, order))
            else:
                lanes.append(_not_logged_yet(station, function, order))
        lanes += [_invoked(None, function, run, found.parked, order) for run in runs]
    return lanes


def _senders(found: _Findings, arn: str) -> list[Rule]:
    """Return the rules that have sent the event to a function, as far as that is known."""
    rules = [rule for rule in found.rules if arn in rule.targets and rule.matches is not False]
    if rules and rules[0].matches is None:  # any of them may have been the one
        return [Rule(" or ".join(rule.name for rule in rules), "", (arn,))] if found.runs[arn] else []
    return rules


def _undelivered(rule: Station, function: Function, letter: ParkedMessage, order: str) -> Lane:
    return Lane(
        State.FAILED,
        f"{subject(order)} was not delivered and waits in {letter.queue}.",
        CAUSES.get(letter.cause, f"EventBridge could not deliver it: {letter.cause}."),
        rule=rule,
        function=Station("Lambda function", function.name, State.NOT_REACHED),
        table=_table(function, State.NOT_REACHED),
        dead_letters=_parking_queue(letter.queue, "dead-letter queue", order),
    )


def _not_logged_yet(rule: Station, function: Function, order: str) -> Lane:
    broken = evidence.why_not_running(function.name)
    if broken:
        return Lane(
            State.FAILED,
            f"{function.name} has logged nothing about {subject(order, first=False)}.",
            broken,
            rule=rule,
            function=Station("Lambda function", function.name, State.FAILED, "does not run"),
            table=_table(function, State.NOT_REACHED),
        )
    return Lane(
        State.WAITING,
        f"{subject(order)} is on its way: {function.name} has logged nothing about it so far.",
        "If that stays so, the function fails before it logs the event's id: its log group says why.",
        rule=rule,
        function=Station("Lambda function", function.name, State.WAITING, "no log so far", holds=order or "event"),
        table=_table(function, State.NOT_REACHED),
    )


def _invoked(
    rule: Station | None, function: Function, run: Invocation, parked: list[ParkedMessage], order: str
) -> Lane:
    record = next((each for each in parked if each.request_id == run.request_id), None)
    last = run.attempts[-1] if run.attempts else Attempt(None)
    if last.outcome not in FAILURES | {"running"}:
        return _succeeded(rule, function, run, last, order)
    if record:
        return _retries_exhausted(rule, function, run, record, order)
    if last.outcome == "running" or len(run.attempts) <= function.retries:
        return _in_progress(rule, function, run, last, order)
    return _lost(rule, function, run, order)


def _succeeded(rule: Station | None, function: Function, run: Invocation, last: Attempt, order: str) -> Lane:
    """Describe a last attempt that has succeeded; what it calls "stored" is looked up."""
    count = len(run.attempts)
    at = f" at attempt {count}" if count > 1 else ""
    station = _function(function, run, State.DONE)
    if last.outcome != "stored" or not function.table or not last.order_id:
        verdict = f"{subject(order)} was handled by {function.name}{at}."
        return Lane(State.DONE, verdict, rule=rule, function=station, table=_table(function, State.NOT_REACHED))
    if evidence.is_stored(function.table, last.order_id):
        table = _table(function, State.DONE, "holds it", last.order_id)
        return Lane(State.DONE, f"{subject(order)} is stored{at}.", rule=rule, function=station, table=table)
    table = _table(function, State.DONE, "gone since")
    verdict = f"{subject(order)} was stored{at}, and is gone since."
    return Lane(State.DONE, verdict, rule=rule, function=station, table=table)


def _retries_exhausted(
    rule: Station | None, function: Function, run: Invocation, record: ParkedMessage, order: str
) -> Lane:
    """Describe an event that Lambda tries no more, and has parked."""
    unknown = (Attempt(None),) * (record.attempts - len(run.attempts))  # a log may be late
    run = Invocation(run.request_id, run.attempts + unknown)
    return Lane(
        State.FAILED,
        f"{subject(order)} {failed_times(len(run.attempts))} and waits in {record.queue}.",
        said(run) or record.error or reason(run) or CAUSES.get(record.cause, f"Lambda gave up: {record.cause}."),
        rule=rule,
        function=_function(function, run, State.FAILED),
        table=_table(function, State.NOT_REACHED),
        failures=_parking_queue(record.queue, "on-failure queue", order),
    )


def _in_progress(rule: Station | None, function: Function, run: Invocation, last: Attempt, order: str) -> Lane:
    """Describe an attempt that is running, or the next one that will come."""
    rows = list(_function(function, run, State.WAITING).rows)
    verdict = f"{subject(order)} is being worked on."
    if last.outcome != "running":
        verdict = f"{subject(order)} {failed_times(len(run.attempts))}, and Lambda will try again."
        rows.append(Row(f"attempt {len(rows) + 1}", State.WAITING))
    station = Station("Lambda function", function.name, State.WAITING, "", tuple(rows), order or "event")
    table = _table(function, State.NOT_REACHED)
    return Lane(State.WAITING, verdict, last.reason, rule=rule, function=station, table=table)


def _lost(rule: Station | None, function: Function, run: Invocation, order: str) -> Lane:
    """Describe an event all of whose attempts have failed, and that no queue holds."""
    failed = f"{subject(order)} {failed_times(len(run.attempts))}"
    verdict = f"{failed} and is lost: no queue keeps it."
    queue = Station("on-failure queue", "none", State.FAILED, "lost")
    if function.failure_queue:
        verdict = f"{failed}, and {function.failure_queue} does not hold it now."
        queue = Station("on-failure queue", function.failure_queue, State.UNKNOWN)
    return Lane(
        State.FAILED,
        verdict,
        reason(run),
        rule=rule,
        function=_function(function, run, State.FAILED),
        table=_table(function, State.NOT_REACHED),
        failures=queue,
    )


def _no_delivery(found: _Findings, is_known: bool) -> Lane:
    """Describe an event without a delivery: no rule wanted it, or nothing can be said."""
    rules = found.rules
    state = State.NOT_REACHED if is_known else State.UNKNOWN
    function, table = Station("Lambda function", "", state), Station("DynamoDB table", "", state)
    if not is_known:
        verdict = "No trace of this event in the account."
        broken = next(filter(None, (evidence.why_not_running(each.name) for each in found.functions.values())), "")
        hint = broken or (
            "It is under way, no rule wants it, its function failed before it logged the id, or the id is wrong. "
            "follow(event_id, entry) tells which rules match the entry that was sent."
        )
        return Lane(state, verdict, hint, rule=Station("rule", "", state), function=function, table=table)
    matching = [rule.name for rule in rules if rule.matches]
    if matching:  # and none of them has a function as its target
        station = Station("rule", " and ".join(matching), State.DONE, "matches")
        verdict = "A rule matches, and no function is its target."
        return Lane(State.FAILED, verdict, rule=station, function=function, table=table)
    verdict = "No rule matches: nobody gets this event, and nothing keeps it."
    return Lane(State.FAILED, verdict, rule=_unmatched(rules), function=function, table=table)


def _unmatched(rules: Sequence[Rule]) -> Station:
    """Return the rules that do not match; of a single one, the fields that differ."""
    asked = [rule for rule in rules if rule.targets]  # one without a target does nothing anyway
    if len(asked) == 1:
        rows = [Row(field, State.FAILED, "differs") for field in asked[0].differs]
    else:
        rows = [Row(rule.name, State.FAILED, "no match") for rule in asked]
    name = asked[0].name if len(asked) == 1 else f"{len(asked)} rules" if asked else "none"
    return Station("rule", name, State.FAILED, "no match", tuple(rows))


def _function(function: Function, run: Invocation, state: State) -> Station:
    """Return the function with a row for each attempt."""
    rows = tuple(_row(number, attempt) for number, attempt in enumerate(run.attempts, start=1))
    return Station("Lambda function", function.name, state, "" if rows else "no attempt", rows)


def _row(number: int, attempt: Attempt) -> Row:
    if attempt.outcome == "running":
        return Row(f"attempt {number}", State.WAITING, "running")
    state = State.FAILED if attempt.outcome in FAILURES else State.DONE
    return Row(f"attempt {number}", state, attempt.outcome or attempt.cut_off or "no log line")


def _table(function: Function, state: State, words: str = "", holds: str = "") -> Station | None:
    if not function.table:
        return None
    return Station("DynamoDB table", function.table, state, words, holds=holds)


def _parking_queue(queue: str, kind: str, order: str) -> Station:
    return Station(kind, queue, State.WAITING, "keeps it", holds=order or "event")
