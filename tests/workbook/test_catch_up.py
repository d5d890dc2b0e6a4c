"""Catching up with the lessons as they are: a learner goes back, forth and astray, and each lesson still begins with
what it needs.
"""

from __future__ import annotations

import json

import boto3
import pytest

from helpers.account import state as account_state
from helpers.authoring.isolation import throw_away_account
from helpers.lessons import catch_up
from helpers.paths import NOTEBOOKS

LESSONS = [catch_up.read_lesson(path) for path in catch_up.lesson_files(NOTEBOOKS)]
BUILDING = [lesson for lesson in LESSONS if lesson.provides]
LAST = LESSONS[-1].name
PROVIDED = [word for lesson in LESSONS for word in lesson.provides]


@pytest.fixture(scope="module")
def account():
    with throw_away_account() as account:
        yield account


@pytest.fixture
def learner(account, monkeypatch):
    """This process as the kernel of a learner, in an account that has all that the lessons build."""
    for name, value in account.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(NOTEBOOKS)
    boto3.setup_default_session()
    catch_up_with_all()
    yield
    boto3.DEFAULT_SESSION = None


def catch_up_with_all() -> list[str]:
    """The lessons whose cells were executed; raises WorkbookError when something is missing afterwards."""
    executed: list[str] = []
    catch_up.catch_up(LAST, NOTEBOOKS, executed.append)
    return executed


def missing() -> list[str]:
    return account_state.missing(PROVIDED, account_state.read())


def test_when_all_is_there_nothing_is_executed(learner):
    assert catch_up_with_all() == missing() == []


@pytest.mark.parametrize("lesson", BUILDING, ids=lambda lesson: lesson.name)
def test_whoever_goes_back_to_a_lesson_undoes_nothing_for_good(learner, lesson):
    """Running lesson 4 again puts the rule back that matches everything, for one."""
    catch_up.build(lesson)
    undone = missing()
    assert {each.name for each in BUILDING if set(each.provides) & set(undone)} == set(catch_up_with_all())
    assert missing() == []


def test_going_back_to_the_rule_undoes_what_later_lessons_made_of_it(learner):
    """…or the test above shows nothing."""
    catch_up.build(next(lesson for lesson in LESSONS if lesson.name.startswith("04_")))
    later = {"pattern", "dead-letter-queue"} & set(PROVIDED)
    assert later <= set(missing())


def test_a_table_that_was_lost_is_filled_again_through_the_service_as_it_is_then(learner):
    boto3.client("dynamodb").delete_table(TableName=account_state.TABLE)
    assert [name[:2] for name in catch_up_with_all()] == ["02", "05"]
    assert missing() == []


def test_a_role_that_was_lost_comes_back_with_all_its_policies(learner):
    iam = boto3.client("iam")
    before = policies(iam)
    for name in before["attached"]:
        [arn] = [each["PolicyArn"] for each in attached(iam) if each["PolicyName"] == name]
        iam.detach_role_policy(RoleName=account_state.ROLE, PolicyArn=arn)
    for name in before["inline"]:
        iam.delete_role_policy(RoleName=account_state.ROLE, PolicyName=name)
    iam.delete_role(RoleName=account_state.ROLE)
    catch_up_with_all()
    assert policies(iam) == before
    assert missing() == []


def policies(iam) -> dict:
    """What the role has, by name."""
    inline = iam.list_role_policies(RoleName=account_state.ROLE)["PolicyNames"]
    return {"attached": sorted(each["PolicyName"] for each in attached(iam)), "inline": sorted(inline)}


def attached(iam) -> list[dict]:
    return iam.list_attached_role_policies(RoleName=account_state.ROLE)["AttachedPolicies"]


def test_a_function_that_was_lost_comes_back_with_all_that_lessons_set(learner):
    boto3.client("lambda").delete_function(FunctionName=account_state.FUNCTION)
    catch_up_with_all()
    assert missing() == []
    assert json.loads(boto3.client("lambda").get_policy(FunctionName=account_state.FUNCTION)["Policy"])["Statement"]
