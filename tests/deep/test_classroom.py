"""A small class on one machine: accounts that begin at the same instant, and nobody gets into another's."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.local_aws import lifecycle
from tests.support import learners as learners_of
from tests.support.embedded_aws import Aws, own_home
from tests.support.learners import ORDERS, CellFailed, Learner, begin_together, classroom, together

#: Runs in one account's function and asks another account for its orders, with the credentials that it has.
INTRUDER = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    answers = {}
    for name, endpoint in event.items():
        try:
            answers[name] = boto3.client("dynamodb", endpoint_url=endpoint).scan(TableName="sample-table")["Count"]
        except ClientError as error:
            answers[name] = error.response["Error"]["Code"]
    return answers
"""


@pytest.fixture(scope="module")
def learners(tmp_path_factory: pytest.TempPathFactory):
    """Three learners who have begun lesson 5 at the same instant, and have sent their orders."""
    with classroom(3, tmp_path_factory.mktemp("classroom")) as present:
        begun = begin_together(present)
        assert not [result for result in begun if isinstance(result, Exception)], begun
        sent = together(present, Learner.send)
        assert not [result for result in sent if isinstance(result, Exception)], sent
        yield present


@pytest.fixture(scope="module")
def accounts(learners: list[Learner]) -> list[Aws]:
    return [Aws(account_of(learner.home), learner.home) for learner in learners]


def account_of(home: Path) -> lifecycle.Access:
    with own_home(home):
        account = lifecycle.status()
    assert account is not None
    return account


def test_everybody_sees_exactly_their_own_orders(learners):
    assert together(learners, Learner.read) == [learner.own_orders for learner in learners]


def test_everybody_has_a_server_and_credentials_of_their_own(accounts):
    for mine in ("endpoint_url", "access_key_id", "secret_access_key", "pid"):
        assert len({getattr(aws.account, mine) for aws in accounts}) == len(accounts)


@pytest.mark.parametrize(
    "service, call", [("dynamodb", "list_tables"), ("lambda", "list_functions"), ("iam", "list_roles")]
)
def test_one_learners_credentials_are_refused_by_anothers_account(accounts, service, call):
    mine, other = accounts[:2]
    intruder = mine.session.client(
        service, endpoint_url=other.account.endpoint_url, config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(ClientError) as refused:
        getattr(intruder, call)()
    assert refused.value.response["Error"]["Code"] in ("UnrecognizedClientException", "InvalidClientTokenId")
    getattr(mine.client(service), call)()  # at home they are good


def test_anothers_key_with_ones_own_secret_is_refused(accounts):
    """The key id is no secret: it stands in every request that is signed with it."""
    mine, other = (aws.account for aws in accounts[:2])
    forged = boto3.client(
        "dynamodb",
        endpoint_url=other.endpoint_url,
        region_name=other.region,
        aws_access_key_id=other.access_key_id,
        aws_secret_access_key=mine.secret_access_key,
    )
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        forged.list_tables()


def test_a_function_reaches_its_own_account_and_no_other(accounts):
    mine, other = accounts[:2]
    name = mine.function(INTRUDER, Timeout=20)
    answer = mine.invoke(name, {"mine": mine.account.endpoint_url, "other": other.account.endpoint_url})
    assert answer["Json"] == {"mine": ORDERS, "other": "UnrecognizedClientException"}, json.dumps(answer["Json"])


def test_one_who_stops_their_account_stops_nobody_elses(learners, accounts):
    with own_home(learners[-1].home):
        assert lifecycle.stop()
    assert learners[0].read() == learners[0].own_orders


def test_a_class_in_which_one_cannot_begin_leaves_no_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begin = Learner.__init__

    def fails_for_two(self, number: int, *rest) -> None:
        if number == 2:
            raise RuntimeError("on purpose")
        begin(self, number, *rest)

    monkeypatch.setattr(Learner, "__init__", fails_for_two)
    before = set(psutil.Process().children())
    with pytest.raises(RuntimeError, match="on purpose"), classroom(3, tmp_path):
        pass
    assert not {each for each in psutil.Process().children() if each.is_running()} - before


def test_a_cell_without_an_end_is_told_by_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learners_of, "PATIENCE", 60)
    with classroom(1, tmp_path) as (learner,):
        monkeypatch.setattr(learners_of, "PATIENCE", 1)
        with pytest.raises(CellFailed, match=r"'import time'.*its kernel lives.*printed 'begun"):
            learner.run("import time\nprint('begun', flush=True)\nwhile True: time.sleep(1)")
