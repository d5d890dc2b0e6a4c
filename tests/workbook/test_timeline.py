"""The way of an event: what it says of each fate, that it changes nothing, and that everybody can read it."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator

import boto3
import pytest

from helpers.account.state import DEAD_LETTER_QUEUE, FAILURE_QUEUE, FUNCTION, RULE, TABLE
from helpers.errors import WorkbookError
from helpers.paths import PROJECT
from helpers.pictures import palette
from helpers.target.connection import connect_to
from helpers.timeline import Timeline, follow
from helpers.timeline.model import Lane, Row, State, Station, Trace
from helpers.timeline.picture import MARKS, WIDE, WIDTH
from tests.support.async_aws import account
from tests.support.embedded_aws import Aws, table_request, zip_of
from tests.support.polling import eventually
from tests.support.svg import SVG, image

ORDER = {"OrderId": "A-1", "Item": "desk-lamp", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
UNKNOWN = "00000000-0000-0000-0000-000000000000"
HANDLER = (PROJECT / "handler.py").read_text(encoding="utf-8")
#: The first attempt of an environment finds no table, the next one does.
FIRST_TABLE_MISSING = """
TABLE_NAMES, store_there = ["no-such-table", TABLE_NAME], store

def store(item):
    global TABLE_NAME
    TABLE_NAME = TABLE_NAMES.pop(0)
    store_there(item)
"""
LABELS = """
import json

def lambda_handler(event, context):
    print(json.dumps({"eventId": event["id"], "label": "Express"}))
"""

STORED = """\
✓ Order A-1 is stored.
✓ event bus default: accepted
└─ ✓ rule sample-rule: matches
   └─ ✓ Lambda function sample-function: done
      ├─ ✓ attempt 1: stored
      └─ ✓ DynamoDB table sample-table: holds it"""
LOST = """\
✗ Order B-2 failed 3 times and is lost: no queue keeps it.
  Amount must be a number of at most 38 digits, not 'twelve'
✓ event bus default: accepted
└─ ✓ rule sample-rule: matches
   └─ ✗ Lambda function sample-function: failed
      ├─ ✗ attempt 1: invalid
      ├─ ✗ attempt 2: invalid
      ├─ ✗ attempt 3: invalid
      ├─ ○ DynamoDB table sample-table: not reached
      └─ ✗ on-failure queue none: lost"""
PARKED = """\
✗ Order S-4 failed 3 times and waits in sample-function-failures.
  Amount must be a number of at most 38 digits, not '12,90'
✓ event bus default: accepted
└─ ✓ rule sample-rule: matches
   └─ ✗ Lambda function sample-function: failed
      ├─ ✗ attempt 1: invalid
      ├─ ✗ attempt 2: invalid
      ├─ ✗ attempt 3: invalid
      ├─ ○ DynamoDB table sample-table: not reached
      └─ … on-failure queue sample-function-failures: keeps it"""
UNDELIVERED = """\
✗ Order S-5 was not delivered and waits in sample-rule-dlq.
  EventBridge may not invoke the function: NO_PERMISSIONS.
✓ event bus default: accepted
└─ ✓ rule sample-rule: matches
   ├─ ○ Lambda function sample-function: not reached
   │  └─ ○ DynamoDB table sample-table: not reached
   └─ … dead-letter queue sample-rule-dlq: keeps it"""
UNWANTED = """\
✗ No rule matches: nobody gets this event, and nothing keeps it.
✓ event bus default: accepted
└─ ✗ rule sample-rule: no match
   ├─ ✗ source: differs
   ├─ ✗ detail-type: differs
   └─ ○ Lambda function: not reached
      └─ ○ DynamoDB table: not reached"""
TWO = """\
✓ Order Y-8 was handled by 2 functions.
✓ event bus default: accepted
├─ ✓ rule order-placed-rule: matches
│  └─ ✓ Lambda function microservice-y: done
│     └─ ✓ attempt 1: logged
└─ ✓ rule sample-rule: matches
   └─ ✓ Lambda function sample-function: done
      ├─ ✓ attempt 1: stored
      └─ ✓ DynamoDB table sample-table: holds it"""


class Shop:
    """The service of the lessons in an account with short waits, and ways to break it."""

    def __init__(self, aws: Aws) -> None:
        self.events, self.sqs, self.lambda_ = boto3.client("events"), boto3.client("sqs"), boto3.client("lambda")
        self.role = aws.role()
        boto3.client("iam").attach_role_policy(
            RoleName=self.role.rpartition("/")[2], PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess"
        )
        boto3.client("dynamodb").create_table(**table_request(TABLE))
        self.function = self.make(FUNCTION, HANDLER)
        self.connect(RULE, {"source": ["microservice_x"], "detail-type": ["OrderPlaced"]}, self.function)

    def make(self, name: str, source: str) -> str:
        arn = self.lambda_.create_function(
            FunctionName=name, Runtime="python3.13", Role=self.role, Handler="handler.lambda_handler", Timeout=60,
            Code={"ZipFile": zip_of({"handler.py": source})},
        )["FunctionArn"]  # fmt: skip
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return arn

    def connect(self, rule: str, pattern: dict, target: str, **settings: object) -> None:
        arn = self.events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
        self.events.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": target, **settings}])
        self.allow(rule, target, arn)

    def allow(self, rule: str, target: str, arn: str) -> None:
        self.lambda_.add_permission(
            FunctionName=target, StatementId=rule, Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com", SourceArn=arn,
        )  # fmt: skip

    def disconnect(self, rule: str) -> None:
        self.events.remove_targets(Rule=rule, Ids=["t"])
        self.events.delete_rule(Name=rule)

    def queue(self, name: str) -> tuple[str, str]:
        """A queue that takes what EventBridge sends: (URL, ARN)."""
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, arn

    def send(self, order: dict | None = None, **entry: str) -> tuple[str, dict]:
        entry = {
            "Source": "microservice_x", "DetailType": "OrderPlaced",
            "Detail": json.dumps({"body": ORDER if order is None else order}),
        } | entry  # fmt: skip
        return self.events.put_events(Entries=[entry])["Entries"][0]["EventId"], entry

    def use_code(self, source: str) -> None:
        self.lambda_.update_function_code(FunctionName=FUNCTION, ZipFile=zip_of({"handler.py": source}))
        self.lambda_.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 0.02})

    def delete_item(self, order_id: str) -> None:
        boto3.client("dynamodb").delete_item(TableName=TABLE, Key={"OrderId": {"S": order_id}})

    def visible(self, url: str) -> list[str]:
        """The messages of a queue that anybody may take at this moment, by the event that they are about."""
        found = []
        take = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60}
        while more := self.sqs.receive_message(**take).get("Messages"):
            bodies = [json.loads(message["Body"]) for message in more]
            found += [body.get("requestPayload", body)["id"] if isinstance(body, dict) else "" for body in bodies]
        return found

    def nets(self) -> Iterator[tuple[str, str]]:
        """Both queues of lesson 8: the URLs, dead letters first. Afterwards they are gone."""
        letters, letters_arn = self.queue(DEAD_LETTER_QUEUE)
        failures, failures_arn = self.queue(FAILURE_QUEUE)
        target = {"Id": "t", "Arn": self.function}
        self.events.put_targets(Rule=RULE, Targets=[target | {"DeadLetterConfig": {"Arn": letters_arn}}])
        self.lambda_.put_function_event_invoke_config(
            FunctionName=FUNCTION, DestinationConfig={"OnFailure": {"Destination": failures_arn}}
        )
        yield letters, failures
        self.lambda_.delete_function_event_invoke_config(FunctionName=FUNCTION)
        self.events.put_targets(Rule=RULE, Targets=[target])
        for url in (letters, failures):
            self.sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Iterator[Shop]:
    before = dict(os.environ)
    with account(tmp_path_factory.mktemp("shop"), 0.002) as aws:
        connect_to(aws.account)
        yield Shop(aws)
    os.environ.clear()
    os.environ.update(before)
    boto3.setup_default_session()


@pytest.fixture
def nets(shop) -> Iterator[tuple[str, str]]:
    yield from shop.nets()


def settled(event_id: str, until: Callable[[Timeline], object], entry: dict | None = None) -> Timeline:
    """The way of an event once `until` holds for it."""

    def look() -> Timeline | None:
        seen = follow(event_id, entry)
        return seen if until(seen) else None

    return eventually(look, "the end of the way")


def is_over(seen: Timeline) -> bool:
    return seen.trace.state not in (State.WAITING, State.UNKNOWN)


def is_parked(seen: Timeline) -> bool:
    return " waits in " in seen.trace.verdict


# --- what became of an event ---


def test_an_order_that_is_stored(shop):
    event_id, entry = shop.send()
    assert str(settled(event_id, is_over)) == STORED
    assert str(follow(event_id, entry)) == STORED, "the entry adds nothing where the log tells"
    shop.delete_item("A-1")
    seen = follow(event_id)
    assert "table sample-table: gone since" in str(seen)
    assert seen.trace.verdict == "Order A-1 was stored, and is gone since."


def test_an_order_whose_id_has_characters_that_nobody_sees(shop):
    event_id, _ = shop.send(ORDER | {"OrderId": "A\x1b[31m\n\u202e1"})
    seen = settled(event_id, is_over)
    assert seen.trace.verdict == r"Order A\x1b[31m\n\u202e1 is stored."
    assert len(str(seen).splitlines()) == len(STORED.splitlines())


def test_an_order_whose_id_is_no_text(shop):
    event_id, _ = shop.send(ORDER | {"OrderId": "A\ud83d"})
    seen = settled(event_id, is_over)
    assert seen.trace.verdict.endswith(" failed 3 times and is lost: no queue keeps it.")
    assert seen.trace.cause == "OrderId must be text of 1 to 2048 bytes, not 'A\\ud83d'"
    str(seen).encode()
    image(seen._repr_mimebundle_()["text/html"])


def test_an_order_that_fails_and_is_tried_again(shop):
    event_id, _ = shop.send(ORDER | {"OrderId": "B-2", "Amount": "twelve"})
    texts = []
    seen = settled(event_id, lambda seen: texts.append(str(seen)) or is_over(seen))
    assert str(seen) == LOST
    before = [text for text in texts if "will try again" in text]
    assert all("attempt" in text and "… Lambda function sample-function: waiting" in text for text in before)


def test_an_order_that_comes_through_at_a_later_attempt(shop):
    shop.use_code(HANDLER + FIRST_TABLE_MISSING)
    event_id, _ = shop.send(ORDER | {"OrderId": "C-3"})
    seen = settled(event_id, is_over)
    shop.use_code(HANDLER)
    assert seen.trace.verdict == "Order C-3 is stored at attempt 2."
    assert "✗ attempt 1: failed" in str(seen) and "attempt 2: " in str(seen)


def test_an_order_that_waits_in_the_functions_queue(shop, nets):
    event_id, _ = shop.send(ORDER | {"OrderId": "S-4", "Amount": "12,90"})
    seen = settled(event_id, is_parked)
    assert str(seen) == PARKED
    assert shop.visible(nets[1]) == [event_id], "reading has taken the message out of the queue"


def test_an_order_that_could_not_be_delivered(shop, nets):
    arn = shop.events.describe_rule(Name=RULE)["Arn"]
    shop.lambda_.remove_permission(FunctionName=FUNCTION, StatementId=RULE)
    event_id, _ = shop.send(ORDER | {"OrderId": "S-5"})
    seen = settled(event_id, is_parked)
    shop.allow(RULE, shop.function, arn)
    assert str(seen) == UNDELIVERED
    assert shop.visible(nets[0]) == [event_id]


def test_a_function_that_may_not_run_at_all(shop, nets):
    shop.lambda_.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    event_id, _ = shop.send(ORDER | {"OrderId": "S-6"})
    seen = settled(event_id, is_parked)
    shop.lambda_.delete_function_concurrency(FunctionName=FUNCTION)
    assert seen.trace.verdict == f"Order S-6 was not tried and waits in {FAILURE_QUEUE}."
    assert seen.trace.cause == "The function may not run at all: ZeroReservedConcurrency."
    assert "✗ Lambda function sample-function: no attempt" in str(seen)


def test_a_message_among_many_is_found_and_all_stay(shop, nets):
    for number in range(24):
        shop.sqs.send_message(QueueUrl=nets[1], MessageBody=str(number))
    event_id, _ = shop.send(ORDER | {"OrderId": "S-7", "Amount": "12,90"})
    assert " waits in " in settled(event_id, is_parked).trace.verdict
    assert len(shop.visible(nets[1])) == 25


def test_an_event_that_no_rule_wants(shop):
    event_id, entry = shop.send(Source="order_store", DetailType="OrderStored")
    assert str(follow(event_id, entry)) == UNWANTED
    shop.connect("other-rule", {"source": ["nobody"]}, shop.function)
    try:
        words = str(follow(event_id, entry))
    finally:
        shop.disconnect("other-rule")
    assert "✗ rule 2 rules: no match\n   ├─ ✗ other-rule: no match\n   ├─ ✗ sample-rule: no match\n" in words


def test_an_id_without_a_trace(shop):
    seen = follow(UNKNOWN)
    assert seen.trace.state is State.UNKNOWN
    assert seen.trace.verdict.startswith("No trace of this event") and "follow(event_id, entry)" in seen.trace.cause
    assert seen.trace.verdict in seen.svg() and seen.trace.cause[-20:] in seen.svg(), "nothing is cut off"


def test_a_function_that_fails_before_it_logs_the_id(shop):
    shop.use_code("lambda_handler = lambda event, context: event['nothing']")
    event_id, entry = shop.send(ORDER | {"OrderId": "F-9"})
    seen, unknown = follow(event_id, entry), follow(event_id)
    shop.use_code(HANDLER)
    settled(shop.send(ORDER | {"OrderId": "F-10"})[0], is_over)
    assert seen.trace.state is State.WAITING and "fails before it logs the event's id" in seen.trace.cause
    assert "failed before it logged the id" in unknown.trace.cause


def test_one_event_for_two_functions(shop):
    function = shop.make("microservice-y", LABELS)
    shop.connect("order-placed-rule", {"detail-type": ["OrderPlaced"]}, function)
    try:
        event_id, _ = shop.send(ORDER | {"OrderId": "Y-8"})
        seen = settled(event_id, lambda seen: len(seen.trace.lanes) == 2 and is_over(seen))
    finally:
        shop.disconnect("order-placed-rule")
    assert str(seen) == TWO


def test_an_event_that_somebody_sends_again(shop, nets):
    event_id, entry = shop.send(ORDER | {"OrderId": "S-9", "Amount": "9,5"})
    settled(event_id, is_parked)
    event = {"id": event_id, "source": "microservice_x", "detail": {"body": ORDER | {"OrderId": "S-9"}}}
    shop.lambda_.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=json.dumps(event))
    seen = settled(event_id, lambda seen: seen.trace.state is State.DONE)
    assert seen.trace.verdict == "Order S-9 is stored."  # what came later counts
    assert [bool(lane.rule) for lane in seen.trace.lanes] == [True, False]
    assert "on-failure queue sample-function-failures: keeps it" in str(seen)


@pytest.mark.parametrize("what", ["", None, 7, {}, 'no "id"', "x" * 101, ["x"]])
def test_what_cannot_be_an_id_is_refused(what):
    with pytest.raises(
        WorkbookError, match="is no event's id. Follow one that put_events answered, or its whole answer"
    ):
        follow(what)


@pytest.mark.parametrize("what, why", [
    ({"ErrorCode": "MalformedDetail"}, "did not accept this entry .MalformedDetail.: there is no event to follow"),
    ({"Entries": [{"ErrorCode": "ThrottlingException"}, {"ErrorCode": "InternalFailure"}]},
     "accepted none of these entries .InternalFailure, ThrottlingException.: there is no event"),
    ({"Entries": []}, "accepted none of these entries: there"),
    ({"Source": "x", "DetailType": "y", "Detail": "{}"}, "This is the entry that was sent"),
])  # fmt: skip
def test_what_names_no_event_is_refused_with_the_reason(what, why):
    with pytest.raises(WorkbookError, match=why):
        follow(what)


def test_an_answer_is_as_good_as_an_id(shop, capsys):
    event_id, entry = shop.send(ORDER | {"OrderId": "A-7"})
    settled(event_id, is_over)
    accepted, refused = {"EventId": event_id}, {"ErrorCode": "InternalFailure"}
    whole = {"FailedEntryCount": 1, "Entries": [refused, accepted]}
    assert str(follow(accepted)) == str(follow(whole)) == str(follow(whole, entry)) == str(follow(event_id))
    assert capsys.readouterr().out == ""
    follow({"Entries": [accepted, refused, {"EventId": UNKNOWN}]})
    assert capsys.readouterr().out == 'The first of 2 events. The next one: follow(answer["Entries"][2])\n'


# --- functions that do not run ---

SYNTAX = "Runtime.UserCodeSyntaxError: Syntax error in module 'handler': invalid syntax (handler.py, line 1)"


def test_a_function_that_does_not_start_is_named(shop):
    shop.use_code("x = = 1")
    event_id, entry = shop.send(ORDER | {"OrderId": "F-1"})
    seen, unknown = follow(event_id, entry), follow(event_id)
    shop.use_code(HANDLER)
    assert seen.trace.verdict == "sample-function has logged nothing about order F-1."
    assert seen.trace.cause == "sample-function does not run: SyntaxError in handler.py, line 1: invalid syntax."
    assert "✗ Lambda function sample-function: does not run" in str(seen)
    assert unknown.trace.cause == seen.trace.cause


def test_what_only_running_shows_is_read_from_the_log(shop):
    shop.use_code(f"import nobody_has_this\n{HANDLER}")
    event_id, entry = shop.send(ORDER | {"OrderId": "F-2"})
    seen = settled(event_id, lambda seen: "ImportModuleError" in seen.trace.cause, entry)
    shop.use_code(HANDLER)
    assert "Runtime.ImportModuleError: Unable to import module 'handler': No module named 'nobody" in seen.trace.cause


@pytest.mark.parametrize("source, cause, row", [
    ("x = = 1", SYNTAX, "did not start"),
    ("import os\ndef lambda_handler(event, context): os._exit(3)", "Runtime.ExitError: Runtime exited with error: exit "
     "status 3", "has exited"),
    ("def other(): pass", "Runtime.HandlerNotFound: Handler 'lambda_handler' missing on module 'handler'",
     "did not start"),
])  # fmt: skip
def test_the_parked_record_says_what_the_function_died_of(shop, nets, source, cause, row):
    shop.use_code(source)
    event_id, _ = shop.send(ORDER | {"OrderId": "F-3"})
    seen = settled(event_id, lambda seen: is_parked(seen) and str(seen).count(row) == 3)
    shop.use_code(HANDLER)
    assert seen.trace.cause == cause
    assert f"✗ attempt 3: {row}" in str(seen)


@pytest.mark.deep
def test_a_function_that_is_cut_off(shop, nets):
    shop.lambda_.update_function_configuration(FunctionName=FUNCTION, Timeout=1)
    shop.use_code("import time\ndef lambda_handler(event, context): time.sleep(60)")
    event_id, _ = shop.send(ORDER | {"OrderId": "F-4"})
    seen = settled(event_id, lambda seen: is_parked(seen) and str(seen).count("timed out") >= 4)
    shop.lambda_.update_function_configuration(FunctionName=FUNCTION, Timeout=60)
    shop.use_code(HANDLER)
    assert seen.trace.cause == "Task timed out after 1.00 seconds"
    assert "✗ attempt 3: timed out" in str(seen)


# --- the picture ---

# Ways that no account need have taken: every kind of station in every state, and names as long as AWS allows.
BUS = Station("event bus", "default", State.DONE, "accepted")
DIFFERS = Row("detail-type", State.FAILED, "differs")
MATCHES = Station("rule", "sample-rule", State.DONE, "matches")


def lanes_of(name: str, holds: str) -> Iterator[Lane]:
    """A lane for each state of a function, with queues below rule and function."""
    for state in State:
        rows = tuple(Row(f"attempt {number}", each) for number, each in enumerate(State, start=1))
        yield Lane(
            state, "", rule=Station("rule", name, state, "matches"),
            function=Station("Lambda function", name, state, rows=rows),
            table=Station("DynamoDB table", name, state, "holds it", holds=holds),
            dead_letters=Station("dead-letter queue", name, state, "keeps it", holds=holds),
            failures=Station("on-failure queue", name, state, "lost"),
        )  # fmt: skip


EVERYTHING = Trace(
    BUS,
    (
        Lane(State.DONE, "", rule=MATCHES, function=Station("Lambda function", "", State.UNKNOWN)),
        Lane(State.FAILED, "", rule=Station("rule", "r", State.FAILED, "no match", (DIFFERS,))),
        *lanes_of("sample", "A-1"),
    ),
    State.FAILED, "Order A-1 failed 3 times.", "Amount is missing.", "microservice_x · OrderPlaced",
)  # fmt: skip
LONG = Trace(
    BUS, tuple(lanes_of("name-" * 13, "order-" * 9)), State.FAILED, "A verdict. " * 8, "Reasons " * 60, "type" * 25
)


def drawing(way: Trace) -> ElementTree.Element:
    return ElementTree.fromstring(Timeline(way).svg())


def test_the_same_way_gives_the_same_characters(shop):
    """Another event, another day: no id and no time is in the picture."""
    ids = [shop.send(ORDER | {"OrderId": "A-10"})[0] for _ in range(2)]
    pictures = [settled(event_id, is_over).svg() for event_id in ids]
    assert pictures[0] == pictures[1]
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|20\d\d-|\d\d:\d\d", pictures[0])


def test_a_notebook_gets_an_image_and_its_words():
    way = Timeline(EVERYTHING)
    bundle = way._repr_mimebundle_()
    svg, alternative = image(bundle["text/html"])
    assert alternative == way.alternative() and bundle["text/plain"] == str(way)
    assert ElementTree.canonicalize(svg) == ElementTree.canonicalize(way.svg())


def test_what_one_hears_in_place_of_the_picture(shop):
    assert settled(shop.send()[0], is_over).alternative() == (
        "Order A-1 is stored. event bus default: accepted; rule sample-rule: matches; Lambda function sample-function: "
        "done; attempt 1: stored; DynamoDB table sample-table: holds it."
    )
    assert drawing(EVERYTHING).find(f"{SVG}desc").text == Timeline(EVERYTHING).alternative()


def test_its_words_are_in_the_picture_too():
    shown = [element.text for element in drawing(EVERYTHING).iter(f"{SVG}text")]
    assert EVERYTHING.verdict in shown and EVERYTHING.cause in shown
    assert {"accepted", "matches", "holds it", "keeps it", "lost", "not reached", "unknown"} <= set(shown)
    assert {"attempt 1", "waiting", "detail-type", "undelivered", "failed", "A-1"} <= set(shown)


def test_each_state_has_a_symbol_and_a_shape_of_its_own():
    """So nothing hangs on a colour."""
    assert len({state.symbol for state in State}) == len({state.word for state in State}) == len(State)
    assert len(set(MARKS.values())) == len(MARKS) == len(State)


def test_it_stands_on_an_opaque_sheet_that_fits_beside_the_file_list():
    """Light pages and dark ones show through nowhere."""
    root = drawing(EVERYTHING)
    width, height = int(root.get("width")), int(root.get("height"))
    assert width <= 930 and root.get("viewBox") == f"0 0 {width} {height:g}"
    sheet = root.find(f"{SVG}g").find(f"{SVG}rect")
    assert [float(sheet.get(side)) + 2 for side in ("width", "height")] == [width, height]
    assert sheet.get("fill") == palette.PAPER and not sheet.get("fill-opacity")


def test_it_can_be_read_from_the_last_row():
    sizes = {float(text.get("font-size")) for text in drawing(EVERYTHING).iter(f"{SVG}text")}
    assert min(sizes) >= 14


def test_texts_stay_on_the_sheet_and_names_in_their_cards():
    for way in (EVERYTHING, LONG):
        for text in drawing(way).iter(f"{SVG}text"):
            x, wide = float(text.get("x")), 0.52 * float(text.get("font-size")) * len(text.text)
            left = x - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor")]
            assert left > 8 and left + wide < WIDTH - 8, text.text
            assert text.get("text-anchor") != "middle" or wide <= WIDE, text.text


def test_nothing_in_an_event_can_break_the_picture():
    name = """<img src="x" onerror='alert(1)'>&#"""
    order = Station("DynamoDB table", name, State.DONE, "holds it", holds=name)
    lane = Lane(State.DONE, name, rule=MATCHES, function=order, table=order)
    way = Timeline(Trace(BUS, (lane,), State.DONE, name, name, name))
    assert "<img" not in way.svg()
    svg, alternative = image(way._repr_mimebundle_()["text/html"])
    assert name in alternative
    assert ElementTree.canonicalize(svg) == ElementTree.canonicalize(way.svg())


def test_what_cannot_be_shown_is_escaped():
    odd = "a\0\x1b\n\x85\u2028\u202e\ud83d\ufffe💡é"
    escaped = r"a\x00\x1b\n\x85\u2028\u202e\ud83d\ufffe💡é"
    order = Station("DynamoDB table", odd, State.DONE, "holds it", rows=(Row(odd, State.DONE, odd),), holds=odd)
    lane = Lane(State.DONE, odd, rule=MATCHES, function=order, table=order)
    way = Timeline(Trace(BUS, (lane,), State.DONE, odd, "first\r\n  second\a", odd))
    assert way.trace.verdict == escaped and way.trace.lanes[0].table.name == escaped
    for text in (str(way), way.alternative(), way.svg()):
        assert escaped in text and "first second\\x07" in text and "\N{REPLACEMENT CHARACTER}" not in text
        assert not {*odd[1:-2]} & {*text} - {"\n"}
    assert image(way._repr_mimebundle_()["text/html"])[1] == way.alternative()
