"""Answer Lambda's HTTP API for asynchronous events, concurrency and loops, and for the account's limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core.common_types import TYPE_RESPONSE

from ..execution.lambda_errors import constraint_errors, invalid
from .concurrency import ACCOUNT_LIMIT

#: Bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_CODE_LIMITS = {"TotalCodeSize": 80_530_636_800, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800}
_MAX_PAGE = 50


class AsyncSettingsApi:
    """A part of the requests to https://lambda.<region>.amazonaws.com."""

    if TYPE_CHECKING:
        backend: Any
        uri_match: dict[str, str]
        json_body: dict[str, Any]

        def _qualifier(self) -> str | None: ...
        def _query(self, name: str) -> str | None: ...

    def put_function_event_invoke_config(self) -> str:
        return self._put_event_invoke_config(update=False)

    def update_function_event_invoke_config(self) -> str:
        return self._put_event_invoke_config(update=True)

    def _put_event_invoke_config(self, update: bool) -> str:
        config = self.backend.put_function_event_invoke_config(
            self._function_name(), self.json_body, self._qualifier(), update
        )
        return json.dumps(config.described())

    def get_function_event_invoke_config(self) -> str:
        return json.dumps(self.backend.event_invoke_config(self._function_name(), self._qualifier()).described())

    def delete_function_event_invoke_config(self) -> TYPE_RESPONSE:
        self.backend.delete_function_event_invoke_config(self._function_name(), self._qualifier())
        return 204, {"status": 204}, ""

    def list_function_event_invoke_configs(self) -> str:
        configs = [config.described() for config in self.backend.event_invoke_configs(self._function_name())]
        start, size = self._page(len(configs))
        answer: dict[str, Any] = {"FunctionEventInvokeConfigs": configs[start : start + size]}
        if start + size < len(configs):
            answer["NextMarker"] = str(start + size)
        return json.dumps(answer)

    def _page(self, total: int) -> tuple[int, int]:
        """Return the number of the first entry that a request for a list wants, and how many it wants."""
        size, marker = self._query("MaxItems") or str(_MAX_PAGE), self._query("Marker") or "0"
        if not size.isdecimal() or not 1 <= int(size) <= _MAX_PAGE:
            rule = f"Member must have value between 1 and {_MAX_PAGE}"
            raise constraint_errors([("maxItems", size, rule)])
        if not marker.isdecimal() or int(marker) > total:
            raise invalid("The provided marker is invalid.")
        return int(marker), int(size)

    def put_function_concurrency(self) -> str:
        reserved = self.json_body.get("ReservedConcurrentExecutions")
        reserved = self.backend.put_function_concurrency(self._function_name(), reserved)
        return json.dumps({"ReservedConcurrentExecutions": reserved})

    def get_function_concurrency(self) -> str:
        reserved = self.backend.get_function_concurrency(self._function_name())
        return json.dumps({} if reserved is None else {"ReservedConcurrentExecutions": reserved})

    def delete_function_concurrency(self) -> TYPE_RESPONSE:
        self.backend.delete_function_concurrency(self._function_name())
        return 204, {"status": 204}, ""

    def put_function_recursion_config(self) -> str:
        setting = self.json_body.get("RecursiveLoop") or "null"
        return json.dumps({"RecursiveLoop": self.backend.recursion_config(self._function_name(), setting)})

    def get_function_recursion_config(self) -> str:
        return json.dumps({"RecursiveLoop": self.backend.recursion_config(self._function_name())})

    def get_account_settings(self) -> str:
        functions = list(self.backend.list_functions("ALL"))
        unreserved = ACCOUNT_LIMIT - self.backend.reserved_concurrency()
        limits = {"ConcurrentExecutions": ACCOUNT_LIMIT, "UnreservedConcurrentExecutions": unreserved}
        usage = {
            "TotalCodeSize": sum(function.code_size for function in functions),
            "FunctionCount": len({function.function_name for function in functions}),
        }
        return json.dumps({"AccountLimit": {**_CODE_LIMITS, **limits}, "AccountUsage": usage})

    def _function_name(self) -> str:
        return self.uri_match["FunctionName"]
