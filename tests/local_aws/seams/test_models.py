"""What moto has made is gone when nobody has it any more."""

from __future__ import annotations

import copy
import gc
import weakref

from moto.core.common_models import BaseModel
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from helpers.local_aws.seams import models


def test_nothing_keeps_a_model_that_nobody_uses(monkeypatch):
    monkeypatch.setattr(BaseModel, "__new__", models.untracked)
    made = Item(DynamoType({"S": "a"}), None, {"id": {"S": "a"}})
    copied = copy.deepcopy(made)
    assert copied == made
    seen = [weakref.ref(made), weakref.ref(copied)]
    del made, copied
    gc.collect()
    assert [each() for each in seen] == [None, None]
