"""Event patterns and input transformers under whatever can be written: only the refusals that they promise, no answer
that differs from a plain reading of the documentation, and no pattern or event that takes them very long.
"""

from __future__ import annotations

import itertools
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from helpers.local_aws.event_patterns import event_pattern
from helpers.local_aws.event_patterns.event_pattern import EventPattern, InvalidEventPattern
from helpers.local_aws.events import input_shape, put_events
from tests.support.campaign import ANY_JSON, ANY_TEXT, LONG, NAMES, NUMBERS, TEXT, examples, nested
from tests.support.steps import steps

OPERATORS = (
    *("prefix", "suffix", "anything-but", "exists", "equals-ignore-case", "wildcard"),
    *("numeric", "cidr", "exactly", "unheard-of"),
)
ADDRESSES = st.sampled_from(
    ["10.0.0.0/8", "10.0.0.0/" + "9" * 5000, "::1/64", "1.1.1.1", "::/-1", "9" * 5000 + ".1.1.1/2"]
)
OPERANDS = st.one_of(
    ANY_JSON,
    ADDRESSES,
    st.lists(st.sampled_from(["=", "<", ">=", ">", "<="]) | NUMBERS, max_size=5),
    st.text("ab*\\", max_size=12),
    st.dictionaries(st.sampled_from(OPERATORS), ANY_JSON | st.text("ab*\\"), max_size=2),
)
TESTS = st.lists(ANY_JSON | st.dictionaries(st.sampled_from(OPERATORS), OPERANDS, max_size=2), max_size=4)
PATTERNS = nested(TESTS, NAMES | st.just("$or"))


def outcome(text: str, event: dict[str, Any]) -> bool | None:
    """Whether a pattern matches; None when it is refused, with a reason."""
    try:
        pattern = EventPattern(text)
    except InvalidEventPattern as refusal:
        assert refusal.message
        return None
    return pattern.matches(event)


@examples(200)
@given(ANY_TEXT | LONG | st.text('{}[]",:*\\ 0aE-', max_size=40), st.dictionaries(NAMES, ANY_JSON, max_size=3))
def test_any_text_is_a_pattern_or_is_refused(text, event):
    assert outcome(text, event) in (True, False, None)


@examples(400)
@given(PATTERNS, st.dictionaries(NAMES, ANY_JSON, max_size=4))
@example({"a": [{"cidr": "10.0.0.0/" + "1" * 5000}]}, {"a": "10.0.0.1"})
def test_any_json_is_a_pattern_or_is_refused(pattern, event):
    assert outcome(json.dumps(pattern), event) in (True, False, None)


# What the documentation says, read as plainly as possible. Events here have no arrays of arrays and no dotted names.

WORDS = st.text("abA", max_size=3)
PLAIN_NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -1.25, 2.0])
LEAVES = WORDS | PLAIN_NUMBERS | st.booleans() | st.none()
KEYS = st.sampled_from(["k", "l", "m"])


def _tests(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    words = st.lists(WORDS, min_size=1, max_size=3)
    some = WORDS.filter(bool)
    one = st.one_of(
        leaves,
        st.builds(lambda w: {"prefix": w}, WORDS),
        st.builds(lambda w: {"suffix": w}, WORDS),
        st.builds(lambda w: {"equals-ignore-case": w}, WORDS),
        st.builds(lambda w: {"wildcard": "*".join(w)}, st.lists(some, min_size=1, max_size=3)),
        st.builds(lambda w: {"anything-but": w}, words | WORDS | st.lists(PLAIN_NUMBERS, min_size=1, max_size=3)),
        st.builds(lambda w: {"anything-but": {"prefix": w}}, some),
        st.builds(lambda o, n: {"numeric": [o, n]}, st.sampled_from(["<", "<=", "=", ">", ">="]), PLAIN_NUMBERS),
        st.just({"exists": True}),
    )
    return st.lists(one, min_size=1, max_size=3)


FIELDS = st.recursive(_tests(LEAVES), lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3), max_leaves=5)
VALID = st.dictionaries(KEYS, FIELDS, min_size=1, max_size=3)
OR = st.builds(
    lambda common, either: {**common, "$or": either},
    st.dictionaries(KEYS, FIELDS, max_size=2),
    st.lists(VALID, min_size=2, max_size=3),
)
EVENTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES | st.lists(LEAVES, max_size=3),
        lambda inner: (
            st.dictionaries(KEYS, inner, max_size=3) | st.lists(st.dictionaries(KEYS, inner, max_size=3), max_size=3)
        ),
        max_leaves=10,
    ),
    max_size=3,
)


def passes(test: Any, value: Any) -> bool:
    """One test of a pattern and one value, by the documentation's table of operators."""
    is_text, is_number = isinstance(value, str), isinstance(value, (int, float)) and not isinstance(value, bool)
    match test:
        case {"prefix": word}:
            return is_text and value.startswith(word)
        case {"suffix": word}:
            return is_text and value.endswith(word)
        case {"equals-ignore-case": word}:
            return is_text and value.lower() == word.lower()
        case {"wildcard": word}:
            return is_text and glob(word, value)
        case {"anything-but": {"prefix": word}}:
            return not (is_text and value.startswith(word))
        case {"anything-but": words}:
            return not any(passes(word, value) for word in (words if isinstance(words, list) else [words]))
        case {"numeric": [sign, bound]}:
            return is_number and compare(sign, float(value), float(bound))
        case {"exists": True}:
            return True
    if isinstance(test, bool) or test is None or isinstance(value, bool) or value is None:
        return test is value
    return type(test) is str and test == value or (type(test) is not str and is_number and test == value)


def compare(sign: str, left: float, right: float) -> bool:
    return {"<": left < right, "<=": left <= right, "=": left == right, ">": left > right, ">=": left >= right}[sign]


def glob(pattern: str, text: str) -> bool:
    """Character by character: an asterisk stands for nothing, or for one more character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return glob(pattern[1:], text) or (bool(text) and glob(pattern, text[1:]))
    return bool(text) and pattern[0] == text[0] and glob(pattern[1:], text[1:])


def readings(node: Any) -> list[Any]:
    """An event without arrays of objects: once for each way to choose one element of each."""
    if isinstance(node, dict):
        choices = [readings(value) for value in node.values()]
        return [dict(zip(node, chosen, strict=True)) for chosen in itertools.product(*choices)]
    if isinstance(node, list) and any(isinstance(element, dict) for element in node):
        return [reading for element in node for reading in readings(element)]
    return [node]


def plainly(pattern: dict[str, Any], event: Any) -> bool:
    """Whether the pattern matches an event without arrays of objects."""
    for name, test in pattern.items():
        if name == "$or":
            if not any(plainly(choice, event) for choice in test):
                return False
            continue
        value = event.get(name) if isinstance(event, dict) else None
        if not isinstance(event, dict) or name not in event:
            return False
        if isinstance(test, dict):
            if not plainly(test, value):
                return False
        elif isinstance(value, dict) or not any(
            passes(one, each) for each in (value if isinstance(value, list) else [value]) for one in test
        ):
            return False
    return True


def flat(pattern: dict[str, Any], path: str = "") -> list[str]:
    names = [f"{path}.{name}" for name, test in pattern.items() if not isinstance(test, dict) and name != "$or"]
    inner = [flat(test, f"{path}.{name}") for name, test in pattern.items() if isinstance(test, dict)]
    either = [flat(choice, path) for choice in pattern.get("$or", ())]
    return [*names, *itertools.chain(*inner, *either)]


@examples(250)
@given(VALID | OR, EVENTS)
def test_what_matches_is_what_the_documentation_says(pattern, event):
    paths = flat(pattern)
    assume(len(paths) == len(set(paths)))  # for a field that is tested in two places, the last test counts
    matched = outcome(json.dumps(pattern), event)
    assume(matched is not None)  # too many wildcards for EventBridge
    ways = readings(event)
    assume(len(ways) < 500)
    assert matched == any(plainly(pattern, reading) for reading in ways)


# Time. Lines of Python are counted, not seconds; what C does for one line is linear, and bounded in seconds.


def order(lines: int) -> dict[str, Any]:
    return {"detail": {"lines": [{"a": n, "b": n, "c": 1, "sku": f"s{n}"} for n in range(lines)]}}


ARRAY_PATTERNS = {
    "two fields": {"a": [{"numeric": [">=", 0]}], "b": [{"numeric": [">=", 0]}]},
    "a field that must be absent": {"a": [{"exists": True}], "gift": [{"exists": False}], "sku": [{"prefix": "s"}]},
    "a field that is there": {"a": [{"exists": True}], "b": [{"exists": False}], "sku": ["none"]},
    "absent in the last of all": {"a": [{"exists": True}], "sku": [{"exists": False}]},
    "an alternative": {"$or": [{"a": [{"exists": True}]}, {"b": [{"exists": True}]}], "sku": ["s0"]},
}


@pytest.mark.parametrize("fields", ARRAY_PATTERNS.values(), ids=ARRAY_PATTERNS)
@pytest.mark.parametrize("depth", [0, 1])
def test_time_grows_with_the_length_of_an_array(fields, depth):
    def counted(lines: int) -> int:
        event, wanted = order(lines), {"lines": fields}
        if depth:  # the array inside the one element of another
            event, wanted = {"detail": {"orders": [event["detail"]]}}, {"orders": wanted}
        pattern = EventPattern(json.dumps({"detail": wanted}))
        return steps(lambda: pattern.matches(event))

    assert counted(400) < 2.6 * counted(200)


@pytest.mark.parametrize("wildcard", ["*a*b", "a*a*b", "*ab", "*a*a*a*a*b", "*" + "a*" * 200 + "b", "*" + "ab*" * 100])
def test_a_wildcard_takes_no_exponential_time(wildcard):
    text = json.dumps({"a": [{"wildcard": wildcard}]})
    began = time.process_time()
    answers = [outcome(text, {"a": "a" * size}) for size in (1_000, 1_000_000)]
    assert answers in ([None, None], [False, False])
    assert time.process_time() - began < 10


@pytest.mark.parametrize("letters", [100, 200])
def test_refusing_wildcards_that_are_too_complex_takes_bounded_time(letters):
    name = "".join(chr(0x4E00 + n) for n in range(letters))
    several = [{"wildcard": f"{name[:n]}*{name[n:]}*"} for n in range(1, 9)]
    began = time.process_time()
    assert outcome(json.dumps({"a": several}), {"a": "x"}) in (None, False)
    assert time.process_time() - began < 10


def test_nested_alternatives_are_bounded():
    pattern: dict[str, Any] = {"a": [1]}
    for depth in range(200):
        pattern = {"$or": [pattern, {f"b{depth}": [1]}]}
    doubling = {f"n{n}": {"$or": [{"a": [1]}, {"b": [1]}]} for n in range(40)}
    began = time.process_time()
    assert outcome(json.dumps(pattern), {"a": 1}) in (True, None)
    assert outcome(json.dumps(doubling), {}) is None
    assert time.process_time() - began < 10


@pytest.mark.parametrize("elements", [30, 300])
def test_names_with_dots_do_not_multiply(elements):
    """Each name may be found along several paths, in an array each: all choices together are too many to look at."""
    rows = lambda: [{f"f{n}": 1 for n in range(12)} for _ in range(elements)]  # noqa: E731
    event = {
        "a.b.c.d": rows(), "a.b.c": {"d": rows()}, "a.b": {"c.d": rows(), "c": {"d": rows()}},
        "a": {"b.c.d": rows(), "b.c": {"d": rows()}, "b": {"c.d": rows(), "c": {"d": rows()}}},
    }  # fmt: skip
    fields = {f"f{n}": [2 if n == 11 else 1] for n in range(12)}
    pattern = EventPattern(json.dumps({"a": {"b": {"c": {"d": fields}}}}))
    assert steps(lambda: pattern.matches(event)) < 40 * event_pattern.MAX_STEPS
    assert pattern.matches(event) is False


def test_an_anything_but_of_thousands_of_values():
    text = json.dumps({"a": [{"anything-but": [f"v{n}" for n in range(20_000)]}]})
    event = {"a": [f"w{n}" for n in range(1000)]}
    pattern = EventPattern(text)
    assert pattern.matches(event)
    assert steps(lambda: pattern.matches({**event, "a": event["a"] * 2})) < 2.2 * steps(lambda: pattern.matches(event))


# Input transformers

HOLDERS = {"p": "$.detail.p", "q": "$.detail.q[1]", "whole": "$.detail", "none": "$.detail.nowhere"}
SAFE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>"), max_size=6)
HELD = st.sampled_from(sorted([*HOLDERS, *input_shape.RESERVED]))


class Held(str):
    """The name of a placeholder that stands outside quotes."""


PIECES = st.lists(SAFE | HELD.map(lambda name: f"<{name}>"), max_size=4)
TEMPLATES = nested(st.integers(0, 9) | st.none() | HELD.map(Held) | PIECES.map(tuple), SAFE)
DETAILS = st.fixed_dictionaries({"p": ANY_JSON, "q": st.lists(ANY_JSON, max_size=3)}, optional={"r": ANY_JSON})


def written(node: Any) -> str:
    """The template as a learner writes it."""
    if isinstance(node, Held):
        return f"<{node}>"
    if isinstance(node, tuple):
        return json.dumps("".join(node))
    if isinstance(node, dict):
        return "{" + ",".join(f"{json.dumps(name)}: {written(value)}" for name, value in node.items()) + "}"
    return "[" + ", ".join(map(written, node)) + "]" if isinstance(node, list) else json.dumps(node)


def same_shape(node: Any, found: Any, transform) -> None:
    """What came out has the template's shape, whatever was put into it."""
    if isinstance(node, Held):
        assert found == json.loads(transform(f"<{node}>"), parse_float=Decimal)
    elif isinstance(node, tuple):
        assert isinstance(found, str)
        rest = found
        for piece in node:
            whole = transform(json.dumps(piece)) if piece.startswith("<") else json.dumps(piece)
            text = json.loads(whole)
            assert rest.startswith(text)
            rest = rest[len(text) :]
        assert rest == ""
    elif isinstance(node, dict):
        assert list(found) == list(node)
        for name, value in node.items():
            same_shape(value, found[name], transform)
    elif isinstance(node, list):
        assert len(found) == len(node)
        for value, inner in zip(node, found, strict=True):
            same_shape(value, inner, transform)
    else:
        assert found == node


def event_of(detail: Any, source: str = "shop") -> put_events.Event | None:
    entry = {"Source": source, "DetailType": "order", "Detail": json.dumps(detail)}
    parsed = put_events.check_entry(entry)
    if isinstance(parsed, tuple):
        return None
    return put_events.make_event(entry, parsed, "default", "123456789012", "us-east-1", 0.0)


@examples(400)
@given(TEMPLATES, DETAILS)
@example([("<p>",)], {"p": {"a": '"'}, "q": []})
@example([("<whole>", "x")], {"p": "\\", "q": ['"', '\\"']})
@example({"k": Held("p")}, {"p": '","admin":true,"x":"', "q": []})
def test_what_a_template_holds_cannot_change_its_shape(template, detail):
    event = event_of(detail)
    assume(event is not None)  # NaN is no JSON

    def transform(text: str) -> str:
        return input_shape.transform({"InputPathsMap": HOLDERS, "InputTemplate": text}, event, "arn:aws:events:rule/r")

    found = json.loads(transform(written(template)), parse_float=Decimal)
    same_shape(template, found, transform)


@examples(300)
@given(ANY_TEXT, DETAILS, st.sampled_from(["$.detail", "$.detail.p", "$.nowhere"]) | TEXT)
@example("<p>", {"p": 1, "q": []}, "$.detail[" + "9" * 5000 + "]")
def test_any_template_and_any_path_give_a_text(template, detail, path):
    event = event_of(detail)
    assume(event is not None)
    paths = {**HOLDERS, "own": path} if input_shape.is_path(path) else HOLDERS
    names = [name for name in input_shape.placeholders(template) if name in paths or name in input_shape.RESERVED]
    text = input_shape.transform({"InputPathsMap": paths, "InputTemplate": template}, event, "arn:aws:events:rule/r")
    assert names or text == template.encode("utf-8", "replace").decode()
    if input_shape.is_path(path):
        part = input_shape.select(path, event)
        assert part is None or json.loads(part.encode()) is not ...


@pytest.mark.parametrize("number", ["1e400", "1e99999999999999999999", "-1e99999999999999999999", "1" * 5000, "1E-400"])
def test_numbers_beyond_every_range_stay_json(number):
    entry = {"Source": "shop", "DetailType": "order", "Detail": f'{{"n": {number}}}'}
    event = put_events.make_event(entry, put_events.check_entry(entry), "default", "1", "us-east-1", 0.0)
    part = input_shape.select("$.detail.n", event)
    assert part == number or Decimal(part) == Decimal(number)
