"""Read botocore's descriptions of AWS without what no server asks for: their prose, and the names of hosts.

moto has botocore read them as for a client, twice (for requests, and for a service's regions), and keeps all of it:
the endpoints of all services in the world, 9 MB, for the names of a few regions, and of each service's model the
documentation, which is most of it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader
from moto.core import loaders, utils

Described = dict[str, Any]


class Lean(JSONFileLoader):  # type: ignore[misc]  # botocore has no annotations
    """Read a file of botocore's, and throw away what `without` takes out of an object as soon as it is read."""

    def __init__(self, without: Callable[[Described], Described]) -> None:
        self._without = without

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as file:
            return json.loads(file.read(), object_hook=self._without)


def service_model(service_name: str, model_name: str) -> Described:
    """Return what botocore and moto say of a service, without prose. Raises UnknownServiceError."""
    model: Described = _models().load_service_model(service_name, model_name)
    return model


@functools.cache
def _models() -> Loader:
    """moto's loader, once: a new one looks through all of botocore's folders again."""
    loader = loaders.create_loader()
    loader.file_loader = Lean(without_prose)
    return loader


def without_prose(described: Described) -> Described:
    """Take an object's documentation out of it, and return it."""
    if isinstance(described.get("documentation"), str):  # not a member of that name, which is an object
        del described["documentation"]
    return described


def regions(backends: Any, service_name: str) -> list[str]:
    """Return the regions of all partitions that have a service, as botocore's `get_available_regions` does."""
    try:
        prefix = utils.get_service_model(service_name).metadata.get("endpointPrefix", service_name)
    except UnknownServiceError:
        return []
    return [region for partition in _partitions() for region in partition.get(prefix, ())]


@functools.cache
def _partitions() -> list[dict[str, tuple[str, ...]]]:
    """Return, for each partition, the regions of each service, by the name that begins its hosts'."""
    partitions = Loader(file_loader=Lean(_without_hosts)).load_data("endpoints")["partitions"]
    return [
        {
            prefix: tuple(name for name in service["endpoints"] if name in partition["regions"])
            for prefix, service in partition["services"].items()
        }
        for partition in partitions
    ]


def _without_hosts(described: Described) -> Described:
    for name in ("variants", "hostname"):
        described.pop(name, None)
    return described
