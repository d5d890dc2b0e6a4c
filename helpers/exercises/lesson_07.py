"""Check lesson 7: what a pattern matches, orders that tell two patterns apart, and a pattern of one's own.

EventBridge itself compares patterns with events (TestEventPattern); nothing here knows how matching works.
"""

from collections.abc import Iterator
from textwrap import shorten
from typing import Any

from helpers.exercises import tools
from helpers.exercises.tools import event
from helpers.exercises.verdicts import EarlyVerdict, Verdict, correct, exercise, wrong

WHERE = " at [Source"  # begins what EventBridge says of the place, after what it says of the mistake
ORDER = {"OrderId": "X-0001", "Item": "teapot", "Amount": 250, "IsMember": True, "ShippingMethod": "Express"}


def matches(pattern: dict[str, Any], given: dict[str, Any]) -> bool:
    """Return whether EventBridge would match the event.

    Raises EarlyVerdict, with the beginning of what EventBridge says, for a malformed pattern.
    """
    try:
        return tools.matches(pattern, given)
    except EarlyVerdict as refused:
        reason = shorten(refused.verdict.message.partition(WHERE)[0], 200, placeholder=" …")
        raise EarlyVerdict(wrong(f"{reason}.", see=refused.verdict.see)) from refused


# --- 07-1: six orders and a pattern ---

LETTERS = "PQRSTU"
LEFT_OUT = {  # an order that matches: the question that leads to it
    "P": "An order is missing whose values lie just on the edge. Does an empty text count as a value, and does >= "
    "take the bound itself?",
    "T": "An order is missing. When a field holds several values, how many of them must fit?",
}
PUT_IN = {  # an order that does not match: the misconception
    "Q": "Q has no coupon at all. What does an operator look at where there is no value?",
    "R": "Look at the type of R's amount. What does numeric say about a text?",
    "S": "Look at S's item letter by letter. Does a pattern care about case?",
    "U": "U's amount is the upper bound itself. Is that still inside?",
}


@exercise("07-1", takes=((list, tuple, set),))
def matching_orders(letters: list[Any] | tuple[Any, ...] | set[Any]) -> Verdict:
    answer = {each.strip().upper() if isinstance(each, str) else each for each in letters}
    if not answer:
        return wrong("The list is empty, but the pattern is not one of those that never match.", see="event-pattern")
    if not answer <= set(LETTERS):
        return wrong("The list should hold letters of the table, each a text of its own.")
    for letter, question in PUT_IN.items():
        if letter in answer:
            return wrong(question, see="event-pattern")
    for letter, question in LEFT_OUT.items():
        if letter not in answer:
            return wrong(question, see="event-pattern")
    return correct("Absent, empty, null, text and number: you keep apart what a pattern keeps apart.")


# --- 07-2: three patterns that are nearly right ---

RIGHT = {"Item": [{"prefix": "tea"}], "Amount": [{"numeric": [">=", 50]}], "IsMember": [True]}
NEARLY = {
    "A": RIGHT | {"Amount": [{"numeric": [">", 50]}]},
    "B": RIGHT | {"Item": [{"wildcard": "*tea*"}]},
    "C": RIGHT | {"IsMember": [{"anything-but": "false"}]},
}


@exercise("07-2", takes=dict)
def telling_apart(orders: dict[str, Any]) -> Verdict:
    if set(orders) != set(NEARLY) or not all(isinstance(order, dict) for order in orders.values()):
        return wrong("Keep the three letters, and give each an order: a dict, without an envelope.")
    for letter, order in orders.items():
        if absent := [name for name in RIGHT if name not in order]:
            return wrong(
                f"Your order {letter} has no {absent[0]}. Neither pattern looks at a value that is not there, "
                "so both say no.",
                see="event-pattern",
            )
        given = event({"body": order})
        right, nearly = (matches({"detail": {"body": pattern}}, given) for pattern in (RIGHT, NEARLY[letter]))
        if right == nearly:
            return wrong(_no_proof(letter, order, right), see="event-pattern")
    return correct("Three orders, three proofs. As rows of a test they would have stopped all three colleagues.")


def _no_proof(letter: str, order: dict[str, Any], both: bool) -> str:
    """Why an order says nothing about the two patterns, which both match it or both do not."""
    if both:
        return f"Both patterns match your order {letter}, so it proves nothing. Where would one of them say no?"
    apart = [other for other in NEARLY if other != letter and _differ(other, order)]
    if apart:
        return f"Your order {letter} proves something, but about another colleague. Which line has {letter} changed?"
    return (
        f"Neither pattern matches your order {letter}: something in it fails both. "
        "Change one field of an order that both match, and no other."
    )


def _differ(letter: str, order: dict[str, Any]) -> bool:
    given = event({"body": order})
    return matches({"detail": {"body": RIGHT}}, given) != matches({"detail": {"body": NEARLY[letter]}}, given)


# --- 07-3: members' orders over 100 ---

OPERATORS = {
    "exists", "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "cidr", "anything-but"
}  # fmt: skip
BOTH_TYPES = ("OrderPlaced", "microservice_x_test_event")


def _order(
    without: str = "", *, source: str = "microservice_x", detail_type: str = "OrderPlaced", **changed: Any
) -> dict[str, Any]:
    """Return the event of a member's order of 250, with what is different about this one."""
    body = {name: value for name, value in (ORDER | changed).items() if name != without}
    return event({"body": body}, source, detail_type)


WANTED = [  # events that must match, and what is wrong when one does not
    (
        [_order(detail_type=each, Amount=amount) for amount in (250, 1e4, 101) for each in BOTH_TYPES],
        "Orders come under more than one detail type, and one of them does not get through.",
    ),
    (
        [_order(Amount=100.01), _order(Amount=100.5)],
        "An order that is over 100 by less than a dollar does not get through. Are amounts whole numbers?",
    ),
    (
        [_order(Item="desk", ShippingMethod="Pickup", Amount=4e5), _order(Coupon=None, OrderId="T-77")],
        "Orders do not get through that differ in what nobody has asked about: item, size, shipping, further fields.",
    ),
]
UNWANTED = [  # events that must not match, and what is wrong when one does
    (
        [_order(Amount=12.9), _order(Amount=0), _order(Amount=99.99), _order(Amount=-250)],
        "Members' small orders match. What does your pattern say about the amount?",
    ),
    ([_order(Amount=100), _order(Amount=100.0)], "An order of exactly 100 gets a present. Is that over 100?"),
    ([_order(IsMember=False)], "Guests' orders match. Is there a line about members, and is a guest's value in it?"),
    (
        [_order(Amount="250"), _order(Amount=""), _order(Amount="1e3"), _order(Amount=None), _order("Amount")],
        "An order matches whose amount is text, null or missing. Which operator looks at numbers only?",
    ),
    (
        [_order(IsMember="true"), _order(IsMember=1), _order(IsMember=None), _order("IsMember")],
        "An order matches that does not say plainly that it is a member's. Which values does that field take?",
    ),
    (
        [_order(source=each) for each in ("returns_desk", "microservice_x_staging", "my_microservice_x")],
        "Somebody else's events match. Whose word do you take for an order?",
    ),
    (
        [_order(detail_type=each) for each in ("OrderCancelled", "OrderPlacedAgain", "orderplaced")],
        "An event of another type matches: it looks the same, and means something else. Who says which?",
    ),
    ([_order("OrderId")], "An event without an order id matches. What makes an order an order, in section 2?"),
    (
        [event({"body": "Dear member"}), event(ORDER), event({"order": ORDER})],
        "An event matches that holds no order where orders stand.",
    ),
]


@exercise("07-3", takes=dict)
def members_over_100(pattern: dict[str, Any]) -> Verdict:
    if problem := _form(pattern):
        return wrong(problem, see="event-pattern")
    if not any(matches(pattern, each) for each in WANTED[0][0]):
        return wrong(_never(pattern), see="event-pattern")
    if all(matches(pattern, each) for each in (_order(IsMember=False), _order(Amount=12.9))):
        if not matches(pattern, _order(IsMember=False, Amount=12.9)):
            return wrong(
                "It is enough for your pattern that somebody is a member or that an order is large. "
                "How are fields of one object joined when nothing is said?",
                see="event-pattern",
            )
        return wrong("Neither the amount nor the membership makes a difference to your pattern.", see="event-pattern")
    for events, message in UNWANTED:
        if any(matches(pattern, each) for each in events):
            return wrong(message, see="event-pattern")
    for events, message in WANTED:
        if not all(matches(pattern, each) for each in events):
            return wrong(message, see="event-pattern")
    return correct("Members' orders over 100, and nothing else, exactly 100 and text amounts included.")


def _form(pattern: dict[str, Any]) -> str:
    """Say what is wrong with the form of a pattern, in words kinder than EventBridge's; empty if nothing is."""
    for path, leaf in _leaves(pattern):
        if path[-1] in OPERATORS:
            return (
                f'"{path[-1]}" stands where a field\'s name stands, so it is taken for one. '
                "An operator is a value: where do values stand?"
            )
        if not isinstance(leaf, list):
            return (
                f'"{path[-1]}" has a bare value. A pattern wants the values that are accepted, even if it is one: '
                "in which form?"
            )
    return ""


def _leaves(pattern: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """(path, what stands at its end) for each end of the pattern; alternatives are followed, too."""
    for name, value in pattern.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, name))
        elif name == "$or" and isinstance(value, list) and all(isinstance(each, dict) for each in value):
            for each in value:
                yield from _leaves(each, path)
        else:
            yield (*path, name), value


def _never(pattern: dict[str, Any]) -> str:
    """Why no order matches: one condition that fails alone, as the lesson finds it."""
    order = _order()
    for path, leaf in _leaves(pattern):
        if any(matches(_alone(path, leaf), each) for each in WANTED[0][0]):
            continue
        if not matches(_alone(path, [{"exists": True}]), order):
            return (
                f'Not one order matches: your pattern looks for "{path[-1]}" where no event has it. '
                "Which path leads there in an event of section 2?"
            )
        return (
            f'Not one order matches, and the condition on "{path[-1]}" is one that fails. '
            "Of which type is the value there, and which values do you accept?"
        )
    return "Not one order matches, although each condition is right alone. Can all of them hold for one order?"


def _alone(path: tuple[str, ...], leaf: object) -> dict[str, Any]:
    """Return the pattern that has this condition and no other."""
    *outer, last = path
    pattern: dict[str, Any] = {last: leaf}
    for name in reversed(outer):
        pattern = {name: pattern}
    return pattern
