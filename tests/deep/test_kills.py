"""A hundred kills at random moments under twelve writers: what was answered is there, and nothing by halves."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.support.campaign import FACTOR
from tests.support.kill_campaign import Round, writers

#: So many campaigns of so many kills each; each campaign is one account.
CAMPAIGNS, KILLS = round(10 * max(1, FACTOR)), 10


@pytest.mark.parametrize("seed", range(CAMPAIGNS))
def test_what_was_answered_outlives_ten_kills(account: Account, seed: int):  # noqa: F811
    chance, at_work = random.Random(seed), writers(seed)
    for writer in at_work:
        writer.prepare(account.aws)
    for _ in range(KILLS):
        under_way = Round(account.aws, at_work)
        under_way.wait_for(chance.randrange(1, 120))
        account.kill()
        under_way.end()
        account.start()
        with ThreadPoolExecutor(4) as checking:
            for done in [checking.submit(writer.check, account.aws) for writer in at_work]:
                done.result()
