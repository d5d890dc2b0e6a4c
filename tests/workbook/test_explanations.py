"""What a kernel shows for the foreseeable mistakes of a learner, in this process; the deep tests use real kernels."""

from __future__ import annotations

import json
import linecache
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from matplotlib import font_manager

from helpers import waiting
from helpers.account.state import FUNCTION
from helpers.authoring.isolation import throw_away_account
from helpers.errors import WaitTimeout, WorkbookError
from helpers.lessons import explanations, kernel, sections
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS
from helpers.target.connection import connect_to
from tests.support.embedded_aws import table_request


@pytest.fixture
def lesson(monkeypatch) -> None:
    monkeypatch.setenv("WORKBOOK_LESSON", "05_send_events")


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    before = dict(os.environ)
    with throw_away_account() as made:
        connect_to(made)
        boto3.client("dynamodb").create_table(**table_request("sample-table"))
        yield
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


def shown(source: str, **names: object) -> list[str]:
    """The lines that a cell ends with, which is run here; none for an ordinary traceback."""
    file = f"<cell {abs(hash(source))}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    known = {"__name__": "__main__", "boto3": boto3, **names}
    try:
        exec(compile(source, file, "exec"), known)
    except (Exception, KeyboardInterrupt) as error:
        return explanations.lines(error, known)
    raise AssertionError("nothing was wrong")


# --- names ---


def test_a_name_of_a_skipped_cell(lesson):
    cell = sections.defining("log_lines", "05_send_events")
    first, second = shown("log_lines('x')")
    assert first.startswith(f"NameError: log_lines is not defined yet. A cell in {cell.section}, “")
    assert first.endswith("”, defines it.") and cell.heading.endswith(first.split("“")[1].split("”")[0])
    assert second == "Run the cells above this one first: Run → Run All Above Selected Cell."


def test_a_name_of_the_setup_cell(lesson):
    line, what_to_do = shown("del boto3; boto3.client('iam')")
    assert line == "NameError: boto3 is not defined yet: the setup cell has not run in this kernel."
    assert what_to_do.startswith("Run the setup cell")


def test_a_misspelled_name(lesson):
    assert shown("wait_untill()") == ["NameError: wait_untill is not defined. Did you mean wait_until?"]
    assert shown("my_valeu", my_value=1) == ["NameError: my_valeu is not defined. Did you mean my_value?"]


def test_a_name_that_means_nothing_to_us_keeps_its_traceback(lesson):
    assert shown("qqqqqq") == []
    assert shown("def f():\n  if 0: x = 1\n  x\nf()") == [], "of a function's own variable"


def test_a_name_where_no_lesson_has_begun(monkeypatch):
    monkeypatch.delenv("WORKBOOK_LESSON", raising=False)
    first, second = shown("sent")
    assert "no lesson has begun in this kernel" in first and "Run All Above Selected Cell" in second
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/my-lessons/notebooks/08_survive_failures.ipynb")
    assert "defined yet. A cell in section" in shown("sent")[0], "JupyterLab says which notebook the kernel is for"


@pytest.mark.parametrize("source", [
    "raise NameError('my own words')",
    "raise NameError(\"name 'log_lines' is a strange one\", name='log_lines')",
    "def f():\n  def g(): return sent\n  g()\n  sent = 1\nf()",
    "try:\n  1 / 0\nexcept ZeroDivisionError:\n  sent",
    "try:\n  1 / 0\nexcept ZeroDivisionError as error:\n  try:\n    sent\n  except NameError as another:\n"
    "    raise another from error",
    "exec(compile('sent', 'module.py', 'exec'), {'__name__': 'module'})",
    "raise ValueError('an ellipsis of my own')",
])  # fmt: skip
@pytest.mark.parametrize("begun", ["05_send_events", None])
def test_what_the_learner_wrote_and_what_came_before_it_is_not_hidden(source, begun, monkeypatch):
    monkeypatch.setenv("WORKBOOK_LESSON", begun or "")
    assert shown(source) == []


def test_a_cell_that_is_stopped_while_it_waits(lesson, capsys, monkeypatch):
    """Nobody asks for the way through what it called."""

    def stopped(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", stopped)
    source = "x = 1\nwaiting.wait_until(lambda: False, 'an order')"
    line = "KeyboardInterrupt: the cell was stopped in its line 2. Run it again when you like."
    assert shown(source, waiting=waiting) == [line]
    assert shown("def look():\n  waiting.holds_for(lambda: True, 'orders')\nlook()", waiting=waiting) == [line]
    assert capsys.readouterr().out == "Waiting for an order: stopped.\nWatching orders: stopped.\n"
    assert shown("raise KeyboardInterrupt") == [], "of the learner's own code all is shown"


def test_notes_of_an_error_are_shown(lesson):
    noted = shown("try:\n  log_lines\nexcept NameError as error:\n  error.add_note('my note')\n  raise")
    assert len(noted) == 3 and noted[-1] == "my note"


def test_no_cell_below_is_named_as_one_above(lesson):
    cells = [cell for cell in sections.cells() if cell.lesson == "05_send_events"]
    place = cells.index(sections.defining("log_lines", "05_send_events"))
    assert not sections.comes_first("log_lines()", cells[place])
    assert not sections.comes_first(cells[place + 1].source, cells[place])
    assert sections.comes_first(cells[place].source, cells[place])
    assert shown("log_lines") != [] and shown(f"log_lines\n{cells[0].source}") != []
    file, source = "<the cell itself>", cells[place].source
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    with pytest.raises(NameError) as caught:
        exec(compile("log_lines", file, "exec"), {"__name__": "__main__"})
    assert explanations.lines(caught.value, {}) == [], "the cell that defines it uses it first"


def test_a_misspelled_name_of_pythons_and_a_notebook_that_is_no_lesson(monkeypatch):
    monkeypatch.delenv("WORKBOOK_LESSON", raising=False)
    assert shown("pritn('x')") == ["NameError: pritn is not defined. Did you mean print?"]
    for opened, lines in (("scratch.ipynb", 0), ("05_send_events-Copy1.ipynb", 2)):
        monkeypatch.setenv("JPY_SESSION_NAME", f"/home/me/{opened}")
        assert len(shown("qqqqqq")) == lines


@pytest.mark.parametrize("path", lesson_files(NOTEBOOKS), ids=lambda path: path.stem)
def test_each_name_of_each_lesson_leads_to_a_cell(path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_LESSON", path.stem)
    names = sections.names(path.stem)
    assert {"boto3", "workbook"} <= names
    for name in names:
        first, second = explanations.lines(NameError(f"name {name!r} is not defined", name=name), {})
        assert name in first and "defined" in first and second.startswith("Run the ")


# --- gaps ---


@pytest.mark.parametrize("source", [
    "import json\njson.dumps({\n  'a': ...})",
    "a = 1\nb = (a\n  + ...)",
    "\n\n(...).upper()",
    "import boto3\n\nboto3.client('dynamodb').describe_table(TableName=...)",
    "import boto3\n\nboto3.client('lambda').invoke(FunctionName='x', Payload=...)",
])  # fmt: skip
def test_a_gap_that_is_left_open_is_named(account, lesson, source):
    assert shown(source) == ["There is still a ... in this cell, line 3: put your own value in its place."]


def test_several_gaps_and_one_that_nobody_sees(lesson):
    assert "lines 1 and 2: put" in shown("x = ...\ny = ...\nx + y")[0]
    assert shown("x + 1", x=...) == ["There is still a ... among the values: put your own value in its place."]


# --- AWS ---


@pytest.mark.parametrize("source, line", [
    ("boto3.client('dynamodb').describe_table(TableName='sample-tabel')",
     "There is no table sample-tabel in the account. Did you mean sample-table? (AWS: "),
    ("boto3.client('dynamodb').get_item(TableName='sample_table', Key={'OrderId': {'S': '1'}})",
     "There is no table sample_table in the account. Did you mean sample-table? (AWS: "),
    ("boto3.client('lambda').get_function(FunctionName='my-own')", "There is no function my-own in the account. (AWS"),
    ("boto3.client('lambda').get_function(FunctionName='sample-function')",
     "There is no function sample-function. Lesson 3, section "),
    ("boto3.client('events').describe_rule(Name='sample-rule')", "There is no rule sample-rule. Lesson 4, section "),
    ("boto3.client('events').list_rules(EventBusName='defualt')",
     "There is no event bus defualt in the account. Did you mean default?"),
    ("boto3.client('sqs').get_queue_url(QueueName='nobody')", "There is no queue nobody in the account."),
    ("boto3.client('iam').get_role(RoleName='nobody')", "There is no role nobody in the account."),
    ("boto3.client('dynamodb', region_name='eu-west-1').describe_table(TableName='sample-table')",
     "This client asks in eu-west-1, and the account of the lessons is in us-east-1: leave the region out, and AWS"),
    ("boto3.client('dynamodb', region_name='eu_west')", "There is no such region. The account of the lessons is in"),
    ("boto3.client('sts', aws_access_key_id='AKIAX', aws_secret_access_key='x').get_caller_identity()",
     "The account does not know the credentials of this client: the account is a new one, or "),
])  # fmt: skip
def test_what_aws_does_not_find(account, lesson, source, line):
    [said] = shown(source)
    assert said.startswith(line), said


@pytest.mark.parametrize("service, operation", [("lambda", "list_functions"), ("dynamodb", "list_tables")])
def test_a_region_that_is_misspelled(account, lesson, service, operation):
    [line] = shown(f"import boto3; boto3.client('{service}', region_name='us-esat-1').{operation}()")
    assert line.startswith("This client asks in us-esat-1, and the account of the lessons is in us-east-1: leave the")


@pytest.mark.parametrize("source, line", [
    ("client('events').put_rule(Name='new', EventBusName='orders', EventPattern='{}')",
     "There is no event bus orders in the account. (AWS"),
    ("client('events').describe_rule(Name='thier-rule', EventBusName='theirs')",
     "There is no rule thier-rule on event bus theirs. Did you mean their-rule?"),
    ("client('events').describe_rule(Name='sample-rule', EventBusName='theirs')",
     "There is no rule sample-rule on event bus theirs. (AWS"),
    ("client('lambda').invoke(FunctionName='nobodys:PROD')", "There is no function nobodys in the account."),
    ("client('lambda').invoke(FunctionName='arn:aws:lambda:us-east-1:123456789012:function:nobodys:7')",
     "There is no function nobodys in the account."),
    ("client('events').describe_connection(Name='mine')", None),  # no rule: AWS's own words say it
])  # fmt: skip
def test_what_is_missing_is_called_what_it_is(account, lesson, source, line):
    events = boto3.client("events")
    events.create_event_bus(Name="theirs")
    events.put_rule(Name="their-rule", EventBusName="theirs", EventPattern='{"source": ["me"]}')
    try:
        lines = shown(f"from boto3 import client\n{source}")
    finally:
        events.delete_rule(Name="their-rule", EventBusName="theirs")
        events.delete_event_bus(Name="theirs")
    assert [each.startswith(line) for each in lines] == [True] if line else lines == []


def test_a_region_that_a_variable_says(account, lesson, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    [line] = shown("boto3.session.Session().client('dynamodb').describe_table(TableName='sample-table')")
    assert line.startswith("This client asks in eu-central-1, and the account of the lessons is in us-east-1")


def test_the_server_has_ended_or_another_one_was_asked(account, lesson, monkeypatch):
    gone = "boto3.client('sts', endpoint_url='http://127.0.0.1:9').get_caller_identity()"
    [line] = shown(gone)
    assert line.startswith(
        "Nobody answers at http://127.0.0.1:9/, where this client asks; the account is at http://127"
    )
    assert "Run the cell that makes the client again" in line
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    [line] = shown(gone)
    assert line.startswith("The embedded AWS has ended. Run the setup cell: it starts it again")


def test_the_account_was_removed(account, lesson, monkeypatch, tmp_path):
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path / "forgotten"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    [line] = shown("boto3.client('sts').get_caller_identity()")
    assert "its account was removed. Run the setup cell: it begins a new account" in line
    assert "as it was" not in line


def test_no_lesson_has_begun(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    said = [
        shown(f"import boto3\nboto3.session.Session().client({client}).{call}")
        for client, call in [
            ("'dynamodb'", "list_tables()"),
            ("'sts', region_name='us-east-1'", "get_caller_identity()"),
        ]
    ]
    assert all(len(lines) == 1 and lines[0].startswith("No lesson has begun in this kernel") for lines in said), said


def test_what_a_lesson_shows_on_purpose_keeps_awss_words(account, lesson):
    with pytest.raises(ClientError) as caught:
        boto3.client("iam").create_role(RoleName="x y", AssumeRolePolicyDocument="{}")
    assert explanations.lines(caught.value, {}) == []
    assert explanations.lines(ZeroDivisionError("division by zero"), {}) == []
    assert explanations.lines(WorkbookError("one line"), {}) == []
    assert explanations.lines(WaitTimeout("one line"), {}) == []


def test_on_another_aws_its_own_words_come_behind(account, lesson, monkeypatch):
    monkeypatch.setenv("WORKBOOK_TARGET", "aws")
    error = ClientError({"Error": {"Code": "ExpiredToken", "Message": "It has expired"}}, "GetItem")
    [line] = explanations.lines(error, {})
    assert line.startswith("Your credentials have expired.") and "(AWS: " in line


def test_a_waiter_says_what_is_wrong(account, lesson):
    waiter = boto3.client("lambda").get_waiter("function_active_v2")
    with pytest.raises(BotoCoreError) as caught:
        waiter.wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    [line] = explanations.lines(caught.value, {})
    assert "What is wrong: There is no role microservice-role. Lesson 1, section " in line


# --- the kernel ---


class Shell:
    """As much of IPython's shell as the extension uses."""

    def __init__(self) -> None:
        self.user_ns: dict[str, object] = {}
        self.shown: list[object] = []

    def set_custom_exc(self, kinds: tuple[type[BaseException], ...], handler: object) -> None:
        self.handler, self.kinds = handler, kinds

    def showtraceback(self, error: tuple, tb_offset: int | None, running_compiled_code: bool) -> None:
        assert running_compiled_code, "or a SyntaxError of a module would not say who imports it"
        self.shown.append(str(error[1]) and error[0])

    def _showtraceback(self, kind: type, error: BaseException, lines: list[str]) -> None:
        self.shown.append(lines)


def test_an_error_that_cannot_be_explained_is_still_shown(lesson, monkeypatch, capsys):
    shell, error = Shell(), NameError("name 'log_lines' is not defined", name="log_lines")
    kernel.load_ipython_extension(shell)
    assert shell.kinds == (Exception, KeyboardInterrupt)
    assert shell.handler(shell, NameError, error, None) == shell.shown[-1] and len(shell.shown[-1]) == 2

    monkeypatch.setattr(explanations, "lines", lambda *_: 1 / 0)
    assert shell.handler(shell, NameError, error, None) is None
    assert shell.shown[-1] is NameError
    assert "could not be explained: ZeroDivisionError" in capsys.readouterr().err


def test_pythons_own_traceback_can_be_had_afterwards(lesson):
    shell, error = Shell(), NameError("name 'log_lines' is not defined", name="log_lines")
    kernel.load_ipython_extension(shell)
    assert shell.handler(shell, NameError, error, None), "shown in short"
    assert sys.last_value is error, "what %tb shows"


def test_an_error_without_a_text_takes_no_explanation_from_the_next(capsys):
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    shell = Shell()
    kernel.load_ipython_extension(shell)
    shell.handler(shell, Odd, Odd(), None)  # where it raises, IPython leaves it out from then on
    assert shell.shown == [[]] and "Odd" in capsys.readouterr().err


def test_the_first_chart_of_a_slow_machine_looks_like_all_others(monkeypatch, tmp_path):
    """matplotlib looks for the machine's fonts then, and says so on stderr after five seconds."""
    kernel.load_ipython_extension(Shell())
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    monkeypatch.setattr(font_manager._log, "handlers", [handler])
    monkeypatch.setattr(threading, "Timer", AtOnce)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [])
    font_manager.FontManager()
    assert AtOnce.calls == 1 and said == []
    font_manager._log.warning("another matter")
    assert said == ["another matter"]


class AtOnce:
    """A threading.Timer whose time has come."""

    calls = 0

    def __init__(self, seconds: float, act: Callable[[], object]) -> None:
        type(self).calls += 1
        act()

    def start(self) -> None:
        pass

    cancel = start


def test_kernels_of_the_environment_load_the_extension():
    config = json.loads((NOTEBOOKS.parent / "helpers/lab/ipython/ipython_kernel_config.json").read_text())
    assert config["InteractiveShellApp"]["extensions"] == [kernel.__name__]


def test_a_parameter_that_boto3_does_not_take(account, lesson):
    """The commonest slip: a policy as a dict. What boto3 says stands below pages of its own inside."""
    policy = '{"Version": "2012-10-17", "Statement": []}'
    [line] = shown(f"boto3.client('iam').create_role(RoleName='r', AssumeRolePolicyDocument={policy})")
    assert line.startswith(
        "boto3 has not asked AWS, because a parameter is not what the operation takes. Invalid type "
    )
    assert "AssumeRolePolicyDocument" in line and line.endswith("AWS wants that as text, in JSON: json.dumps(…)")
    [line] = shown("boto3.client('dynamodb').get_item(TableName='sample-table')")
    assert line.endswith('Missing required parameter in input: "Key"')
