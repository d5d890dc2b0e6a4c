"""What learners get wrong in lesson 7."""

from __future__ import annotations

from tests.lessons.wrong_answers import secrets, wrong_answer

# --- 07-1 ---

secrets("07-1", "P", "T", "null")


@wrong_answer("07-1", "where there is no value")
def absent_is_anything_but():
    return (["P", "Q", "T"],)


@wrong_answer("07-1", "about a text")
def sixty_is_sixty():
    return (["P", "R", "T"],)


@wrong_answer("07-1", "care about case")
def case_does_not_matter():
    return (("P", "S", "T"),)


@wrong_answer("07-1", "the upper bound itself")
def the_bound_is_inside():
    return ({"P", "T", "U"},)


@wrong_answer("07-1", "just on the edge")
def empty_is_absent():
    return (["T"],)


@wrong_answer("07-1", "several values")
def every_element_must_fit():
    return (["P"],)


@wrong_answer("07-1", "The list is empty")
def none():
    return ([],)


@wrong_answer("07-1", "each a text of its own")
def in_one_text():
    return (["PT"],)


# --- 07-2 ---

secrets("07-2", "50", "iced-tea", "False", "false", "asterisk", "guest")
TEAPOT = {"Item": "teapot", "Amount": 60, "IsMember": True}
PROOFS = {"A": TEAPOT | {"Amount": 50}, "B": TEAPOT | {"Item": "iced-tea"}, "C": TEAPOT | {"IsMember": False}}


@wrong_answer("07-2", "Both patterns match your order A")
def an_order_that_all_match():
    return (PROOFS | {"A": TEAPOT},)


@wrong_answer("07-2", "something in it fails both")
def too_much_changed():
    return (PROOFS | {"B": {"Item": "iced-tea", "Amount": 12.9, "IsMember": True}},)


@wrong_answer("07-2", "about another colleague")
def proofs_in_the_wrong_place():
    return ({"A": PROOFS["B"], "B": PROOFS["A"], "C": PROOFS["C"]},)


@wrong_answer("07-2", "has no IsMember")
def a_field_left_out():
    return (PROOFS | {"C": {"Item": "teapot", "Amount": 60}},)


@wrong_answer("07-2", "Neither pattern matches your order C")
def membership_as_the_text_that_is_excluded():
    return (PROOFS | {"C": TEAPOT | {"IsMember": "false"}},)


@wrong_answer("07-2", "Keep the three letters")
def items_alone():
    return ({"A": 50, "B": "iced-tea", "C": False},)


# --- 07-3 ---

secrets("07-3", "$or", "[True]", "[true]", "microservice_x", "microservice_x_test_event")


def pattern(*without: str, outside: dict | None = None, **body) -> tuple[dict]:
    """The right pattern, with something different."""
    whole = {
        "source": ["microservice_x"],
        "detail-type": ["OrderPlaced", "microservice_x_test_event"],
        "detail": {
            "body": {
                "OrderId": [{"exists": True}],
                "IsMember": [True],
                "Amount": [{"numeric": [">", 100]}],
            }
            | body
        },
    } | (outside or {})
    kept = {name: value for name, value in whole.items() if name not in without}
    if "body" in kept.get("detail", {}):
        inner = {name: value for name, value in kept["detail"]["body"].items() if name not in without}
        kept["detail"] = {"body": inner}
    return (kept,)


@wrong_answer("07-3", '"IsMember" has a bare value')
def a_scalar():
    return pattern(IsMember=True)


@wrong_answer("07-3", "is taken for one")
def an_operator_without_a_list():
    return pattern(Amount={"numeric": [">", 100]})


@wrong_answer("07-3", "EventBridge refuses the pattern")
def the_comparison_in_one_text():
    return pattern(Amount=[{"numeric": ["> 100"]}])


@wrong_answer("07-3", 'looks for "OrderId" where no event has it')
def without_the_body():
    whole = pattern()[0]
    return (whole | {"detail": whole["detail"]["body"]},)


@wrong_answer("07-3", 'looks for "Amount" where no event has it')
def half_of_it_beside_the_body():
    whole = pattern("Amount")[0]
    return (whole | {"detail": whole["detail"] | {"Amount": [{"numeric": [">", 100]}]}},)


@wrong_answer("07-3", 'the condition on "IsMember" is one that fails')
def membership_as_text():
    return pattern(IsMember=["true"])


@wrong_answer("07-3", "is a member or that an order is large")
def joined_by_or():
    either = [{"IsMember": [True]}, {"Amount": [{"numeric": [">", 100]}]}]
    return pattern("IsMember", "Amount", **{"$or": either})


@wrong_answer("07-3", "exactly 100")
def from_100_on():
    return pattern(Amount=[{"numeric": [">=", 100]}])


@wrong_answer("07-3", "less than a dollar")
def from_101_on():
    return pattern(Amount=[{"numeric": [">=", 101]}])


@wrong_answer("07-3", "Guests' orders")
def membership_need_only_be_there():
    return pattern(IsMember=[{"exists": True}])


@wrong_answer("07-3", "small orders")
def members_alone():
    return pattern("Amount")


@wrong_answer("07-3", "makes a difference")
def orders_only():
    return pattern("IsMember", "Amount")


@wrong_answer("07-3", "text, null or missing")
def numbers_or_any_text():
    return pattern(Amount=[{"numeric": [">", 100]}, {"wildcard": "*"}])


@wrong_answer("07-3", "does not say plainly")
def membership_in_every_spelling():
    return pattern(IsMember=[True, "true", 1])


@wrong_answer("07-3", "Somebody else's events")
def any_source():
    return pattern("source")


@wrong_answer("07-3", "of another type")
def any_type():
    return pattern("detail-type")


@wrong_answer("07-3", "more than one detail type")
def one_type():
    return pattern(outside={"detail-type": ["OrderPlaced"]})


@wrong_answer("07-3", "without an order id")
def any_id():
    return pattern("OrderId")


@wrong_answer("07-3", "nobody has asked about")
def up_to_a_thousand():
    return pattern(Amount=[{"numeric": [">", 100, "<=", 20000]}])
