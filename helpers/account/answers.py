"""Ask AWS each question once: whoever wants the same answer in the same look at the account gets it again."""

import functools
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account.state import Clients


class Answers:
    """One look at the account. Called with a service's name, it gives what acts as that service's client."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._known: dict[tuple[str, str, str], Any] = {}

    @functools.cache  # noqa: B019  lives as long as the look
    def __call__(self, service: str) -> "_Service":
        return _Service(self, service)

    def ask(self, service: str, operation: str, **arguments: Any) -> Any:
        """Return the answer of a call. Raises botocore's errors, again and again."""
        key = service, operation, json.dumps(arguments, sort_keys=True, default=str)
        if key not in self._known:
            try:
                self._known[key] = getattr(self._clients(service), operation)(**arguments)
            except (BotoCoreError, ClientError) as error:
                self._known[key] = error
        answer = self._known[key]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def once(self, look: Callable[[str], Any], what: str) -> Any:
        """Return what `look(what)` returns, which is called once."""
        key = look.__module__, look.__qualname__, what
        if key not in self._known:
            self._known[key] = look(what)
        return self._known[key]

    def get(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer of a call, or an empty one when AWS gives none: no such thing, or not for you to know."""
        try:
            answer: dict[str, Any] = self.ask(service, operation, **arguments)
            return answer
        except (BotoCoreError, ClientError):
            return {}


class _Service:
    """A client, as far as `Answers` needs to be one: its operations, with keyword arguments."""

    def __init__(self, answers: Answers, name: str) -> None:
        self._answers, self._name = answers, name

    def __getattr__(self, operation: str) -> Any:
        return functools.partial(self._answers.ask, self._name, operation)
