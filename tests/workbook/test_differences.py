"""helpers.differences: where two configurations differ."""

from helpers.differences import differences


def compare(left, right, same=None):
    found = differences({"left": left, "right": right}, same or {})
    return {place: tuple(row) for place, row in zip(found.index, found.values.tolist(), strict=True)}


def test_equal_configurations_have_no_differences():
    configuration = {"function": {"Timeout": 3, "Layers": [], "Environment": {"A": "b"}}}
    assert compare(configuration, configuration) == {}
    assert len(differences({"left": configuration, "right": configuration}, {})) == 0


def test_each_difference_has_its_place():
    left = {"function": {"Timeout": 3, "Name": "f"}, "targets": [{"Id": "1"}, {"Id": "2"}]}
    right = {"function": {"Timeout": 10, "Name": "f"}, "targets": [{"Id": "1"}, {"Id": "3"}]}
    assert compare(left, right) == {"function.Timeout": (3, 10), "targets.1.Id": ("2", "3")}


def test_what_one_side_lacks_is_a_difference():
    assert compare({"a": {"b": 1}}, {"a": {}}) == {"a": ("–", {}), "a.b": (1, "–")}
    assert compare({"a": [1]}, {"a": [1, 2]}) == {"a.1": ("–", 2)}
    assert compare({"a": None}, {}) == {"a": (None, "–")}


def test_names_are_translated_in_keys_and_values():
    left = {"sample-queue": "arn:aws:sqs:us-east-1:123456789012:sample-queue"}
    right = {"stack-queue": "arn:aws:sqs:us-east-1:123456789012:stack-queue"}
    assert compare(left, right, {"sample-": "stack-"}) == {}
    assert len(compare(left, right)) == 2


def test_json_in_a_text_is_compared_as_what_it_means():
    assert compare({"pattern": '{"a": [1], "b": 2}'}, {"pattern": '{"b":2,"a":[1]}'}) == {}
    assert compare({"pattern": '{"a": [1]}'}, {"pattern": '{"a": [2]}'}) == {"pattern.a.0": (1, 2)}
    assert compare({"text": "{no json"}, {"text": "{no json either"}) == {"text": ("{no json", "{no json either")}


def test_what_cannot_be_equal_is_left_out():
    left = {"table": {"TableId": "1", "ItemCount": 200, "Tags": [1]}, "policy": '{"Statement": [{"Sid": "a"}]}'}
    right = {"table": {"TableId": "2", "ItemCount": 0}, "policy": '{"Statement": [{"Sid": "b"}]}'}
    assert compare(left, right) == {}
