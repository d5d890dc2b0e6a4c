"""Requests that arrive at the same time get in nobody's way."""

from __future__ import annotations

import json

import pytest
from moto.iam.models import IAMBackend

from helpers.local_aws.iam.backend import Backend
from tests.support.embedded_aws import LAMBDA_TRUST


def backend_with_roles(*names: str, kind: type[IAMBackend] = IAMBackend) -> IAMBackend:
    backend = kind("aws", "123456789012")
    for name in names:
        add_role(backend, name)
    return backend


def add_role(backend: IAMBackend, name: str) -> None:
    backend.create_role(name, json.dumps(LAMBDA_TRUST), "/", None, "", {}, 3600)


def names_while_one_is_added(backend: IAMBackend) -> list[str]:
    names = []
    for role in backend.get_roles():
        if not names:
            add_role(backend, "newcomer")
        names.append(role.name)
    return names


def test_roles_may_come_while_somebody_looks_for_one():
    with pytest.raises(RuntimeError):  # or this test proves nothing
        names_while_one_is_added(backend_with_roles("a", "b"))
    assert names_while_one_is_added(backend_with_roles("a", "b", kind=Backend)) == ["a", "b"]
