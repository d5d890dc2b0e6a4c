"""Event patterns: what matches, what is refused and how, and that matching stays fast."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.event_patterns.complexity import MAX_COMPLEXITY, complexity
from helpers.local_aws.event_patterns.event_pattern import EventView, InvalidEventPattern, compile_pattern
from helpers.local_aws.events.event_routes import Routes
from tests.support import recorded
from tests.support.steps import steps

ENVELOPE = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "order",
    "source": "microservice_x",
    "account": "123456789012",
    "time": "2026-02-03T04:05:06Z",
    "region": "us-east-1",
    "resources": [],
}
ORDER = {
    "detail": {
        "Amount": 65.5,
        "Units": 3,
        "Item": "Pen/Blue",
        "IsMember": True,
        "Note": None,
        "Gift": False,
        "Empty": "",
        "Address": "10.1.2.3",
        "Address6": "2001:db8:0:0::1",
        "Tags": ["new", "sale"],
        "None": [],
        "Lines": [{"sku": "A", "n": 1}, {"sku": "B", "n": 2, "gift": True}],
    }
}


def detail(**fields: object) -> dict:
    return {"detail": fields}


MATCHES = {
    "exact": detail(Item=["Pen/Blue"]),
    "one of several": detail(Item=["Book", "Pen/Blue"]),
    "all fields": {"source": ["microservice_x"], "detail": {"Units": [3], "IsMember": [True]}},
    "null": detail(Note=[None]),
    "empty text": detail(Empty=[""]),
    "false": detail(Gift=[False]),
    "number written otherwise": detail(Amount=[65.50], Units=[3.0]),
    "account as text": {"account": ["123456789012"]},
    "prefix": detail(Item=[{"prefix": "Pen"}]),
    "empty prefix": detail(Item=[{"prefix": ""}]),
    "prefix, any case": detail(Item=[{"prefix": {"equals-ignore-case": "pEN"}}]),
    "suffix": detail(Item=[{"suffix": "Blue"}]),
    "suffix, any case": detail(Item=[{"suffix": {"equals-ignore-case": "BLUE"}}]),
    "any case": detail(Item=[{"equals-ignore-case": "pen/blue"}]),
    "exactly": detail(Item=[{"exactly": "Pen/Blue"}]),
    "wildcard": detail(Item=[{"wildcard": "P*/*e"}]),
    "wildcard for nothing": detail(Item=[{"wildcard": "*Pen/Blue*"}]),
    "anything-but text": detail(Item=[{"anything-but": "Book"}]),
    "anything-but texts": detail(Item=[{"anything-but": ["Book", "Pencil"]}]),
    "anything-but number": detail(Units=[{"anything-but": 4}]),
    "anything-but numbers of a text": detail(Item=[{"anything-but": [1, 2]}]),
    "anything-but text of null": detail(Note=[{"anything-but": "Book"}]),
    "anything-but prefix": detail(Item=[{"anything-but": {"prefix": "Book"}}]),
    "anything-but prefixes of a number": detail(Units=[{"anything-but": {"prefix": ["1", "3"]}}]),
    "anything-but suffix": detail(Item=[{"anything-but": {"suffix": ["Red", "Green"]}}]),
    "anything-but any case": detail(Item=[{"anything-but": {"equals-ignore-case": ["BOOK"]}}]),
    "anything-but wildcard": detail(Item=[{"anything-but": {"wildcard": "*/Red"}}]),
    "numeric range": detail(Amount=[{"numeric": [">", 65.4, "<=", 65.5]}]),
    "numeric equality": detail(Amount=[{"numeric": ["=", 6.55e1]}]),
    "numeric below": detail(Units=[{"numeric": ["<", 3.000001]}]),
    "cidr": detail(Address=[{"cidr": "10.1.2.0/24"}]),
    "cidr v6": detail(Address6=[{"cidr": "2001:db8::/64"}]),
    "the same address": detail(Address6=["2001:DB8::1"]),
    "exists": detail(Note=[{"exists": True}]),
    "does not exist": detail(Discount=[{"exists": False}]),
    "only leaves exist": {"detail": [{"exists": False}]},
    "or": {"detail": {"$or": [{"Units": [9]}, {"Item": [{"prefix": "Pen"}]}]}},
    "or beside and": {"source": ["microservice_x"], "$or": [{"region": ["x"]}, {"detail": {"Units": [3]}}]},
    "two ors": {
        "detail": {"$or": [{"Units": [3]}, {"Units": [4]}]},
        "$or": [{"id": ["x"]}, {"version": ["0"]}],
    },
    "or inside or": {"detail": {"$or": [{"Units": [9]}, {"$or": [{"Units": [8]}, {"Gift": [False]}]}]}},
    "value in a list": detail(Tags=["sale"]),
    "one element is not": detail(Tags=[{"anything-but": "sale"}]),
    "object in a list": detail(Lines={"sku": ["B"]}),
    "fields of one element": detail(Lines={"sku": ["B"], "n": [2], "gift": [True]}),
    "absent in the element chosen": detail(Lines={"a": [{"exists": False}], "sku": ["B"]}),
    "absent beside a match": {"detail": {"Lines": {"n": [1], "zzz": [{"exists": False}]}}},
    "absent in this element only": {"detail": {"Lines": {"n": [1], "sku": ["A"], "zip": [{"exists": False}]}}},
    "a dot is a step": {"detail.Item": ["Pen/Blue"]},
    "the last of two with the same name": '{"detail": {"Units": [9], "Units": [3]}}',
}

MISSES = {
    "other case": detail(Item=["pen/blue"]),
    "absent": detail(Discount=["x"]),
    "null is not absent": detail(Note=[{"exists": False}]),
    "null is not empty": detail(Note=[""]),
    "text is not a number": detail(Item=[{"numeric": [">", 0]}]),
    "number is not a text": detail(Units=["3"]),
    "true is not 1": detail(IsMember=[1]),
    "1 is not true": detail(Lines={"n": [True]}),
    "one of the fields": {"source": ["microservice_x"], "detail": {"Units": [4]}},
    "prefix": detail(Item=[{"prefix": "pen"}]),
    "suffix": detail(Item=[{"suffix": "Pen"}]),
    "prefix of a number": detail(Units=[{"prefix": "3"}]),
    "wildcard": detail(Item=[{"wildcard": "P*n"}]),
    "empty wildcard": detail(Item=[{"wildcard": ""}]),
    "wildcard does not overlap": detail(Item=[{"wildcard": "Pen/B*Blue"}]),
    "escaped asterisk": detail(Item=[{"wildcard": "Pen\\*"}]),
    "anything-but": detail(Item=[{"anything-but": "Pen/Blue"}]),
    "anything-but the number": detail(Units=[{"anything-but": [3, 4]}]),
    "anything-but absent": detail(Discount=[{"anything-but": "x"}]),
    "anything-but wildcard": detail(Item=[{"anything-but": {"wildcard": ["*/Red", "*/Blue"]}}]),
    "open bound": detail(Units=[{"numeric": [">", 3]}]),
    "numeric of true": detail(IsMember=[{"numeric": ["=", 1]}]),
    "cidr": detail(Address=[{"cidr": "10.1.3.0/24"}]),
    "cidr of a text": detail(Item=[{"cidr": "0.0.0.0/0"}]),
    "cidr begins where it says": detail(Address=[{"cidr": "10.1.2.4/24"}]),
    "v6 is not v4": detail(Address=[{"cidr": "::/0"}]),
    "objects do not exist": {"detail": [{"exists": True}]},
    "empty lists do not exist": detail(**{"None": [{"exists": True}]}),
    "or": {"detail": {"$or": [{"Units": [9]}, {"Item": [{"prefix": "pen"}]}]}},
    "or overrides": {"detail": {"Units": [3], "$or": [{"Units": [9]}, {"Units": [8]}]}},
    "fields of two elements": detail(Lines={"sku": ["A"], "n": [2]}),
    "absent, but there": detail(Lines={"gift": [{"exists": False}], "zzz": [{"exists": True}]}),
    "list of one value": detail(Tags=["old"]),
}


def text(pattern: object) -> str:
    return pattern if isinstance(pattern, str) else json.dumps(pattern)


@pytest.mark.parametrize("name", MATCHES)
def test_matches(name: str) -> None:
    assert compile_pattern(text(MATCHES[name])).matches(ENVELOPE | ORDER)


@pytest.mark.parametrize("name", MISSES)
def test_does_not_match(name: str) -> None:
    assert not compile_pattern(text(MISSES[name])).matches(ENVELOPE | ORDER)


@pytest.mark.parametrize("name", [name for name in MATCHES if '"exists"' not in text(MATCHES[name])])
def test_a_field_that_is_not_there_matches_nothing(name: str) -> None:
    assert not compile_pattern(text(MATCHES[name])).matches({"detail": {}})


def test_numbers_compare_exactly_to_six_digits() -> None:
    pattern = compile_pattern('{"detail": {"x": [{"numeric": ["=", 0.3]}]}}')
    assert pattern.matches(detail(x=Decimal("0.300000")))
    assert not pattern.matches(detail(x=Decimal("0.300001")))
    assert pattern.matches(detail(x=Decimal("0.30000099999999999999999999999999999")))
    assert compile_pattern('{"detail": {"x": [0.1]}}').matches(detail(x=0.1))


def test_numbers_out_of_range_compare_as_they_are_written() -> None:
    pattern = compile_pattern('{"account": [123456789012, 1e300]}')
    assert pattern.matches({"account": 123456789012})
    assert not pattern.matches({"account": 123456789013})
    assert pattern.matches({"account": Decimal("1e300")})
    assert not compile_pattern('{"x": [{"numeric": [">", 0]}]}').matches({"x": 5_000_000_001})


def test_a_name_with_a_dot_is_found_as_steps_and_the_other_way_round() -> None:
    pattern = compile_pattern('{"detail": {"a": {"b.c": ["x"]}}}')
    for event in ({"a": {"b": {"c": "x"}}}, {"a.b.c": "x"}, {"a.b": {"c": "x"}}, {"a": {"b.c": "x"}}):
        assert pattern.matches({"detail": event})


def test_fields_in_different_arrays_are_chosen_independently() -> None:
    pattern = compile_pattern('{"a": {"x": [1], "y": [2]}, "b": {"x": [3]}}')
    assert pattern.matches({"a": [{"x": 1}, {"x": 1, "y": 2}], "b": [{"x": 0}, {"x": 3}]})
    assert not pattern.matches({"a": [{"x": 1}, {"y": 2}], "b": [{"x": 3}]})


def test_fields_in_arrays_of_arrays_share_the_outer_element_and_the_inner() -> None:
    pattern = compile_pattern('{"orders": {"id": ["o2"], "lines": {"sku": ["B"], "n": [2]}}}')
    lines = [{"sku": "B", "n": 1}, {"sku": "B", "n": 2}]
    assert pattern.matches({"orders": [{"id": "o1", "lines": []}, {"id": "o2", "lines": lines}]})
    assert not pattern.matches({"orders": [{"id": "o1", "lines": lines}, {"id": "o2", "lines": lines[:1]}]})


REFUSED = {
    "[]": "Filter is not an object",
    "{}": "Empty objects are not allowed",
    '{"a": {}}': "Empty objects are not allowed",
    '{"a": []}': "Empty arrays are not allowed",
    '{"a": 1}': '"a" must be an object or an array',
    '{"a": "b"}': '"a" must be an object or an array',
    '{"a": [[1]]}': "Match value must be String, number, true, false, or null",
    '{"a": [{}]}': "Match expression name not found",
    '{"a": [{"Prefix": "b"}]}': "Unrecognized match type Prefix",
    '{"a": [{"prefix": 1}]}': "prefix match pattern must be a string",
    '{"a": [{"prefix": {"suffix": "b"}}]}': "Unsupported prefix pattern: suffix",
    '{"a": [{"prefix": "b", "suffix": "c"}]}': "Only one key allowed in match expression",
    '{"a": [{"exists": 1}]}': "exists match pattern must be either true or false.",
    '{"a": [{"wildcard": "a**"}]}': "Consecutive wildcard characters at pos 2",
    '{"a": [{"wildcard": "é\\\\x"}]}': "Invalid escape character at pos 3",
    '{"a": [{"numeric": 1}]}': "Value of numeric must be an array.",
    '{"a": [{"numeric": [1]}]}': "Invalid member in numeric match: 1",
    '{"a": [{"numeric": ["!", 1]}]}': "Unrecognized numeric range operator: !",
    '{"a": [{"numeric": ["=", "1"]}]}': "Value of equals must be numeric",
    '{"a": [{"numeric": ["<", 1, ">", 0]}]}': "Too many elements in numeric expression",
    '{"a": [{"numeric": [">", 1, 2]}]}': "Bad value in numeric range: 2",
    '{"a": [{"numeric": [">", 1, "<", 2, 3]}]}': "Too many terms in numeric range expression",
    '{"a": [{"numeric": [">", 2, "<", 2]}]}': "Bottom must be less than top",
    '{"a": [{"numeric": [">", 5000000001]}]}': "Value must be between -5.0E9 and 5.0E9, inclusive",
    '{"a": [{"cidr": "10.0.0.0/32"}]}': "IPv4 mask bits must be < 32",
    '{"a": [{"cidr": "10.0.0.256/8"}]}': "Invalid IP address: 10.0.0.256",
    '{"a": [{"cidr": "10.0.0.0/-1"}]}': "Malformed CIDR, mask bits must not be negative",
    '{"a": [{"anything-but": [1, "b"]}]}': "Inside anything but list, "
    "either all values are number or string, mixed type is not supported",
    '{"a": [{"anything-but": {"numeric": 1}}]}': "Unsupported anything-but pattern: numeric",
    '{"a": [{"anything-but": {"suffix": ""}}]}': "Null prefix/suffix not allowed",
    '{"$or": {"a": [1]}}': "It must be an Array followed with $or.",
    '{"$or": [{"a": [1]}]}': "There must have at least 2 Objects in $or relationship.",
    '{"$or": [{"a": [1]}, 2]}': "Only JSON object is allowed in array of $or relationship.",
    '{"$or": [{"prefix": [1]}, {"a": [1]}]}': "prefix is Ruler reserved fieldName which cannot be used inside $or.",
    '{"a": [1}': "Unexpected close marker '}': expected ']'",
    '{"a": [1 2]}': "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
    '{"a" [1]}': "Unexpected character ('[' (code 91)): was expecting a colon to separate field name and value",
    '{"a": [1]} 2': "Unexpected character ('2' (code 50)): expected the end of the pattern",
    '{"a": [1]': "Unexpected end-of-input: expected close marker for Object",
    '{"a': "Unexpected end-of-input: was expecting closing quote for a string value",
    '{"a": [NaN]}': "Unrecognized token 'NaN': "
    "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
}


@pytest.mark.parametrize("pattern", REFUSED)
def test_refuses(pattern: str) -> None:
    with pytest.raises(InvalidEventPattern) as caught:
        compile_pattern(pattern)
    assert caught.value.message.split("\n")[0] == REFUSED[pattern]


def test_says_where_a_pattern_is_wrong() -> None:
    with pytest.raises(InvalidEventPattern) as caught:
        compile_pattern('{\n  "source": ["a"],\n  "detail": 5\n}')
    assert caught.value.message.endswith("; line: 3, column: 14]")


def test_refuses_deep_nesting_and_endless_combinations() -> None:
    with pytest.raises(InvalidEventPattern):
        compile_pattern('{"a":' * 5000 + "1" + "}" * 5000)
    two = {"$or": [{"a": [1]}, {"b": [2]}]}
    with pytest.raises(InvalidEventPattern, match="1000"):
        compile_pattern(json.dumps({f"f{number}": two for number in range(10)}))


@pytest.mark.parametrize(
    ("wildcards", "expected"),
    [(["plain"], 1), (["*"], 2), (["a*"], 2), (["*a*a*"], 5), (["*/x/*.y", "*/x/*.z"], 8)],
)
def test_complexity_counts_the_prefixes_that_one_value_can_match(wildcards: list[str], expected: int) -> None:
    assert complexity(wildcards) == expected


def test_the_wildcards_of_a_field_have_a_limit_together() -> None:
    stacks = [{"wildcard": f"*:stack/{name}/*"} for name in ("orders", "billing", "shipping", "search")]
    compile_pattern(json.dumps({"detail": {"id": stacks[:3], "other": stacks[:3]}}))
    for too_complex in (stacks, [{"wildcard": "*a*a*a*a*a*"}]):
        with pytest.raises(InvalidEventPattern, match="Rule is too complex"):
            compile_pattern(json.dumps({"detail": {"id": too_complex}}))
    assert complexity(["*a" * 50]) == MAX_COMPLEXITY + 1


#: Seconds of the processor's time. What explodes takes hours; no machine is so slow that this takes half a minute.
HANG_S = 30


def seconds(pattern: str, event: dict) -> float:
    compiled = compile_pattern(pattern)
    started = time.process_time()
    compiled.matches(event)
    return time.process_time() - started


def test_matching_does_not_explode() -> None:
    """Values and arrays that make a backtracking matcher run for ages are answered at once."""
    long = "a" * 200_000
    assert seconds('{"detail": {"x": [{"wildcard": "*aab*aab*"}]}}', detail(x=long)) < HANG_S
    elements = [{"a": 1, "b": number} for number in range(2000)]
    fields = {"a": [1], "b": [{"exists": True}], "c": [{"exists": False}], "d": {"e": [5]}}
    event = {"p": elements, "q": elements, "r": elements}
    pattern = {name: {**fields, "d": [{"exists": False}]} for name in event} | {"s": ["never"]}
    assert seconds(json.dumps(pattern), event) < HANG_S
    pattern.pop("s")
    assert compile_pattern(json.dumps(pattern)).matches(event)
    assert seconds(json.dumps(pattern), event) < HANG_S
    nested = deep = {"x": []}
    for _ in range(900):
        deep["x"] = [deep := {"x": []}]
    assert seconds('{"detail": {"x": {"x": ["y"]}}}', {"detail": nested}) < HANG_S


def test_many_alternatives_share_what_they_look_up() -> None:
    choices = [{"$or": [{f"f{name}{n}": [n]} for n in range(9)]} for name in "abc"]
    pattern = compile_pattern(json.dumps({"x": choices[0], "y": choices[1], "z": choices[2]}))
    view = EventView({"x": {"fa8": 8}, "y": {"fb8": 8}, "z": {"fc8": 8}})
    assert len(pattern.alternatives) == 729
    assert steps(lambda: pattern.matches_view(view)) < 32 * 729, "16 each; a search of its own takes four times as many"
    assert pattern.matches_view(view)


# AWS's own answers


def vectors() -> list:
    return [
        vector
        for name in ("event_patterns_aws.json", "event_patterns_ruler.json")
        for vector in recorded.read(name)["vectors"]
    ]


def answer(events, vector: dict) -> tuple[str, str | None]:
    try:
        result = events.test_event_pattern(EventPattern=vector["pattern"], Event=vector["event"])["Result"]
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"].split("\n")[0]
    return ("match" if result else "no_match"), None


def test_test_event_pattern_answers_as_recorded(aws) -> None:
    events = aws.client("events")
    wrong = []
    for vector in vectors():
        expected = (vector["expect"], None)
        if vector["expect"] == "error":
            expected = (vector["error"]["code"], vector["error"]["message"])
        if answer(events, vector) != expected:
            wrong.append(vector["name"])
    assert not wrong


def test_test_event_pattern_without_recordings(aws) -> None:
    events = aws.client("events")
    event = json.dumps(ENVELOPE | ORDER)
    pattern = json.dumps(detail(Units=[{"numeric": [">=", 3]}]))
    assert events.test_event_pattern(EventPattern=pattern, Event=event)["Result"] is True
    assert events.test_event_pattern(EventPattern='{"source": ["x"]}', Event=event)["Result"] is False
    for refused, code in (
        ({"EventPattern": '{"source": "x"}', "Event": event}, "InvalidEventPatternException"),
        ({"EventPattern": '{"source": ["x"]}', "Event": "[]"}, "ValidationException"),
        ({"EventPattern": '{"source": ["x"]}', "Event": '{"source": "x"}'}, "ValidationException"),
    ):
        with pytest.raises(ClientError) as caught:
            events.test_event_pattern(**refused)
        assert caught.value.response["Error"]["Code"] == code


def test_put_rule_refuses_what_test_event_pattern_refuses(aws) -> None:
    with pytest.raises(ClientError) as caught:
        aws.client("events").put_rule(Name="refused", EventPattern='{"source": "x"}')
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidEventPatternException"
    assert error["Message"].startswith('Event pattern is not valid. Reason: "source" must be an object or an array')


# Routing


def test_routing_finds_every_rule_that_matches() -> None:
    """Rules are looked up by the source or detail type that they ask for: none may be lost by that."""
    patterns = [text(pattern) for pattern in MATCHES.values()]
    cases = [(pattern, ENVELOPE | ORDER) for pattern in patterns]
    for vector in vectors():
        if vector["expect"] == "match" and isinstance(json.loads(vector["event"])["detail-type"], str):
            cases.append((vector["pattern"], json.loads(vector["event"])))
    for number, (pattern, event) in enumerate(cases):
        noise = [rule(f'{{"source": ["other-{n}"], "detail-type": ["t-{n}"]}}') for n in range(5)]
        wanted = rule(pattern)
        bus = SimpleNamespace(name=f"bus-{number}", rules=dict(enumerate([*noise, wanted])))
        assert [found for found, _ in Routes().candidates(bus, event)] == [wanted], pattern


def rule(pattern: str, state: str = "ENABLED") -> SimpleNamespace:
    """As much of a rule as routing looks at."""
    return SimpleNamespace(state=state, event_pattern=SimpleNamespace(compiled=compile_pattern(pattern)))


def test_routes_are_made_anew_after_a_change() -> None:
    first, second = rule('{"source": ["microservice_x"]}'), rule('{"detail-type": ["order", "other"]}')
    bus = SimpleNamespace(name="b", rules={"first": first, "off": rule('{"version": ["0"]}', "DISABLED")})
    routes = Routes()
    assert [found for found, _ in routes.candidates(bus, ENVELOPE)] == [first]
    bus.rules["second"] = second
    assert [found for found, _ in routes.candidates(bus, ENVELOPE)] == [first]
    routes.forget()
    assert {id(found) for found, _ in routes.candidates(bus, ENVELOPE)} == {id(first), id(second)}
