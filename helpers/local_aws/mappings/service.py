"""Keep the event source mappings of a region beside its functions: make, change, delete and list them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException

from ..account.arn import Arn
from ..awslambda.lambda_function import Function
from ..awslambda.lambda_service import LambdaService
from ..engine import clock, executor
from ..execution.function_names import locate, name_and_qualifier
from ..execution.lambda_errors import LambdaError, invalid
from ..storage import journal
from . import api, positions, sources, validation
from .mapping import IN_TRANSITION, EventSourceMapping, of_moto
from .poller import Poller
from .sqs_poller import SqsPoller
from .stream_poller import StreamPoller

Request = Mapping[str, Any]
Described = dict[str, Any]

#: Seconds, on AWS, until a mapping has become what it is to be: "a few seconds" to a minute there.
TRANSITION_S = 10.0
#: Mappings in one answer: "returns at most 100".
MAX_PAGE = 100

_pollers: dict[str, Poller] = {}  # of this process, by UUID


def stop_all() -> None:
    """Have no mapping of this process do anything more."""
    for poller in list(_pollers.values()):
        poller.stop()
    _pollers.clear()


class LambdaWithMappings(LambdaService):
    """Lambda in one region of one account, with event source mappings."""

    _url_module = api
    _event_source_mappings: dict[str, EventSourceMapping]  # type: ignore[assignment]  # ours, where moto has its own

    # What changes a mapping answers with how it is described then: a little later it is something else.

    def create_event_source_mapping(self, spec: Request) -> Described:  # type: ignore[override]  # not a mapping
        """Make a mapping, which begins to poll a little later. Raises LambdaError, and NotImplementedError."""
        validation.check_constraints(spec)
        source = validation.check_source(spec)
        settings = validation.settings_of(spec, source)
        with self.lock:
            function, arn = self._target(spec.get("FunctionName") or "")
            validation.check_access(source, function.role, function.timeout)
            validation.check_destination(settings, function.role)
            for known in self._event_source_mappings.values():
                if known.function_arn == arn and known.source_arn == str(source):
                    raise validation.conflict(source, function.function_name, known.uuid)
            mapping = EventSourceMapping(str(source), arn, self.region_name, self.account_id, settings)
            mapping.enabled = spec.get("Enabled") is not False
            mapping.tags = dict(spec.get("Tags") or {})
            self._event_source_mappings[mapping.uuid] = mapping
            self._poller(mapping)
            return self._turn(mapping, "Creating")

    def update_event_source_mapping(self, uuid: str, spec: Request) -> Described:  # type: ignore[override]
        """Change a mapping; what is not given stays as it is. Raises LambdaError, and NotImplementedError."""
        validation.check_constraints(spec)
        with self.lock:
            mapping = self._changeable(uuid, "update")
            source = validation.check_source({**spec, "EventSourceArn": mapping.source_arn})
            settings = validation.settings_of(spec, source, mapping.settings)
            function, arn = self._target(spec.get("FunctionName") or mapping.function_arn)
            validation.check_access(source, function.role, function.timeout)
            validation.check_destination(settings, function.role)
            mapping.settings, mapping.function_arn = settings, arn
            enabled = mapping.enabled if spec.get("Enabled") is None else bool(spec["Enabled"])
            changed, mapping.enabled = enabled != mapping.enabled, enabled
            return self._turn(mapping, ("Enabling" if enabled else "Disabling") if changed else "Updating")

    def delete_event_source_mapping(self, uuid: str) -> Described:  # type: ignore[override]  # not a mapping
        """Have a mapping deleted a little later; it does not poll any more. Raises LambdaError."""
        with self.lock:
            mapping = self._changeable(uuid, "delete")
            return self._turn(mapping, "Deleting")

    def get_event_source_mapping(self, uuid: str) -> EventSourceMapping:  # type: ignore[override]  # never None
        """Return a mapping. Raises LambdaError when there is none."""
        mapping = self._event_source_mappings.get(uuid)
        if mapping is None:
            raise LambdaError("ResourceNotFoundException", "The resource you requested does not exist.")
        return mapping

    def list_event_source_mappings(  # type: ignore[override]  # pages
        self, source_arn: str | None, function_name: str | None, marker: str | None = None, most: int = MAX_PAGE
    ) -> tuple[list[EventSourceMapping], str | None]:
        """Return a page of the mappings of a source, a function, both or all, and the marker of the next page.

        marker: the UUID of the first that is wanted. Raises LambdaError for one that is not there.
        """
        found = list(self._event_source_mappings.values())
        if source_arn:
            found = [each for each in found if each.source_arn == source_arn]
        if function_name:
            wanted = self._qualified_arn(function_name)
            found = [each for each in found if each.function_arn == wanted]
        start = 0
        if marker:
            start = next((place for place, each in enumerate(found) if each.uuid == marker), -1)
            if start < 0:
                raise invalid("The provided marker is invalid.")
        end = start + min(most, MAX_PAGE)
        return found[start:end], found[end].uuid if end < len(found) else None

    def resume_mappings(self) -> None:
        """Go on polling in a new process."""
        kept = positions.read(self.region_name)
        with self.lock:
            known: dict[str, Any] = {**self._event_source_mappings}
            ours = {
                uuid: found if isinstance(found, EventSourceMapping) else of_moto(found)
                for uuid, found in known.items()
            }
            self._event_source_mappings = {uuid: mapping for uuid, mapping in ours.items() if mapping is not None}
            for mapping in self._event_source_mappings.values():
                poller = self._poller(mapping, kept.get(mapping.uuid))
                if mapping.state in IN_TRANSITION:
                    self._turn(mapping, mapping.state)
                else:
                    poller.wake()

    def reset(self) -> None:
        stop_all()
        super().reset()

    def update_function_configuration(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        """As ever, but a function must not take longer than the messages of its queues stay hidden."""
        if body.get("Timeout"):
            arn = self._qualified_arn(function_name)
            for mapping in self._event_source_mappings.values():
                queue = sources.queue(mapping.source_arn) if mapping.service == "sqs" else None
                if queue is not None and mapping.function_arn == arn:
                    validation.check_visibility(queue, body["Timeout"])
        return super().update_function_configuration(function_name, qualifier, body)

    def _qualified_arn(self, function_name: str) -> str:
        name, qualifier = locate(function_name, None, self.account_id, self.region_name)
        ending = f":{qualifier}" if qualifier else ""
        return f"arn:aws:lambda:{self.region_name}:{self.account_id}:function:{name}{ending}"

    def _target(self, function_name: str) -> tuple[Function, str]:
        """Return the function, version or alias that a request names, and its ARN. Raises LambdaError."""
        arn = self._qualified_arn(function_name)
        function = self._invoked(arn)
        if function is None:
            raise invalid("Function does not exist")
        return function, arn

    def _invoked(self, arn: str) -> Function | None:
        name, qualifier = name_and_qualifier(Arn.parse(arn))
        try:
            return self.get_function(name, qualifier)
        except (LambdaError, UnknownFunctionException):
            return None

    def _changeable(self, uuid: str, change: str) -> EventSourceMapping:
        mapping = self.get_event_source_mapping(uuid)
        if mapping.state in IN_TRANSITION:
            text = f"Cannot {change} the event source mapping because it is in use."
            raise LambdaError("ResourceInUseException", text)
        return mapping

    def _poller(self, mapping: EventSourceMapping, position: int | None = None) -> Poller:
        def target() -> Function | None:
            return self._invoked(mapping.function_arn)

        made = SqsPoller(mapping, target) if mapping.service == "sqs" else StreamPoller(mapping, target, position)
        _pollers[mapping.uuid] = made
        return made

    def _turn(self, mapping: EventSourceMapping, state: str) -> Described:
        """Let a mapping be on its way to something for a while; returns how it is described now."""
        mapping.state, mapping.last_modified = state, clock.now()
        described = mapping.described()
        _pollers[mapping.uuid].wake()
        executor.later(clock.scaled(TRANSITION_S), lambda: self._arrive(mapping))
        return described

    def _arrive(self, mapping: EventSourceMapping) -> None:
        with self.lock:
            poller = _pollers.get(mapping.uuid)
            if poller is None:  # the account is closed
                return
            if mapping.state == "Deleting":
                del self._event_source_mappings[mapping.uuid], _pollers[mapping.uuid]
                poller.close()
            else:
                mapping.state, mapping.last_modified = "Enabled" if mapping.enabled else "Disabled", clock.now()
                poller.wake()
        journal.changed("lambda", self.region_name)
