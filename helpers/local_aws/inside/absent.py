"""Put something in the place of what a browser's Python lacks, and this account only seems to need.

An edition that runs in a browser has neither processes nor every compiled package. moto, botocore and werkzeug import
some of that at the top of modules that the account uses, for features that it does not have: certificates, credentials
that a program prints, a reloader. What stands in can be imported, and fails when it is used.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

#: What may be absent, and whose modules import it.
MAY_BE_ABSENT = {
    "cryptography": "moto.iam, moto.kms, moto.sns",
    "subprocess": "botocore.credentials, werkzeug, asyncio",
}


def stand_in() -> None:
    """Provide what cannot be imported, with all its modules. What is there is left alone."""
    absent = set()
    for name in MAY_BE_ABSENT:
        try:
            importlib.import_module(name)
        except ImportError:
            absent.add(name)
    if absent:
        sys.meta_path.insert(0, _Finder(absent))


class Absent(type):
    """The class of what stands in for a class, a function or a value: it has every attribute, and cannot be called."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{cls.__name__}.{name}", (), {})

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise ImportError(f"{cls.__name__} is not to be had in this Python")


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{self.__name__}.{name}", (), {})


class _Finder:
    """Finds these packages, and whatever is imported from inside of them. It is its modules' loader, too."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in self._names:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""
