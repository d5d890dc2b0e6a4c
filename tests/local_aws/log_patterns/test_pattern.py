"""Filter patterns: which log events they mean, most as AWS's pages show them, and which texts are none."""

from __future__ import annotations

import json
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.log_patterns.errors import InvalidPattern
from helpers.local_aws.log_patterns.pattern import compiled
from helpers.local_aws.log_patterns.regex import Regex

LINES = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
    "[WARN] slow answer",
    'said "no" to C:\\temp',
]


@pytest.mark.parametrize(("pattern", "numbers"), [
    ("", [0, 1, 2, 3, 4, 5]),
    ("   ", [0, 1, 2, 3, 4, 5]),
    ("ERROR", [0, 1, 2, 3]),
    ("error", []),
    ("ERR", [0, 1, 2, 3]),
    ("ERROR ARGUMENTS", [2, 3]),
    ("ARGUMENTS  ERROR", [2, 3]),
    ('"INVALID ARGUMENTS"', [3]),
    ('"ARGUMENTS INVALID"', []),
    ("?ARGUMENTS ?slow", [2, 3, 4]),
    ("?ARGUMENTS", [2, 3]),
    ("-ERROR", [4, 5]),
    ("ERROR -ARGUMENTS", [0, 1]),
    ('ERROR -"UNAUTHORIZED REQUEST"', [0, 2, 3]),
    ("ERROR ?slow", [0, 1, 2, 3]),  # with other terms, those with a question mark do not count
    ('"[WARN]"', [4]),
    (r'"\"no\""', [5]),
    (r'"C:\\temp"', [5]),
    ("%4[01]\\d%", [0, 1, 2]),
    ("%REQUEST$%", [0, 1]),
    ("%^.ERROR% ARGUMENTS", [2, 3]),
    ("%ER{2,}OR%", [0, 1, 2, 3]),
])  # fmt: skip
def test_terms(pattern, numbers):
    matches = compiled(pattern).matches
    assert [number for number, line in enumerate(LINES) if matches(line)] == numbers


EVENT = {
    "eventType": "UpdateTrail", "outcome": "invalid", "n": 4, "size": 1.5e3, "zero": 0, "ip": "123.123.1.9",
    "code": 404, "ok": True, "not": False, "nothing": None, "list": ["a", "b", 7],
    "body": {"Item": "desk lamp", "odd-key": 1, "a.b": 2}, "text": 'a "b"', "number": "12",
    "users": [{"id": 1, "email": "jd@example.com"}, {"id": 2, "email": "x@example.com"}],
}  # fmt: skip


@pytest.mark.parametrize("pattern", [
    '{ $.eventType = "UpdateTrail" }', '{$.eventType="UpdateTrail"}', "{ $.eventType = UpdateTrail }",
    '{ $.eventType = "Update*" }', "{ $.eventType = *Trail }", "{ $.eventType = *date* }", '{ $.eventType = "*" }',
    '{ $.eventType != "CreateTrail" }', "{ $.n = 4 }", "{ $.n > 3 }", "{ $.n >= 4 && $.n <= 4 }", "{ $.n < 4.5 }",
    "{ $.size = 1500 }", "{ $.size > 1e2 }", "{ $.size = 1.5e3 }", "{ $.zero != 1 }", "{ $.zero > -1 }",
    "{ $.ip = 123.123.* }", "{ $.ip != 10.* }", "{ $.code = 4* }", "{ $.ok IS TRUE }", "{ $.not is false }",
    "{ $.nothing IS NULL }", "{ $.missing NOT EXISTS }", "{ $.nothing EXISTS }", '{ $.list[0] = "a" }',
    "{ $.list[2] = 7 }", '{ $.list[*] = "b" }', '{ $.users[1].email = "x@*" }', "{ $.users[*].id = 2 }",
    '{ $.body.Item = "desk lamp" }', "{ $.body.odd-key = 1 }", '{ $.body["a.b"] = 2 }', "{ $.body['a.b'] = 2 }",
    r'{ $.text = "a \"b\"" }', "{ $.number = 12 }", '{ $.number = "12" }', "{ $.eventType = %^Update[A-Z]% }",
    "{ $.eventType != %^Create% }",
    '{ $.outcome = "invalid" && $.n > 3 }', '{ $.outcome = "stored" || $.n > 3 }',
    '{ ($.outcome = "stored" || $.n > 3) && $.ok IS TRUE }', '{ $.n = 4 || $.n = 5 && $.n = 6 }',
    '{ (($.n = 4)) }',
])  # fmt: skip
def test_json_that_matches(pattern):
    assert compiled(pattern).matches(json.dumps(EVENT))


@pytest.mark.parametrize("pattern", [
    '{ $.eventType = "updatetrail" }', '{ $.eventType = "Trail" }', '{ $.eventType = "Update*x" }', "{ $.n > 4 }",
    '{ $.outcome > 3 }', "{ $.list > 3 }", '{ $.missing = "*" }', '{ $.missing != "a" }', "{ $.missing IS NULL }",
    "{ $.ok IS NULL }", "{ $.zero IS FALSE }", "{ $.n IS TRUE }", "{ $.nothing NOT EXISTS }", "{ $.list[9] = 1 }",
    '{ $.body = "*" }', "{ $.list = 7 }", '{ $.outcome = "stored" && $.n > 3 }', '{ $.n = 9 || $.n = 5 && $.n = 4 }',
    '{ ($.n = 4 || $.n = 5) && $.n = 6 }', '{ $.users.id = 1 }', '{ $.eventType = "aa*aa" }', "{ $.ok = 1 }",
])  # fmt: skip
def test_json_that_does_not_match(pattern):
    assert not compiled(pattern).matches(json.dumps(EVENT))


def test_a_line_that_is_no_json_matches_no_json_pattern():
    matches = compiled("{ $.n NOT EXISTS }").matches
    assert [matches(line) for line in ("n", "3", '"n"', "{", '{"m": 1} and more', "[" * 9999)] == [False] * 6
    assert matches('{"m": 1}') and matches(' [{"n": 1}] ')


ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(("pattern", "matches"), [
    ("[ip, id, user, timestamp, request, status_code, size]", True),
    ("[ip, id, user, timestamp, request, status_code]", False),
    ("[...]", True),
    ("[ip, ...]", True),
    ("[..., status_code = 404, size]", True),
    ("[..., status_code = 4*, size]", True),
    ("[..., status_code = 5*, size]", False),
    ("[ip, ..., size > 1000]", True),
    ("[ip, ..., size > 1534]", False),
    ("[ip = 127.*, ..., size >= 1e3]", True),
    ("[ip, id, user, ..., request = *html*, status_code, size]", True),
    ('[ip, id, user, timestamp = "10/Oct*", ...]', True),
    ("[ip, id, user = bob || user = frank, ...]", True),
    ("[ip, id, user = bob || user = joe, ...]", False),
    ("[ip, id, user != frank, ...]", False),
    ("[ip, id, user = %^fr.nk$%, ...]", True),
    ("[ip, id, (user = bob || user = frank) && user != frank, ...]", False),
    ("[a, b, c, d, e, f, g, h, ...]", False),
])  # fmt: skip
def test_columns(pattern, matches):
    assert compiled(pattern).matches(ACCESS) is matches


@pytest.mark.parametrize(("pattern", "message"), [
    ("{ $.n = 4", "If a filter pattern starts with '{' it must end with '}'"),
    ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
    ("order-1", "Invalid character(s) in term 'order-1'"),
    ("[ip, user, status_code = 4* && bytes > 1000]", "Invalid filter pattern"),  # another column's
    ('""', "Invalid character(s) in term '\"\"'"),
    ("%(a|b)%", "Invalid character(s) in term '%(a|b)%'"),
    ("%a!%", "Invalid character(s) in term '%a!%'"),
    ("{}", "Invalid filter pattern"),
    ("x" * 1025, "Invalid filter pattern"),
] + [(each, "Invalid filter pattern") for each in (
    "{ $ = 1 }", "{ n = 1 }", "{ $.n }", "{ $.n = }", "{ $.n == 1 }", "{ $.n = 1 && }", "{ $.n = 1 $.m = 2 }",
    "{ ($.n = 1 }", "{ $.n = 1) }", "{ $.n IS MAYBE }", "{ $.n NOT }", '{ $.n > "a" }', '{ $.n = "a }',
    "{ $.n[x] = 1 }",
    "{ $.a = %x% && $.b = %y% && $.c = %z% }", "{ $.n && 1 }", "[a, ..., b, ...]", "[a = ]", "[a b]", "[a,,b]", "[= 3]",
    '"unfinished', "%[a%", "%a{3,1}%", "%*a%", "%a**%", "%[z-a]%", "%a{9999}%", "%a^b%",
)])  # fmt: skip
def test_what_is_no_pattern(pattern, message):
    with pytest.raises(InvalidPattern) as refused:
        compiled(pattern)
    assert str(refused.value) == message


def nested(times):
    return "{" + times * "(" + "$.size = 1500" + times * ")" + "}"


@pytest.mark.parametrize("times", [21, 200, 500])
def test_parentheses_that_are_too_deep_are_no_pattern(times):
    """Such a pattern of a metric filter would be read, and fail with each event that comes."""
    with pytest.raises(InvalidPattern):
        compiled(nested(times))


def test_parentheses_inside_one_another_and_many_beside(times=20):
    assert compiled(nested(times)).matches(json.dumps(EVENT))
    assert compiled("{" + " && ".join(["($.size = 1500)"] * 40) + "}").matches(json.dumps(EVENT))


@pytest.mark.parametrize(("pattern", "message", "selector", "value"), [
    ("{ $.n > 3 }", json.dumps(EVENT), "$.body.Item", "desk lamp"),
    ("{ $.n > 3 }", json.dumps(EVENT), "$.size", 1500.0),
    ("{ $.n > 3 }", json.dumps(EVENT), "$.missing", None),
    ("{ $.n > 3 }", json.dumps(EVENT), "$.list", None),
    ("{ $.n > 3 }", "no JSON", "$.n", None),
    ("[ip, ..., status, size]", ACCESS, "$size", "1534"),
    ("[ip, ..., status, size]", ACCESS, "$ip", "127.0.0.1"),
    ("[ip, ..., status, size]", ACCESS, "$user", None),
    ("[ip]", ACCESS, "$ip", None),
    ("GET", ACCESS, "$ip", None),
])  # fmt: skip
def test_a_value_that_a_selector_names(pattern, message, selector, value):
    assert compiled(pattern).value(message, selector) == value


PIECES = [
    ".",
    "a",
    "b",
    "\\d",
    "[ab]",
    "[^a]",
    "\\.",
    "\\x61",
    "a*",
    "b+",
    "[ab]?",
    ".*",
    "a{2}",
    "b{1,3}",
    "a{2,}",
    "|",
]


@given(
    st.booleans(), st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.booleans(),
    st.text(st.sampled_from("ab1. " + string.ascii_uppercase[:2]), max_size=12),
)  # fmt: skip
def test_a_regular_expression_means_what_it_means_elsewhere(start, pieces, end, text):
    pattern = "^" * start + "".join(pieces) + "$" * end
    assert Regex(pattern).is_in(text) == bool(re.search(pattern, text)), pattern


def test_an_expression_with_many_stars_takes_no_time_to_speak_of():
    """Python's own search would take longer than anybody has."""
    assert not Regex(".*" * 20 + "x").is_in("a" * 2000)
