"""What is wrong with an account is named in one line, with the lesson that puts it right, and repaired when asked."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from helpers import waiting, workbook
from helpers.account import function_code, function_log, health, role_policies
from helpers.account import state as account_state
from helpers.account.answers import Answers
from helpers.account.state import ARCHIVE, DEAD_LETTER_QUEUE, FAILURE_QUEUE, FUNCTION, ROLE, RULE, TABLE
from helpers.account.troubles import ABSENT, KINDS, facts_of
from helpers.authoring.isolation import throw_away_account
from helpers.errors import WorkbookError
from helpers.lessons import catch_up, diagnosis, repairs, sections
from helpers.paths import NOTEBOOKS, PROJECT
from tests.support.embedded_aws import table_request, zip_of

LESSON = "12_measure_load_and_cost"  # all that lessons 1 to 11 build is there
LESSONS_PERMISSION = "sample-rule-invokes-sample-function"
HANDLER = (PROJECT / "handler.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    before, folder = dict(os.environ), Path.cwd()
    with throw_away_account():
        workbook.begin(LESSON)
        yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None
    waiting.what_is_wrong = str


@pytest.fixture
def learner(server) -> Iterator[None]:
    """This process as a kernel in lesson 12, in an account in which all is well, and is so again afterwards."""
    assert health.read().findings == ()
    yield
    repairs.repair(LESSON, NOTEBOOKS, lambda line: None)


def deploy(files: dict[str, str], **settings: object) -> None:
    lambda_ = boto3.client("lambda")
    lambda_.update_function_code(FunctionName=FUNCTION, ZipFile=zip_of(files))
    configure(**settings)


def configure(**settings: object) -> None:
    lambda_ = boto3.client("lambda")
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.05})
    if settings:
        lambda_.update_function_configuration(FunctionName=FUNCTION, **settings)
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.05})


def invoke(payload: str = "{}") -> None:
    boto3.client("lambda").invoke(FunctionName=FUNCTION, Payload=payload)


def trust_another() -> None:
    principal = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    boto3.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=document)


def allow(policy: str, action: str, resource: str, effect: str = "Allow") -> None:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("iam").put_role_policy(RoleName=ROLE, PolicyName=policy, PolicyDocument=document)


def detach_logs() -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    boto3.client("iam").detach_role_policy(RoleName=ROLE, PolicyArn=arn)


def another_key() -> None:
    dynamodb = boto3.client("dynamodb")
    dynamodb.delete_table(TableName=TABLE)
    dynamodb.create_table(**table_request(TABLE, {"Id": "N"}))


def fail_at_start() -> None:
    deploy({"handler.py": f"import requests_that_nobody_has\n{HANDLER}"})
    invoke()


def time_out() -> None:
    deploy({"handler.py": "import time\ndef lambda_handler(event, context): time.sleep(60)"}, Timeout=1)
    invoke()


def put_rule(**pattern: object) -> None:
    boto3.client("events").put_rule(Name=RULE, EventPattern=json.dumps(pattern))


def target(arn: str) -> None:
    boto3.client("events").put_targets(Rule=RULE, Targets=[{"Id": FUNCTION, "Arn": arn}])


def queue_arn(name: str) -> str:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def delete_queue(name: str) -> None:
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])


def permit_another_rule() -> None:
    lambda_, rule = boto3.client("lambda"), boto3.client("events").describe_rule(Name=RULE)["Arn"]
    statement = {"FunctionName": FUNCTION, "StatementId": LESSONS_PERMISSION}
    lambda_.remove_permission(**statement)
    lambda_.add_permission(
        **statement, Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
        SourceArn=rule.replace(RULE, "orders-rule"),
    )  # fmt: skip


def another_table() -> None:
    boto3.client("dynamodb").create_table(**table_request("order-archive"))
    configure(Environment={"Variables": {"TABLE_NAME": "order-archive"}})


def another_role() -> None:
    iam = boto3.client("iam")
    trust = json.dumps(iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"])
    configure(Role=iam.create_role(RoleName="another-role", AssumeRolePolicyDocument=trust)["Role"]["Arn"])


#: Kind of trouble: how a learner gets there, what is said, and the lesson that puts it right.
MISTAKES: dict[str, tuple[Callable[[], object], str, str]] = {
    "trust": (trust_another, "does not let Lambda assume it", "01"),
    "may not store, narrowly": (
        lambda: allow("store-orders", "dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/sample-table/*"),
        "may not put items into sample-table: its policy store-orders allows something else", "11",
    ),
    "denied": (
        lambda: allow("guard", "dynamodb:Put*", "*", "Deny"), "its policy guard denies it. Take that policy away", "01",
    ),
    "may not log": (detach_logs, "microservice-role may not write logs", "01"),
    "wrong key": (another_key, "sample-table has the key Id (number), and orders need OrderId, a string", "02"),
    "syntax error": (
        lambda: deploy({"handler.py": "import json\ndef lambda_handler(event, context:\n"}),
        "sample-function does not run: SyntaxError in handler.py, line 2: '(' was never closed", "03",
    ),
    "no handler file": (
        lambda: deploy({"app.py": HANDLER}),
        "its package has no handler.py, which its handler handler.lambda_handler names", "03",
    ),
    "no handler function": (
        lambda: configure(Handler="handler.lambda_handle"),
        "its handler handler.lambda_handle names a function lambda_handle, and handler.py has none", "03",
    ),
    "bad handler": (lambda: configure(Handler="handler"), "its handler handler is not of the form", "03"),
    "does not start": (
        fail_at_start, "does not run: Runtime.ImportModuleError: Unable to import module 'handler': No module", "03",
    ),
    "no role": (another_role, "sample-function runs as another-role, not as microservice-role", "03"),
    "no such table": (
        lambda: configure(Environment={"Variables": {"TABLE_NAME": "sample-tabel"}}),
        "sample-function stores orders in sample-tabel, as its TABLE_NAME says, and there is no such table", "03",
    ),
    "another table": (another_table, "in order-archive, as its TABLE_NAME says, not in sample-table", "03"),
    "may not run": (
        lambda: boto3.client("lambda").put_function_concurrency(
            FunctionName=FUNCTION, ReservedConcurrentExecutions=0
        ), "may not run at all: its reserved concurrency is 0", "08",
    ),
    "failures: no queue": (
        lambda: delete_queue(FAILURE_QUEUE), "what failed to sample-function-failures, and there is no such", "08",
    ),
    "disabled": (lambda: boto3.client("events").disable_rule(Name=RULE), "sample-rule is disabled", "07"),
    "no pattern": (
        lambda: boto3.client("events").put_rule(Name=RULE, ScheduleExpression="rate(1 day)", EventPattern=""),
        "sample-rule has no event pattern", "07",
    ),
    "pattern": (
        lambda: put_rule(**{"source": ["microservice_x"], "detail-type": ["OrderPlased"]}),
        "sample-rule does not match the lessons' orders: detail-type differs in its pattern", "07",
    ),
    "target": (
        lambda: target(queue_arn("exercise-elsewhere")),
        "sample-rule has exercise-elsewhere as its target, not sample-function", "08",
    ),
    "permission": (
        permit_another_rule, "sample-rule may not invoke sample-function: the permission is for rule orders-rule", "04",
    ),
    "dead letters: no queue": (
        lambda: delete_queue(DEAD_LETTER_QUEUE), "what it cannot deliver in sample-rule-dlq, and there is no", "08",
    ),
}  # fmt: skip


#: Of each part of the service one, where not all are played; the permission is lost and repaired in a test of its own.
QUICK = {"trust", "wrong key", "syntax error", "no such table", "disabled"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.deep) for kind in MISTAKES]
)
def test_a_mistake_is_named_shown_and_repaired(learner, kind, capsys):
    play, words, lesson = MISTAKES[kind]
    play()
    state = health.read()
    finding = next((each for each in state.findings if each.kind == kind), None)
    assert finding, state.findings
    assert state.troubles[KINDS[kind].part], "the picture shows it"

    workbook.begin(LESSON)
    said = capsys.readouterr().out.splitlines()
    if not KINDS[kind].keeps:  # nothing of the learner's is in its place: to begin is to build what is missing
        assert diagnosis.line(finding, LESSON).split(", section")[0].endswith(f"esson {int(lesson)}")
        assert health.read().findings == ()
        return
    [line] = [line for line in said if words in line]
    assert line.startswith("✗ ") and f"esson {int(lesson)}, section " in line
    assert any("workbook.repair()" in line for line in said), said
    assert any(each.kind == kind for each in health.read().findings), "repaired unasked"

    workbook.repair()
    assert capsys.readouterr().out.endswith("Now all is as the lessons need it.\n")
    state = health.read()
    assert (state.findings, state.troubles) == ((), {})
    assert not account_state.missing(provided(), state)


def provided() -> list[str]:
    paths = catch_up.lesson_files(NOTEBOOKS)
    return [part for path in paths if path.stem < LESSON for part in catch_up.read_lesson(path).provides]


def test_every_kind_is_played_here_or_below():
    elsewhere = {"may not store", "cut off", "not active", "other code", *ABSENT.values()}
    assert set(KINDS) == set(MISTAKES) | elsewhere


def test_a_role_without_a_policy_for_the_table(learner):
    boto3.client("iam").delete_role_policy(RoleName=ROLE, PolicyName="store-orders")
    [finding] = health.read().findings
    assert finding.kind == "may not store"


def test_the_log_of_the_released_handler_is_read_only_when_something_does_not_come(learner):
    configure(Timeout=1, MemorySize=128)
    deploy({"handler.py": "import time\ndef lambda_handler(event, context): time.sleep(60)"})
    invoke()
    answers = Answers(account_state.kept_clients())
    state = account_state.read(answers)
    answers.once = lambda look, what: {"handler.py": HANDLER.encode()}  # as if that had been the code
    assert health.examined(state, answers).findings == ()
    assert [each.kind for each in health.examined(state, answers, thorough=True).findings] == ["cut off"]


def test_what_need_not_be_wrong_is_no_trouble_of_the_picture(learner):
    time_out()
    state = health.read(thorough=True)
    assert state.troubles == {}
    [finding] = state.findings
    assert "was cut off the last time: Task timed out after 1.00 seconds" in diagnosis.line(finding, LESSON)
    assert diagnosis.worth_saying(state, "03_create_the_function") == [finding], "and it can be repaired"
    deploy({"handler.py": "def lambda_handler(event, context): return {}"}, Timeout=10)
    state = health.read()
    assert state.troubles == {}
    assert [each.kind for each in state.findings] == ["other code"]
    assert diagnosis.worth_saying(state, "03_create_the_function") == [], "there the code is still being written"
    assert [each.kind for each in diagnosis.worth_saying(state, LESSON)] == ["other code"]


def test_a_failure_before_the_last_change_is_no_longer_one(learner):
    fail_at_start()
    assert "does not start" in {each.kind for each in health.read().findings}
    deploy({"handler.py": HANDLER})
    assert health.read().findings == ()


def test_what_a_function_raises_for_one_event_is_no_trouble(learner):
    invoke(json.dumps({"body": {"OrderId": "H-1"}}))
    assert health.read().findings == ()


def test_code_of_more_than_one_file_is_read_as_far_as_it_is_imported(learner):
    """As lesson 10 deploys it."""
    deploy({"announce.py": "from handler import *", "handler.py": HANDLER, "unused.py": "def ("})
    configure(Handler="announce.lambda_handler")
    assert health.read().findings == ()
    deploy({"announce.py": "import handler\nlambda_handler = 1", "handler.py": "def ("})
    [finding] = health.read().findings
    assert finding.facts["file"] == "handler.py"


def packed(content: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as package:
        package.writestr("handler.py", content)
    return bytearray(buffer.getvalue())


def damaged(package: bytearray) -> bytearray:
    package[45:60] = b"\xff" * 15  # in the compressed content
    return package


def encrypted(package: bytearray) -> bytearray:
    package[package.index(b"PK\x01\x02") + 8] |= 1  # as its flags say
    return package


@pytest.mark.parametrize("package", [
    packed(b"0" * 5_000_000), damaged(packed(b"x = 1\n" * 99)), damaged(packed(b"x = 1\n" * 99, zipfile.ZIP_BZIP2)),
    damaged(packed(b"x = 1\n" * 99, zipfile.ZIP_LZMA)), encrypted(packed(b"x = 1")), packed(b"x = 1")[:40], b"",
])  # fmt: skip
def test_a_package_that_cannot_be_read_is_none(package, monkeypatch):
    monkeypatch.setattr(function_code.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(package))
    assert function_code.fetch("http://127.0.0.1/package") is None


@pytest.mark.parametrize("source", ["x = " + "-" * 100_000 + "1", "x = a" + ".b" * 20_000, "x = 1" + "+1" * 20_000])
def test_nothing_is_said_of_code_too_deep_for_python(source):
    files = {"handler.py": f"{source}\ndef lambda_handler(event, context): ...\n".encode()}
    assert function_code.fault(files, "handler.lambda_handler") is None


@pytest.mark.parametrize("pattern", [
    {"source": [{"prefix": ""}]},
    {"source": ["microservice_x"]},
    {"source": ["microservice_x"], "detail": {"body": {"OrderId": [{"exists": True}]}}},
])  # fmt: skip
def test_every_pattern_that_wants_the_orders_will_do(learner, pattern):
    put_rule(**pattern)
    assert health.read().findings == ()


# --- repairing ---


def test_repairing_says_each_step_and_brings_the_orders_back(learner, capsys):
    another_key()
    workbook.repair()
    assert capsys.readouterr().out.splitlines() == [
        "✗ sample-table has the key Id (number), and orders need OrderId, a string.",
        "→ delete sample-table, with all that is in it",
        "→ run the cells of lesson 2 that build",
        "→ run the cells of lesson 5 that build",
        "Now all is as the lessons need it.",
    ]
    assert not account_state.missing(["orders:X-0001..X-0200"], health.read())


def test_the_text_of_a_policy_that_repairing_takes_away_is_shown(learner, capsys):
    """It may be a learner's own, and nobody else has it."""
    iam = boto3.client("iam")
    allow("mine", "dynamodb:PutItem", "*", effect="Deny")
    trust_another()
    inline = iam.get_role_policy(RoleName=ROLE, PolicyName="mine")["PolicyDocument"]
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    workbook.repair()
    said = capsys.readouterr().out.splitlines()
    assert [json.loads(line.removeprefix("  It was: ")) for line in said if "It was" in line] == [trust, inline]


def test_permissions_for_rules_of_the_learners_own_stay(learner):
    lambda_, events = boto3.client("lambda"), boto3.client("events")
    mine = events.put_rule(Name="my-own-rule", EventPattern='{"source": ["me"]}')["RuleArn"]
    lambda_.add_permission(
        FunctionName=FUNCTION, StatementId="mine", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
        SourceArn=mine,
    )  # fmt: skip
    try:
        for lose in (permit_another_rule, forbid_all_but_mine):
            lose()
            assert [finding.kind for finding in health.read().findings] == ["permission"]
            workbook.repair()
            assert health.read().findings == ()
            policy = json.loads(lambda_.get_policy(FunctionName=FUNCTION)["Policy"])
            assert {statement["Sid"] for statement in policy["Statement"]} == {"mine", LESSONS_PERMISSION}
    finally:
        lambda_.remove_permission(FunctionName=FUNCTION, StatementId="mine")
        events.delete_rule(Name="my-own-rule")


def forbid_all_but_mine() -> None:
    boto3.client("lambda").remove_permission(FunctionName=FUNCTION, StatementId=LESSONS_PERMISSION)


def test_where_nothing_is_wrong_nothing_is_repaired(learner, capsys):
    before = boto3.client("lambda").get_function_configuration(FunctionName=FUNCTION)["RevisionId"]
    workbook.repair()
    assert capsys.readouterr().out == "Now all is as the lessons need it.\n"
    assert boto3.client("lambda").get_function_configuration(FunctionName=FUNCTION)["RevisionId"] == before


def test_a_handler_that_is_broken_itself_is_not_deployed_again(learner, tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "handler.py").write_text("import json\nx = = 1\n")
    deploy({"handler.py": "x = = 1"})
    monkeypatch.chdir(tmp_path / "notebooks")
    findings = diagnosis.worth_saying(health.read(), LESSON)
    assert "line 2: invalid syntax" in repairs.refusal(findings, LESSON)
    with pytest.raises(WorkbookError, match=r"Nothing was repaired. Your handler.py itself .* line 2: .*original back"):
        workbook.repair()
    assert health.read().troubles == {"function": "syntax error"}
    monkeypatch.chdir(NOTEBOOKS)


def test_nothing_is_built_on_what_does_not_work(learner):
    boto3.client("events").delete_archive(ArchiveName=ARCHIVE)
    deploy({"handler.py": "def ("})
    built: list[str] = []
    state = catch_up.catch_up(LESSON, NOTEBOOKS, built.append)
    assert built == [] and state.troubles == {"function": "syntax error"}, "lesson 9 would wait for the function"


def test_before_a_lesson_nothing_is_repaired(learner, monkeypatch):
    monkeypatch.delenv("WORKBOOK_LESSON")
    with pytest.raises(WorkbookError, match="No lesson has begun here"):
        workbook.repair()


# --- what a wait says in the end ---


def test_a_wait_in_vain_says_what_is_wrong(learner):
    boto3.client("lambda").remove_permission(FunctionName=FUNCTION, StatementId="sample-rule-invokes-sample-function")
    with pytest.raises(WorkbookError) as caught:
        waiting.wait_until(lambda: False, waiting_for="R-2", timeout=0.01)
    assert str(caught.value).startswith(
        "Waited 0.01 s for R-2, and it did not happen. What is wrong: sample-rule may not invoke sample-function. "
        "Lesson 4, section "
    )
    assert "gives the permission." in str(caught.value)


def test_a_wait_in_vain_in_a_healthy_account_blames_nothing(learner):
    with pytest.raises(WorkbookError, match=r"^Waited 0.01 s for R-2, and it did not happen\. More"):
        waiting.wait_until(lambda: False, waiting_for="R-2", timeout=0.01)


def test_what_a_lesson_began_with_ends_a_wait_until_it_is_put_right(learner):
    assert not diagnosis.persists(health.read(), LESSON)(), "a healthy account gives no reason"
    deploy({"handler.py": "def ("})
    still_there = diagnosis.persists(health.read(), LESSON)
    assert still_there()
    deploy({"handler.py": (PROJECT / "handler.py").read_text(encoding="utf-8")})
    assert not still_there()
    boto3.client("events").disable_rule(Name="sample-rule")
    assert not still_there(), "what came later may be meant"


# --- the table of troubles, and where it leads ---


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_leads_to_a_numbered_section(kind):
    cell = sections.makes(KINDS[kind].made_by, LESSON)
    assert cell and cell.section.removeprefix("section ").isdigit()
    assert KINDS[kind].part in account_state.PARTS
    assert len(KINDS[kind].label.split()) <= 5
    assert not {"part", "where"} & facts_of(kind)


def test_a_lesson_names_what_stands_before_it():
    rule = r"put_rule\("
    assert [sections.makes(rule, each).lesson[:2] for each in ("04_", "05_", "07_", "08_", "")] == [
        "04", "04", "04", "07", "04",
    ]  # fmt: skip


# --- reading ---


def test_each_question_is_asked_once_and_nothing_is_changed(learner):
    asked: list[tuple[str, str]] = []

    def client(service: str) -> object:
        made = boto3.client(service)
        made.meta.events.register(
            "provide-client-params.*.*", lambda params, model, **_: asked.append((model.name, repr(params)))
        )
        return made

    known: dict[str, object] = {}
    health.read(lambda service: known.setdefault(service, client(service)))
    assert len(asked) == len(set(asked)) > 10
    assert not [name for name, _ in asked if not name.startswith(("Get", "Describe", "List", "Test"))]


def test_what_aws_does_not_tell_is_no_finding(learner):
    class Silent(Answers):
        def get(self, service: str, operation: str, **arguments: object) -> dict:
            return {}

    assert health.examined(account_state.read(), Silent(account_state.kept_clients())).findings == ()


@pytest.mark.parametrize("lines, words", [
    (["START", "[ERROR] Runtime.ImportModuleError: No module named 'x'\nTraceback",
      "REPORT RequestId: 1\tStatus: error\tError Type: Runtime.ImportModuleError"],
     "Runtime.ImportModuleError: No module named 'x'"),
    (["REPORT RequestId: 1\tStatus: error\tError Type: Runtime.OutOfMemory\t"],
     "Runtime.OutOfMemory: it used up its memory"),
    (["2026-11-23T12:00:00.000Z 1 Task timed out after 3.00 seconds", "REPORT RequestId: 1\tStatus: timeout"],
     "Task timed out after 3.00 seconds"),
    (['[ERROR] KeyError: \'A\'\nTraceback\n  File "/var/task/handler.py", line 3, in <module>'],
     "KeyError: 'A' (line 3, when the module is imported)"),
    (['[ERROR] KeyError: \'A\'\nTraceback\n  File "/var/task/handler.py", line 3, in lambda_handler'], ""),
    (["REPORT RequestId: 1\tDuration: 2 ms"], ""),
])  # fmt: skip
def test_failures_in_a_log(lines, words):
    assert function_log.failure(lines) == words


def test_only_the_newest_invocation_counts():
    lines = [
        "[ERROR] Runtime.X: y",
        "REPORT RequestId: 1\tStatus: error\tError Type: Runtime.X",
        "START",
        "REPORT fine",
    ]
    assert function_log.failure(function_log.last_invocation(lines)) == ""
    assert function_log.failure(function_log.last_invocation(lines[:3])) == "Runtime.X: y"


TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/sample-table"


@pytest.mark.parametrize("statements, verdict", [
    ([{"Effect": "Allow", "Action": "dynamodb:putitem", "Resource": TABLE_ARN}], ""),
    ([{"Effect": "Allow", "Action": ["dynamodb:Get*", "dynamodb:P?tItem"], "Resource": ["*"]}], ""),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], ""),
    ([{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}], None),
    ([{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": f"{TABLE_ARN}/*"}], None),
    ([{"Effect": "Allow", "Action": "*", "Resource": "*"},
      {"Effect": "Deny", "Action": "dynamodb:PutItem", "NotResource": "arn:aws:s3:::*"}], "p"),
    ([{"Effect": "Allow", "Action": "*", "Resource": "*"},
      {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], ""),
])  # fmt: skip
def test_what_a_role_may(statements, verdict):
    class Role(Answers):
        def get(self, service: str, operation: str, **arguments: object) -> dict:
            return {"PolicyNames": ["p"], "PolicyDocument": {"Statement": statements}}

    assert role_policies.verdict(Role(lambda service: None), ROLE, "dynamodb:PutItem", TABLE_ARN) == verdict
