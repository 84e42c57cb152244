"""Reading YAML and JSON: what each text means, and what is refused before anything else looks at it."""

import re

import pytest

from gndp.core.documents import MAX_BYTES
from gndp.core.errors import Invalid
from gndp.core.templates import parse_template


def problems(text: str | bytes) -> dict[str, str]:
    """What is wrong with a text, by place."""
    with pytest.raises(Invalid) as refusal:
        parse_template(text)
    str(refusal.value).encode()
    return {problem.place: problem.message for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("id: [1", "line 2, column 1", "is not YAML"),
        ("id: a\nname: b: c", "line 2, column 8", "is not YAML"),
        ('{"id": "d",\n "name" "D"}', "line 2, column 9", "is not YAML"),
        ("id: a\x01", "line 1, column 6", "control characters"),
        ("id: a\nname: \0", "line 2, column 7", "NUL"),
        ("id: \ud800", "line 1, column 5", "surrogate"),
        (b"id: \xff", "", "not UTF-8 (at byte 4)"),
        ("", "", "empty"),
        ("# nothing", "", "empty"),
        ("id: a\n---\nid: b", "line 2, column 1", "another document"),
        ("id: a\nname: b\nid: c", "id", "given twice (line 3, column 1)"),
        ("steps: [{id: a, id: b}]", "steps[0].id", "given twice"),
        ('{"steps": [{"id": 1, "id": 2}]}', "steps[0].id", "given twice"),
        ("id: *nothing", "line 1, column 5", "undefined alias"),
        ("1: a", "", "not a text"),
        ("? [a]\n: b", "", "not a text"),
        ("id: !!python/object/apply:os.getcwd []", "id", "is not supported"),
        ("id: !!binary aGk=", "id", "is not supported"),
        ("id: !!int x", "id", "cannot be read as the int"),
        ("id: " + "9" * 5000, "id", "cannot be read"),
        ('{"id": ' + "9" * 5000 + "}", "", "too many digits"),
        ("#" + "x" * MAX_BYTES, "", "it may have 1,000,000"),
        (b"#" + b"x" * MAX_BYTES, "", "it may have 1,000,000"),
        ('{"a":' * 150_000, "", "nested deeper"),
        ("&a [*a]", "[0]" * 32, "nested deeper"),
        ("a: &a [*b]", "line 1, column 8", "undefined alias"),
    ],
    ids=range(26),
)
def test_unreadable_texts_are_refused_with_the_place(text, place, word):
    found = problems(text)
    assert place in found
    assert word in found[place]


def test_endless_nesting_is_refused_where_the_parser_notices_it():
    (place, problem), *others = problems("[" * 400_000).items()
    assert re.fullmatch(r"line 1, column \d+", place)
    assert "nested deeper" in problem
    assert not others


def test_an_alias_bomb_is_refused():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 12):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    assert any("aliases" in word for word in problems(bomb).values())


def test_aliases_may_share_a_form():
    text = """
id: d
name: D
steps:
  - {id: a, name: A, form: &form {required: [x]}}
  - {id: b, name: B, form: *form}
"""
    a, b = parse_template(text).steps
    assert a.form == b.form == {"required": ["x"]}
    assert a.form is not b.form


def test_plain_words_of_yaml_mean_what_they_mean_in_json():
    text = """
id: d
name: no
steps:
  - {id: on, name: 12:30, team: 2024-05-31, sla_minutes: 010, form: {minimum: 1e3, default: ~, const: true}}
"""
    template = parse_template(text)
    assert template.name == "no"
    (step,) = template.steps
    assert (step.id, step.name, step.team, step.sla_minutes) == ("on", "12:30", "2024-05-31", 10)
    assert step.form == {"minimum": 1000, "default": None, "const": True}


def test_surrogate_pairs_of_json_are_one_character():
    assert (
        parse_template(r'{"id": "d", "name": "\ud83d\ude00", "steps": [{"id": "a", "name": "A"}]}').name
        == "😀"
    )
