"""Serve Amazon SQS of one account and region: moto's, with our queues, and calls that threads can make at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import moto.sqs.models as models

from ..engine import executor
from . import trace
from .queues import Queue

#: Calls that walk over all queues, or change which there are: one at a time.
_ONE_AT_A_TIME = (
    "create_queue",
    "delete_queue",
    "list_queues",
    "set_queue_attributes",
    "list_dead_letter_source_queues",
    "add_permission",
    "remove_permission",
    "tag_queue",
    "untag_queue",
)


class Backend(models.SQSBackend):
    """moto's SQS of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = executor.Lock()

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.sqs.urls

        return moto.sqs.urls

    def delete_queue(self, queue_name: str) -> None:
        queue = self.get_queue(queue_name)
        super().delete_queue(queue_name)
        queue.end()  # type: ignore[attr-defined]  # all are ours

    def send_message(self, *args: Any, **settings: Any) -> models.Message:
        settings["system_attributes"] = trace.with_header(settings.get("system_attributes"))
        return super().send_message(*args, **settings)

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[models.Message]:
        queue: Queue = self.get_queue(queue_name)  # type: ignore[assignment]  # all are ours
        messages: list[models.Message] = [*queue.receive(count, wait_seconds_timeout, visibility_timeout)]
        for message in messages:
            # as moto's own receive_message does
            models._filter_message_attributes(message, message_attribute_names or [])  # noqa: SLF001
        return messages

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue: Queue = self.get_queue(queue_name)  # type: ignore[assignment]  # all are ours
        queue.change_visibility(receipt_handle, int(visibility_timeout))

    def purge_queue(self, queue_name: str) -> None:
        super().purge_queue(queue_name)
        self.get_queue(queue_name).purge()  # type: ignore[attr-defined]  # all are ours


def _locked(action: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(action)
    def locked(backend: Backend, *args: Any, **settings: Any) -> Any:
        with backend.lock:
            return action(backend, *args, **settings)

    return locked


for _name in _ONE_AT_A_TIME:
    setattr(Backend, _name, _locked(getattr(Backend, _name)))
