"""begin(), catching up and the account's live state, against an embedded AWS of this module's own."""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import boto3
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import workbook
from helpers.account import function_code
from helpers.account import state as account_state
from helpers.authoring.isolation import isolated, throw_away_account
from helpers.authoring.notebooks import execute
from helpers.errors import WorkbookError
from helpers.exercises import last_lesson, record
from helpers.lessons import catch_up as catching_up
from helpers.lessons.catch_up import catch_up, lesson_files, read_lesson
from helpers.local_aws import lifecycle
from helpers.paths import NOTEBOOKS, PROJECT
from helpers.target import connection
from tests.support.polling import eventually

LESSON_00 = next(path.stem for path in lesson_files(NOTEBOOKS))
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
MAKE_ROLE = f"""
iam = boto3.client("iam")
try:
    iam.create_role(RoleName="microservice-role", AssumeRolePolicyDocument={json.dumps(json.dumps(TRUST))})
except iam.exceptions.EntityAlreadyExistsException:
    pass
print("this is not for the learner")
"""
ATTACH = """
for name in ("AmazonDynamoDBFullAccess", "service-role/AWSLambdaBasicExecutionRole"):
    iam.attach_role_policy(RoleName="microservice-role", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
"""
MAKE_TABLE = """
boto3.client("dynamodb").create_table(
    TableName="sample-table", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "OrderId", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "OrderId", "AttributeType": "S"}],
)
"""
MAKE_ORDERS = """
table = boto3.resource("dynamodb").Table("sample-table")
for number in range(1, 131):
    table.put_item(Item={"OrderId": f"X-{number:04d}"})
"""
LESSONS = {
    "00_start": ([], []),
    "01_role": (["role", "policies"], [MAKE_ROLE, ATTACH]),
    "02_table": (["table"], [MAKE_TABLE]),
    "05_orders": (["orders:X-0001..X-0130"], [MAKE_ORDERS]),
    "06_look": ([], []),
}


def write_lesson(folder: Path, name: str, provides: list[str], build_cells: list[str]) -> None:
    notebook = new_notebook(metadata={"workbook": {"provides": provides}})
    notebook.cells = [
        new_markdown_cell("# A title"),
        new_code_cell("raise SystemExit('cells without the tag are not executed')"),
        *(new_code_cell(source, metadata={"tags": ["build"]}) for source in build_cells),
    ]
    nbformat.write(notebook, folder / f"{name}.ipynb")


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    for name, (provides, cells) in LESSONS.items():
        write_lesson(tmp_path, name, provides, cells)
    return tmp_path


@pytest.fixture(scope="module")
def server():
    with throw_away_account() as account:
        yield account


@pytest.fixture
def account(server, monkeypatch):
    """The module's account, empty, with boto3's default session connected to it."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    boto3.setup_default_session()
    empty_account()
    yield server
    boto3.DEFAULT_SESSION = None


def empty_account() -> None:
    iam, dynamodb, events = (boto3.client(name) for name in ("iam", "dynamodb", "events"))
    if iam.list_roles()["Roles"]:
        for policy in iam.list_attached_role_policies(RoleName="microservice-role")["AttachedPolicies"]:
            iam.detach_role_policy(RoleName="microservice-role", PolicyArn=policy["PolicyArn"])
        for name in iam.list_role_policies(RoleName="microservice-role")["PolicyNames"]:
            iam.delete_role_policy(RoleName="microservice-role", PolicyName=name)
        iam.delete_role(RoleName="microservice-role")
    for name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)
    for function in boto3.client("lambda").list_functions()["Functions"]:
        boto3.client("lambda").delete_function(FunctionName=function["FunctionName"])
    for archive in events.list_archives()["Archives"]:
        events.delete_archive(ArchiveName=archive["ArchiveName"])
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if targets:
            events.remove_targets(Rule=rule["Name"], Ids=[target["Id"] for target in targets])
        events.delete_rule(Name=rule["Name"])
    for url in boto3.client("sqs").list_queues().get("QueueUrls", []):
        boto3.client("sqs").delete_queue(QueueUrl=url)


def parts() -> set[str]:
    return set(account_state.read().parts)


def run(*sources: str) -> None:
    namespace = {"boto3": boto3}
    for source in sources:
        exec(source, namespace)


# --- the account's live state ---


def test_each_part_is_seen_when_it_is_there_and_not_before(account, zip_of_nothing):
    assert parts() == set()
    run(MAKE_ROLE)
    assert parts() == {"role"}
    run(MAKE_ROLE, ATTACH)
    assert parts() == {"role", "policies"}
    run(MAKE_TABLE)
    assert parts() == {"role", "policies", "table"}

    events, lambda_ = boto3.client("events"), boto3.client("lambda")
    rule = events.put_rule(Name="sample-rule", EventPattern='{"source": [{"prefix": ""}]}')
    assert "rule" in parts()
    function_arn = make_function(account, zip_of_nothing)
    assert parts() == {"role", "policies", "table", "rule", "function", "handler"}
    events.put_targets(Rule="sample-rule", Targets=[{"Id": "another", "Arn": function_arn + "-2"}])
    assert "target" not in parts()
    events.put_targets(Rule="sample-rule", Targets=[{"Id": "it", "Arn": function_arn}])
    assert "target" in parts()
    permission = {
        "FunctionName": "sample-function",
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
    }
    lambda_.add_permission(StatementId="other", SourceArn=rule["RuleArn"] + "-2", **permission)
    assert "permission" not in parts()
    lambda_.add_permission(StatementId="it", SourceArn=rule["RuleArn"], **permission)
    assert parts() == set(account_state.PARTS) - account_state.ADDITIONS


def test_the_short_function_of_lesson_3_is_not_yet_handler_py(account, zip_of_nothing):
    lesson = read_lesson(PROJECT / "notebooks" / "03_create_the_function.ipynb")
    namespace = {}
    for _, source in lesson.build_cells[:2]:
        exec(source, namespace)
    make_function(account, namespace["package"])
    assert account_state.missing(lesson.provides, account_state.read()) == ["handler"]
    boto3.client("lambda").update_function_code(FunctionName="sample-function", ZipFile=zip_of_nothing)
    assert account_state.missing(lesson.provides, account_state.read()) == []


PATTERN = {"source": ["microservice_x"], "detail-type": ["OrderPlaced", "microservice_x_test_event"]}


@pytest.mark.parametrize("pattern, narrowed", [
    (PATTERN, True),
    (PATTERN | {"detail": {"body": {"OrderId": [{"exists": True}]}}}, True),
    (PATTERN | {"source": ["microservice_x", "another"]}, False),
    (PATTERN | {"source": [{"prefix": "microservice_x"}]}, False),
    (PATTERN | {"detail-type": ["OrderPlaced"]}, False),
    (PATTERN | {"detail-type": [*PATTERN["detail-type"], {"suffix": "d"}]}, False),
    ({"source": ["microservice_x"]}, False),
    ({"source": [{"prefix": ""}]}, False),
])  # fmt: skip
def test_the_pattern_is_seen_when_it_lets_the_orders_through_and_nothing_else(account, pattern, narrowed):
    boto3.client("events").put_rule(Name="sample-rule", EventPattern=json.dumps(pattern))
    assert parts() == {"rule", "pattern"} if narrowed else {"rule"}


def test_a_rule_by_the_clock_has_no_pattern(account):
    boto3.client("events").put_rule(Name="sample-rule", ScheduleExpression="rate(1 hour)")
    assert parts() == {"rule"}


def test_the_dead_letter_queue_is_seen_when_it_is_there_and_the_target_of_the_rule_has_it(account, zip_of_nothing):
    function_arn = make_function(account, zip_of_nothing)
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.put_rule(Name="sample-rule", EventPattern='{"source": ["x"]}')

    def put_target(queue: str, target: str = function_arn) -> None:
        dead_letters = {"Arn": f"arn:aws:sqs:us-east-1:{account.account_id}:{queue}"}
        events.put_targets(Rule="sample-rule", Targets=[{"Id": "it", "Arn": target, "DeadLetterConfig": dead_letters}])

    sqs.create_queue(QueueName="another-queue")
    put_target("another-queue")
    assert "target" in parts() and "dead-letter-queue" not in parts()
    url = sqs.create_queue(QueueName="sample-rule-dlq")["QueueUrl"]
    put_target("sample-rule-dlq", function_arn + "-2")
    assert "dead-letter-queue" not in parts()
    put_target("sample-rule-dlq")
    assert "dead-letter-queue" in parts()
    sqs.delete_queue(QueueUrl=url)
    assert "target" in parts() and "dead-letter-queue" not in parts()


def test_the_failure_destination_is_seen_when_it_is_there_and_the_function_has_it(account, zip_of_nothing):
    make_function(account, zip_of_nothing)
    lambda_, sqs = boto3.client("lambda"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="sample-function-failures")["QueueUrl"]
    grant("send-failures", "sqs:SendMessage", "sample-function-failures")
    assert "failure-destination" not in parts()
    arn = f"arn:aws:sqs:us-east-1:{account.account_id}:sample-function-failures"
    lambda_.put_function_event_invoke_config(
        FunctionName="sample-function", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    assert "failure-destination" in parts()
    sqs.delete_queue(QueueUrl=url)
    assert "function" in parts() and "failure-destination" not in parts()


def test_the_archive_is_seen_when_it_is_there(account):
    events = boto3.client("events")
    bus = f"arn:aws:events:us-east-1:{account.account_id}:event-bus/default"
    events.create_archive(ArchiveName="another-archive", EventSourceArn=bus)
    assert parts() == set()
    events.create_archive(ArchiveName="sample-archive", EventSourceArn=bus)
    assert parts() == {"archive"}


def test_least_privilege_is_a_policy_of_its_own_in_place_of_the_broad_one(account):
    run(MAKE_ROLE, ATTACH)
    grant("store-orders", "dynamodb:PutItem", "sample-table")
    assert parts() == {"role", "policies"}
    iam = boto3.client("iam")
    iam.detach_role_policy(RoleName="microservice-role", PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
    assert parts() == {"role", "policies", "least-privilege"}
    iam.delete_role_policy(RoleName="microservice-role", PolicyName="store-orders")
    grant("send-failures", "sqs:SendMessage", "sample-function-failures")
    assert parts() == {"role"}, "a policy that lets the function report failures does not let it store orders"


def test_microservice_y_is_seen_when_it_is_there_and_its_rule_when_it_leads_there(account, zip_of_nothing):
    events, lambda_ = boto3.client("events"), boto3.client("lambda")
    make_function(account, zip_of_nothing, name="microservice-y")
    assert parts() == {"role", "microservice-y"}
    arn = events.put_rule(Name="order-stored-rule", EventPattern='{"source": ["order_store"]}')["RuleArn"]
    function_arn = arn.replace("events", "lambda").replace("rule/order-stored-rule", "function:{}")
    events.put_targets(Rule="order-stored-rule", Targets=[{"Id": "y", "Arn": function_arn.format("another")}])
    assert "order-stored-rule" not in parts()
    events.put_targets(Rule="order-stored-rule", Targets=[{"Id": "y", "Arn": function_arn.format("microservice-y")}])
    assert parts() == {"role", "microservice-y", "order-stored-rule"}
    events.disable_rule(Name="order-stored-rule")
    assert "order-stored-rule" not in parts()
    events.enable_rule(Name="order-stored-rule")
    lambda_.delete_function(FunctionName="microservice-y")
    assert parts() == {"role", "order-stored-rule"}, "it points at nothing"
    grant("announce-orders", "events:PutEvents", "event-bus/default")
    assert parts() == {"role", "order-stored-rule", "announcement"}


def test_buses_of_the_lessons_are_seen_and_no_others(account):
    events = boto3.client("events")
    assert account_state.read().buses == ()
    for name in ("sample-orders-bus", "exercise-bus", "somebody-elses-bus"):
        events.create_event_bus(Name=name)
    try:
        assert account_state.read().buses == ("exercise-bus", "sample-orders-bus")
    finally:
        for name in ("sample-orders-bus", "exercise-bus", "somebody-elses-bus"):
            events.delete_event_bus(Name=name)


def grant(policy: str, action: str, resource: str) -> None:
    """Write a policy into the role."""
    statement = {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:{action.split(':')[0]}:*:*:*{resource}"}
    boto3.client("iam").put_role_policy(
        RoleName="microservice-role",
        PolicyName=policy,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def make_function(account, package: bytes, name: str = "sample-function") -> str:
    run(MAKE_ROLE)
    lambda_ = boto3.client("lambda")
    function = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.lambda_handler",
        Code={"ZipFile": package},
        Role=f"arn:aws:iam::{account.account_id}:role/microservice-role",
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    return function["FunctionArn"]


@pytest.fixture
def zip_of_nothing() -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def lambda_handler(event, context): pass")
    return buffer.getvalue()


def test_a_range_of_orders_is_there_when_every_one_is(account):
    wanted = ["orders:X-0001..X-0130"]
    assert account_state.missing(wanted, account_state.read()) == wanted
    run(MAKE_TABLE, MAKE_ORDERS)
    assert account_state.missing([*wanted, "order:X-0007"], account_state.read()) == []
    boto3.resource("dynamodb").Table("sample-table").delete_item(Key={"OrderId": "X-0117"})
    assert account_state.missing([*wanted, "order:X-0007"], account_state.read()) == wanted
    assert account_state.missing(["order:nobody's"], account_state.read()) == ["order:nobody's"]


@pytest.mark.parametrize("word, ids", [
    ("order:A-1", ["A-1"]),
    ("orders:X-0009..X-0011", ["X-0009", "X-0010", "X-0011"]),
    ("orders:X-1..Y-2", None),
    ("table", None),
])  # fmt: skip
def test_words_for_orders(word, ids):
    assert account_state.order_ids(word) == ids


def test_a_word_that_names_nothing_is_an_error():
    with pytest.raises(ValueError, match="'tabel' names no part"):
        account_state.missing(["tabel"], account_state.AccountState(frozenset()))


# --- catching up ---


def test_catching_up_executes_the_build_cells_that_are_needed_and_no_others(account, lessons, capsys):
    announced = []
    state = catch_up("06_look", lessons, announced.append)
    assert announced == ["01_role", "02_table", "05_orders"]
    assert state.has("role", "policies", "table")
    assert account_state.missing(["orders:X-0001..X-0130"], state) == []
    assert capsys.readouterr().out == ""

    announced.clear()
    boto3.client("dynamodb").delete_table(TableName="sample-table")
    catch_up("06_look", lessons, announced.append)
    assert announced == ["02_table", "05_orders"]

    announced.clear()
    catch_up("06_look", lessons, announced.append)
    assert announced == []


def test_only_earlier_lessons_are_executed(account, lessons):
    announced = []
    assert catch_up("02_table", lessons, announced.append).parts == {"role", "policies"}
    assert announced == ["01_role"]
    assert catch_up("00_start", lessons, announced.append).parts == {"role", "policies"}


def test_a_failing_build_cell_is_named_in_one_line(account, lessons):
    write_lesson(lessons, "02_table", ["table"], ["x = 1", "raise KeyError('first line\\nsecond line')"])
    with pytest.raises(WorkbookError) as caught:
        catch_up("06_look", lessons, print)
    message = str(caught.value)
    assert "\n" not in message
    assert "02_table, cell " in message and "KeyError" in message and "run it from the top" in message


def test_lessons_do_not_see_each_others_names(account, lessons):
    write_lesson(lessons, "02_table", ["table"], ["iam.list_roles()"])
    with pytest.raises(WorkbookError, match="NameError: name 'iam' is not defined"):
        catch_up("06_look", lessons, print)


def test_a_lesson_that_does_not_provide_what_it_says_is_reported(account, lessons, monkeypatch):
    monkeypatch.setattr(catching_up, "OTHERS_NEED", 0)
    write_lesson(lessons, "02_table", ["table"], ["pass"])
    with pytest.raises(WorkbookError, match="ran 02_table, but this is still missing: table"):
        catch_up("06_look", lessons, print)


def test_what_another_kernel_is_still_building_is_waited_for(account, lessons, monkeypatch):
    """Two that build the same lesson deploy over one another: what the slower one undoes, it also makes."""
    looks = []

    def pause(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            exec(MAKE_TABLE)

    monkeypatch.setattr(catching_up.time, "sleep", pause)
    write_lesson(lessons, "02_table", ["table"], ["pass"])
    assert catch_up("03_later", lessons, lambda name: None).has("table")
    assert len(looks) == 2


def test_two_lessons_that_begin_at_once_build_one_after_the_other(account, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    inside: list[str] = []
    other = threading.Thread(target=workbook.begin, args=(LESSON_00,))
    monkeypatch.setattr(workbook, "build_what_is_missing", lambda lesson, *_, **__: inside.append(lesson))
    with record.alone("catching-up", "nobody else is there", print):
        other.start()
        assert eventually(lambda: "Another lesson is building" in capsys.readouterr().out)
        assert inside == []
    other.join()
    assert inside == [LESSON_00]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"metadata": {}, "cells": 3}', "\x00"])
def test_a_broken_notebook_is_reported(account, lessons, content):
    (lessons / "02_table.ipynb").write_text(content)
    with pytest.raises(WorkbookError, match="git checkout -- notebooks/02_table.ipynb"):
        catch_up("06_look", lessons, print)


def test_copies_and_checkpoints_are_no_lessons(lessons):
    write_lesson(lessons, "02_table-Copy1", [], [])
    write_lesson(lessons, "Untitled", [], [])
    assert [path.stem for path in lesson_files(lessons)] == list(LESSONS)


# --- begin() ---


@pytest.fixture
def shell(account, lessons, monkeypatch):
    """This process as a fresh kernel of a learner: it has lessons, but has not called begin() yet."""
    monkeypatch.setattr(workbook, "NOTEBOOKS", lessons)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before, folder = dict(os.environ), Path.cwd()
    for name in account.environment():
        os.environ.pop(name, None)
    yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)


def shown(text: str) -> str:
    """What stays of a stream when carriage returns have done their work."""
    return "\n".join(line.rpartition("\r")[2] for line in text.split("\n"))


def test_begin_says_the_same_from_cold_and_afterwards(shell, capsys):
    workbook.begin("06_look")
    cold = capsys.readouterr().out
    workbook.begin("06_look")
    warm = capsys.readouterr().out
    assert "Catching up: 01_role …" in cold and "Catching up" not in warm
    assert shown(cold) == shown(warm) == warm
    assert warm.splitlines()[:2] == [
        "Local AWS, account 123456789012, region us-east-1. Nothing here costs money.",
        "In the account: role microservice-role, its policies, table sample-table. "
        "Not there: function sample-function, rule sample-rule, its target, permission to invoke.",
    ]


def test_what_announces_a_lesson_is_covered_by_the_headline(shell, capsys):
    workbook.begin("06_look")
    first_line = capsys.readouterr().out.partition("\n")[0]
    *transient, headline = first_line.split("\r")
    assert transient and {len(text) for text in transient} == {len(headline)}


def test_begin_leaves_no_way_to_another_account(shell, account):
    strays = {
        "AWS_PROFILE": "mine",
        "AWS_SESSION_TOKEN": "mine",
        "AWS_ACCESS_KEY_ID": "mine",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://192.0.2.1",
        "AWS_ROLE_ARN": "mine",
        "NO_PROXY": "example.org",
        "HTTP_PROXY": "http://192.0.2.1:3128",
    }
    boto3.setup_default_session(aws_access_key_id="mine", aws_secret_access_key="mine")
    os.environ.update(strays)
    workbook.begin("00_start")
    given = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert given == account.environment() | connection.RETRIES
    assert os.environ["NO_PROXY"] == "example.org,127.0.0.1"
    assert boto3.client("sts").get_caller_identity()["Account"] == account.account_id


def test_begin_can_leave_the_account_as_it_is_and_does_not_show_it(shell, capsys):
    workbook.begin("06_look", catch_up=False)
    assert parts() == set()
    assert capsys.readouterr().out.split("\n")[1:] == [""]


def test_begin_makes_the_folder_of_the_lessons_the_working_directory(shell, lessons, tmp_path_factory):
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    workbook.begin("00_start")
    assert Path.cwd() == lessons.resolve()
    assert last_lesson.remembered() == "00_start"


def test_begin_remembers_what_was_built_and_by_whom(shell, lessons, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path_factory.mktemp("home")))
    write_lesson(lessons, "99_clean_up", [], [])
    for lesson in ("00_start", "01_role"):
        workbook.begin(lesson)
    run(MAKE_ROLE, ATTACH)
    workbook.begin("02_table")  # and the learner runs no more than its setup cell
    today = {last_lesson.BUILT: record.today()}
    assert last_lesson.begun(LESSONS) == {"00_start": {}, "01_role": today, "02_table": {}}
    workbook.begin("06_look")
    known = last_lesson.begun(LESSONS)
    assert known["02_table"] == {last_lesson.CAUGHT_UP: record.today()} and "05_orders" not in known
    workbook.begin("02_table")
    workbook.begin("99_clean_up", catch_up=False)
    assert last_lesson.begun(LESSONS)["02_table"] == today, "before anything is deleted"


@pytest.fixture
def copies(tmp_path_factory, monkeypatch) -> Callable[[str], Path]:
    """copies("a") -> a folder of that name with handler.py, and the lesson 00_start in its `notebooks`."""
    root = tmp_path_factory.mktemp("copies")
    monkeypatch.setenv("WORKBOOK_MY_LESSONS", str(root / "my-lessons"))
    monkeypatch.delitem(sys.modules, "handler", raising=False)

    def make(name: str) -> Path:
        (root / name / "notebooks").mkdir(parents=True)
        (root / name / "notebooks" / "00_start.ipynb").touch()
        (root / name / "handler.py").write_text(f"WHOSE = {name!r}\n")
        return root / name

    return make


def test_a_lesson_is_worked_on_where_its_kernel_started(shell, copies):
    copies("my-lessons")
    here = copies("another") / "notebooks"
    os.chdir(here)
    workbook.begin("00_start")
    assert Path.cwd() == here.resolve()
    import handler

    assert handler.WHOSE == "another" and Path("../handler.py").read_text() == "WHOSE = 'another'\n"


def test_helpers_that_are_not_those_beside_the_lesson_are_named(shell, copies, capsys):
    """As on a JupyterHub without PYTHONPATH: the account would be another folder's."""
    mine = copies("another")
    os.chdir(mine / "notebooks")
    workbook.begin("00_start")
    assert "This kernel uses" not in capsys.readouterr().out
    (mine / "helpers").mkdir()
    (mine / "helpers" / "workbook.py").touch()
    workbook.begin("00_start")
    [line] = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("This kernel uses the helpers in")
    ]
    assert str(PROJECT) in line and line.endswith(f"set PYTHONPATH to {mine} before Jupyter starts.")


def test_elsewhere_it_is_worked_on_in_the_learners_own_copy(shell, copies, tmp_path_factory):
    mine = copies("my-lessons") / "notebooks"
    handed_in = tmp_path_factory.mktemp("submission")  # as nbgrader has it: the lesson alone, and no handler.py above
    (handed_in / "00_start.ipynb").touch()
    for elsewhere in (handed_in, tmp_path_factory.mktemp("elsewhere")):
        os.chdir(elsewhere)
        workbook.begin("00_start")
        assert Path.cwd() == mine.resolve()
    import handler

    assert handler.WHOSE == "my-lessons"
    assert len([path for path in sys.path if path == str(mine.parent)]) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let a folder go that is in use")
def test_a_folder_that_was_moved_while_its_kernel_ran(tmp_path, monkeypatch):
    (tmp_path / "moved").mkdir()
    monkeypatch.chdir(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").rmdir()
    monkeypatch.setenv("WORKBOOK_MY_LESSONS", str(tmp_path))
    assert workbook.folder_of("05_send_events") == NOTEBOOKS
    assert function_code.handler_file().is_file()


def test_a_copy_without_the_lesson_is_passed_over(shell, copies, lessons, tmp_path_factory):
    (copies("my-lessons") / "notebooks" / "00_start.ipynb").unlink()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    workbook.begin("00_start")
    assert Path.cwd() == lessons.resolve()


@pytest.mark.parametrize("own", ["changed", "as released", "unreadable"])
def test_what_fails_in_catching_up_may_be_the_learners_own_handler(shell, lessons, copies, own):
    mine = copies("my-lessons")
    released = (mine / "handler.py").read_text()
    if own == "changed":
        (mine / "handler.py").write_text("def lambda_handler(")
    elif own == "unreadable":
        (mine / "handler.py").write_bytes(b"# \xff")
    (lessons.parent / "handler.py").write_text(released)
    write_lesson(lessons, "02_table", ["table"], ["raise ValueError('no order came')"])
    os.chdir(mine / "notebooks")
    write_lesson(mine / "notebooks", "06_look", [], [])
    with pytest.raises(WorkbookError, match="Catching up failed in 02_table") as caught:
        workbook.begin("06_look")
    assert ("Your handler.py was deployed, and it has changes" in str(caught.value)) is (own != "as released")
    assert "\n" not in str(caught.value)


def test_catching_up_runs_the_released_cells_in_the_learners_folder(shell, lessons, copies):
    """What a learner has half changed is not run for another lesson; handler.py is the learner's all the same."""
    mine = copies("my-lessons") / "notebooks"
    write_lesson(mine, "01_role", ["role", "policies"], ["raise SystemExit('half changed')"])
    write_lesson(mine, "06_look", [], [])
    find_out = "from pathlib import Path; Path('found.txt').write_text(Path('../handler.py').read_text())"
    write_lesson(lessons, "01_role", ["role", "policies"], [MAKE_ROLE, ATTACH, find_out])
    os.chdir(mine)
    workbook.begin("06_look")
    assert (mine / "found.txt").read_text() == "WHOSE = 'my-lessons'\n"


def test_picture_shows_the_account_as_it_is_now(shell):
    workbook.begin("00_start")
    before = workbook.picture().svg()
    run(MAKE_TABLE)
    assert "table sample-table" in str(workbook.picture()).split("Not there")[0]
    assert workbook.picture().svg() != before


def test_an_unknown_lesson_is_refused_with_the_names_of_all(shell):
    with pytest.raises(WorkbookError, match="no lesson '07_dance'. The lessons are: 00_start, 01_role,"):
        workbook.begin("07_dance")


def test_an_embedded_aws_that_cannot_start_is_reported(shell, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("LOCAL_AWS_HOME", str(blocked / "home"))
    with pytest.raises(WorkbookError, match="LOCAL_AWS_HOME"):
        workbook.begin("00_start")


def test_a_notebook_shows_errors_in_one_line_and_starts_the_embedded_aws(tmp_path):
    """In a real kernel, with the lessons of the project: what a learner sees."""
    first = lesson_files(workbook.NOTEBOOKS)[0].stem
    notebook = new_notebook()
    notebook.cells = [
        new_code_cell("from helpers import workbook"),
        new_code_cell("workbook.begin('nonsense')", metadata={"tags": ["raises-exception"]}),
        new_code_cell(f"workbook.begin({first!r})"),
    ]
    with isolated(tmp_path):
        assert lifecycle.status() is None
        _, refused, begun = execute(notebook, tmp_path).cells
        assert lifecycle.stop() is True
    [error] = refused.outputs
    assert len(error.traceback) == 1 and error.traceback[0].startswith("WorkbookError: There is no lesson")
    stream, picture = begun.outputs
    assert stream.text.count("\n") == 1, "the words of the picture are its alternative text alone"
    assert picture.data["text/html"].startswith("<img ") and "Not there: " in picture.data["text/plain"]
