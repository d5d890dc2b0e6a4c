"""What is read of botocore's data, against what botocore itself reads of it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import UnknownServiceError
from moto.core import loaders

from helpers.local_aws.seams import botocore_data

#: The lessons', one of a single region, one whose hosts have another name, and none.
SERVICES = ["dynamodb", "events", "iam", "lambda", "logs", "s3", "sqs", "sts", "budgets", "cloudwatch", "no-such-thing"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_regions_that_botocore_knows(service):
    session = boto3.Session()
    expected = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions(service, partition_name=partition)
    ]
    assert botocore_data.regions(None, service) == expected


def test_nothing_else_is_kept_of_them():
    assert "us-east-1" in botocore_data.regions(None, "lambda")
    kept = {type(regions) for partition in botocore_data._partitions() for regions in partition.values()}
    assert kept == {tuple}


@pytest.mark.parametrize("service", ["events", "iam", "lambda", "sqs"])
def test_a_model_is_what_moto_reads_but_for_its_prose(service):
    whole = loaders.create_loader().load_service_model(service, "service-2")
    lean = botocore_data.service_model(service, "service-2")
    assert lean == without_prose(whole)
    assert len(str(lean)) < len(str(whole)) / 2


def test_a_member_may_have_the_name_of_the_prose(tmp_path):
    members = {"members": {"documentation": {"shape": "Text"}}}
    (tmp_path / "model.json").write_text(json.dumps({"documentation": "What it is.", **members}), encoding="utf-8")
    assert botocore_data.Lean(botocore_data.without_prose).load_file(str(tmp_path / "model")) == members


def test_what_is_not_there_is_not_there(tmp_path):
    assert botocore_data.Lean(botocore_data.without_prose).load_file(str(tmp_path / "model")) is None
    with pytest.raises(UnknownServiceError):
        botocore_data.service_model("no-such-thing", "service-2")


def without_prose(described: Any) -> Any:
    """The same, without the texts that are called documentation."""
    if isinstance(described, list):
        return [without_prose(each) for each in described]
    if not isinstance(described, dict):
        return described
    return {
        name: without_prose(value)
        for name, value in described.items()
        if not (name == "documentation" and isinstance(value, str))
    }
