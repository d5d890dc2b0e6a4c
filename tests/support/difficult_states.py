"""Resources that take their time: tables, functions, rules and log lines."""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from typing import Any

from helpers.local_aws import server
from helpers.local_aws.events import event_routes
from helpers.local_aws.http.dispatch import error_answer
from helpers.local_aws.logs import log_writer

_FUNCTION = re.compile(r"/\d{4}-\d\d-\d\d/functions(?:/([^/]+)(/code|/configuration|/invocations)?)?/?")
_NOT_NOW = "The operation cannot be performed at this time."
Answer = tuple[int, dict[str, str], bytes]


class Young:
    """Which names are younger than the delay, in which state."""

    def __init__(self, delay: float) -> None:
        self._delay, self._born = delay, dict[tuple[str, str], float]()

    def add(self, kind: str, name: str) -> None:
        self._born[kind, name] = time.monotonic()

    def __contains__(self, key: tuple[str, str]) -> bool:
        return time.monotonic() - self._born.get(key, float("-inf")) < self._delay


def install(faults: Any, delay: float, log_delay: float) -> None:
    young = Young(delay)
    _slow_requests(faults, young)
    _slow_rules(faults, delay)
    _slow_logs(faults, log_delay)


def _slow_requests(faults: Any, young: Young) -> None:
    answer = server.Server._answer
    last: dict[str, bytes] = {}  # {table: how it was described last}

    def answered(self: server.Server, request: server.Request) -> Answer:
        target = request.headers.get("x-amz-target", "")
        if target.startswith("DynamoDB_"):
            return _table(self, request, target.rpartition(".")[2])
        if "/lambda/aws4_request" in request.headers.get("authorization", ""):
            return _function(self, request)
        return answer(self, request)

    def _table(self: server.Server, request: server.Request, operation: str) -> Answer:
        name = (json.loads(request.body or b"{}")).get("TableName", "").rpartition("/")[2]
        if ("deleted", name) in young and operation == "DescribeTable":
            faults.strike("a table was being deleted")
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, last[name]
        if ("deleted", name) in young and operation == "CreateTable":
            faults.strike("a table was being deleted")
            return error_answer("dynamodb", 400, "ResourceInUseException", f"Table is being deleted: {name}")
        if ("created", name) in young and operation in ("PutItem", "GetItem", "Scan", "UpdateItem", "DeleteItem"):
            faults.strike("a table was being created")
            return error_answer("dynamodb", 400, "ResourceNotFoundException", "Requested resource not found")
        if operation == "DeleteTable":
            described = answer(self, request)
            if described[0] == 200:
                body = json.loads(described[2])["TableDescription"] | {"TableStatus": "DELETING"}
                last[name] = json.dumps({"Table": body}).encode()
                young.add("deleted", name)
            return described
        status, headers, body = answer(self, request)
        if operation == "CreateTable" and status == 200:
            young.add("created", name)
        if operation in ("CreateTable", "DescribeTable") and ("created", name) in young:
            faults.strike("a table was being created")
            body = body.replace(b'"ACTIVE"', b'"CREATING"', 1)
            # The checksum of the answer as it was: with it, boto3 would think that the answer was damaged on its way.
            headers = {name: value for name, value in headers.items() if name.lower() != "x-amz-crc32"}
        return status, headers, body

    def _function(self: server.Server, request: server.Request) -> Answer:
        path = _FUNCTION.fullmatch(request.path)
        if not path:
            return answer(self, request)
        name, what = path[1] or "", path[2] or ""
        fresh, busy = ("created", f"function {name}") in young, ("updated", f"function {name}") in young
        if request.method == "PUT" and what and (fresh or busy):
            faults.strike("a function was not ready for a change")
            message = f"{_NOT_NOW} An update is in progress for resource: {name}"
            return error_answer("lambda", 409, "ResourceConflictException", message)
        if what == "/invocations" and fresh:
            faults.strike("a function was pending")
            message = f"{_NOT_NOW} The function is currently in the following state: Pending"
            return error_answer("lambda", 409, "ResourceConflictException", message)
        status, headers, body = answer(self, request)
        if status < 300 and request.method == "POST" and not path[1]:
            name = json.loads(request.body)["FunctionName"]
            young.add("created", f"function {name}")
            fresh = True
        if status < 300 and request.method == "PUT" and what:
            young.add("updated", f"function {name}")
            busy = True
        if what != "/invocations" and fresh and b'"State"' in body:
            faults.strike("a function was pending")
            body = re.sub(rb'"State": ?"Active"', b'"State": "Pending"', body)
        if what != "/invocations" and busy and b'"LastUpdateStatus"' in body:
            faults.strike("an update was in progress")
            body = re.sub(rb'"LastUpdateStatus": ?"Successful"', b'"LastUpdateStatus": "InProgress"', body)
        return status, headers, body

    server.Server._answer = answered


def _slow_rules(faults: Any, delay: float) -> None:
    """Events are matched with the rules, targets and all, as they were."""
    from moto.events.models import EventBus

    from helpers.local_aws.events.event_bus import EventBusBackend

    class Then(event_routes.Routes):
        """The rules of each bus, frozen some seconds after each change."""

        def __init__(self) -> None:
            super().__init__()
            self._frozen: dict[str, event_routes._Table] = {}

        def freeze(self, bus: EventBus) -> None:
            rules = []
            for rule in [rule for rule in list(bus.rules.values()) if not rule.managed_by]:
                frozen = copy.copy(rule)
                frozen.targets = copy.deepcopy(list(rule.targets))
                rules.append(frozen)
            self._frozen[bus.name] = event_routes._Table(rules)

        def candidates(self, bus: EventBus, event: dict[str, Any]) -> Any:
            # An archive's own rule is in force as soon as there is the archive.
            managed = [rule for rule in list(bus.rules.values()) if rule.managed_by]
            yield from ((rule, rule.event_pattern.compiled) for rule in managed)
            table = self._frozen.get(bus.name)
            if table is None:
                return
            for field, by_value in table.by_value:
                yield from by_value.get(event[field], ())
            yield from table.others

    event_routes.Routes = Then
    import helpers.local_aws.events.event_bus as event_bus

    event_bus.Routes = Then

    def later(method: str) -> None:
        change = getattr(EventBusBackend, method)

        def changed(self: EventBusBackend, *args: Any, **settings: Any) -> Any:
            given = change(self, *args, **settings)
            faults.strike("a rule was not yet in force")
            for bus in list(self.event_buses.values()):
                snapshot = threading.Timer(delay, self._routes.freeze, (bus,))
                snapshot.daemon = True
                snapshot.start()
            return given

        setattr(EventBusBackend, method, changed)

    for method in ("put_rule", "delete_rule", "enable_rule", "disable_rule", "put_targets", "remove_targets"):
        later(method)


def _slow_logs(faults: Any, delay: float) -> None:
    append = log_writer.LogWriter.append

    def later(self: log_writer.LogWriter, *args: Any, **settings: Any) -> None:
        faults.strike("a log line came late")
        timer = threading.Timer(delay, append, (self, *args), settings)
        timer.daemon = True
        timer.start()

    log_writer.LogWriter.append = later
