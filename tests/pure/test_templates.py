"""Process definitions: what is read, what is refused and with which words, what is published about them."""

import json
import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gndp.core.errors import Invalid, NotFound
from gndp.core.templates import (
    MAX_MINUTES,
    Phase,
    Step,
    Template,
    fingerprint,
    parse_template,
    template_document,
    template_json_schema,
)

ROOT = Path(__file__).parents[2]
DEMO = sorted(path.name for path in (ROOT / "gndp" / "definitions").glob("*.yaml"))


def definition(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A definition with these steps, each with its id as its name unless it has one."""
    return {
        "id": "d",
        "name": "D",
        "steps": [{"name": step.get("id", "x"), **step} for step in steps],
        **more,
    }


def problems(document: Any) -> dict[str, str]:
    """What is wrong with a document, by place (the last one when a place has several)."""
    with pytest.raises(Invalid) as refusal:
        parse_template(document)
    str(refusal.value).encode()
    return {problem.place: problem.message for problem in refusal.value.problems}


LOAN = """
id: loan
name: Loan
process_type: journey
priority: high
sla_minutes: 600
estimated_minutes: 300
description: A loan.
phases:
  - name: Intake
    steps:
      - {id: apply, name: Apply, team: intake}
  - name: Decision
    steps:
      - id: check
        name: Check
        type: automated
        depends_on: [apply]
        max_retries: 0
      - id: decide
        name: Decide
        type: approval
        team: underwriting
        required_skills: {underwriting: 4}
        assignment_method: skill_based
        priority: critical
        estimated_minutes: 30
        sla_minutes: 60
        depends_on: [apply, check]
        different_person_from: [apply]
        form: {type: object, required: [decision], properties: {decision: {enum: ["yes", "no"]}}}
"""


def test_a_definition_is_read_whole():
    loan = parse_template(LOAN)
    assert loan == Template(
        id="loan",
        name="Loan",
        description="A loan.",
        process_type="journey",
        priority="high",
        sla_minutes=600,
        estimated_minutes=300,
        phases=(
            Phase("Intake", (Step("apply", "Apply", team="intake"),)),
            Phase(
                "Decision",
                (
                    Step("check", "Check", "automated", depends_on=("apply",), max_retries=0),
                    Step(
                        "decide",
                        "Decide",
                        "approval",
                        team="underwriting",
                        required_skills={"underwriting": 4},
                        assignment_method="skill_based",
                        priority="critical",
                        estimated_minutes=30,
                        sla_minutes=60,
                        depends_on=("apply", "check"),
                        different_person_from=("apply",),
                        form={
                            "type": "object",
                            "required": ["decision"],
                            "properties": {"decision": {"enum": ["yes", "no"]}},
                        },
                    ),
                ),
            ),
        ),
    )


def test_steps_and_their_phases_can_be_looked_up():
    loan = parse_template(LOAN)
    assert [step.id for step in loan.steps] == ["apply", "check", "decide"]
    assert loan.step("decide").team == "underwriting"
    assert loan.phase_of("decide") == "Decision"
    with pytest.raises(NotFound, match="no step nothing"):
        loan.step("nothing")
    with pytest.raises(NotFound):
        loan.phase_of("nothing")


def test_people_are_kept_apart_both_ways():
    steps = [
        {"id": "a"},
        {"id": "b", "different_person_from": ["a"]},
        {"id": "c", "different_person_from": ["b"]},
    ]
    template = parse_template(definition(*steps))
    assert template.people_apart("a") == {"b"}
    assert template.people_apart("b") == {"a", "c"}
    assert template.people_apart("unknown") == frozenset()


def test_a_definition_without_phases_has_one_without_a_name():
    template = parse_template(definition({"id": "a"}))
    assert template.phases == (Phase(None, (Step("a", "a"),)),)
    assert template.phase_of("a") is None
    assert parse_template(template) == template
    assert template_document(template) == {"id": "d", "name": "D", "steps": [{"id": "a", "name": "a"}]}


def test_defaults_are_the_published_ones():
    (step,) = parse_template(definition({"id": "a"})).steps
    assert (step.type, step.assignment_method, step.max_retries, step.priority) == (
        "manual",
        "manual",
        3,
        None,
    )
    published = template_json_schema()["$defs"]["step"]["properties"]
    assert {key: field["default"] for key, field in published.items() if "default" in field} == {
        "type": "manual",
        "assignment_method": "manual",
        "max_retries": 3,
    }


def test_yaml_json_bytes_mapping_and_objects_say_the_same():
    loan = parse_template(LOAN)
    document = yaml.safe_load(LOAN)
    spelled_out = {**document, "phases": [*document["phases"]]}
    spelled_out["phases"][0]["steps"][0].update(type="manual", depends_on=[], max_retries=3.0)
    for other in (
        LOAN.encode(),
        "\ufeff" + LOAN,
        json.dumps(document),
        json.dumps(document, indent="\t"),
        document,
        loan,
        spelled_out,
    ):
        assert parse_template(other) == loan
        assert fingerprint(parse_template(other)) == fingerprint(loan)
    assert json.loads(json.dumps(template_document(loan))) == template_document(loan)
    assert fingerprint(parse_template(LOAN.replace("name: Loan", "name: Lean"))) != fingerprint(loan)


def test_values_are_plain_texts_and_numbers():
    step = parse_template(definition({"id": "a", "priority": "high", "sla_minutes": 60.0})).steps[0]
    assert type(step.priority) is type(step.type) is type(step.assignment_method) is str
    assert type(step.sla_minutes) is int


def test_all_problems_come_at_once_with_their_place():
    found = problems(
        """
id: Not An Id
name: " "
owner: ann
priority: urgent
sla_minutes: 0
phases:
  - name: First
    steps:
      - {id: a, name: A, depends_on: [a, nowhere], colour: red}
      - {id: b, name: B, depends_on: [c], required_skills: {law: 6, "": 1}, max_retries: -1}
      - {id: c, name: C, depends_on: [b], different_person_from: [c, nowhere], assignment_method: magic}
      - {name: D, sla_minutes: soon, estimated_minutes: 1.5, team: 7}
  - name: First
    steps: []
  - steps:
      - {id: a, name: A, form: {properties: {x: {type: string, $ref: "#/none"}}}}
      - 5
"""
    )
    assert found == {
        "id": "must match the pattern ^[a-z0-9][a-z0-9_.-]*$",
        "name": r"must match the pattern \S",
        "owner": "is not a known field",
        "priority": "must be one of 'low', 'medium', 'high', 'critical'",
        "sla_minutes": "must be at least 1",
        "phases[0].steps[0].colour": "is not a known field",
        "phases[0].steps[0].depends_on[0]": "a step cannot depend on itself",
        "phases[0].steps[0].depends_on[1]": "there is no step 'nowhere' in this definition",
        "phases[0].steps[1].required_skills.law": "must be at most 5",
        "phases[0].steps[1].required_skills['']": "is not an allowed name",
        "phases[0].steps[1].max_retries": "must be at least 0",
        "phases[0].steps[2].depends_on[0]": "the steps depend on each other: b → c → b",
        "phases[0].steps[2].different_person_from[0]": "a step cannot differ from itself",
        "phases[0].steps[2].different_person_from[1]": "there is no step 'nowhere' in this definition",
        "phases[0].steps[2].assignment_method": (
            "must be one of 'manual', 'round_robin', 'load_balanced', 'skill_based', 'last_performer'"
        ),
        "phases[0].steps[3].id": "is missing",
        "phases[0].steps[3].sla_minutes": "must be a whole number, not a text",
        "phases[0].steps[3].estimated_minutes": "must be a whole number, not a number",
        "phases[0].steps[3].team": "must be a text, not a whole number",
        "phases[1].name": "'First' is the name of phases[0] already",
        "phases[1].steps": "must not be empty",
        "phases[2].name": "is missing",
        "phases[2].steps[0].id": "'a' is the id of phases[0].steps[0] already",
        "phases[2].steps[0].form.properties.x.$ref": (
            "must name a part of this form, such as '#/$defs/address', not '#/none'"
        ),
        "phases[2].steps[1]": "must be an object, not a whole number",
    }


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({}, "id"),
        ({"id": "d", "name": "D"}, "phases"),
        ({"id": "d", "name": "D", "steps": []}, "steps"),
        ({"id": "d", "name": "D", "phases": []}, "phases"),
        ({"id": "d", "name": "D", "phases": [{"name": "P", "steps": []}]}, "phases[0].steps"),
        (definition({"id": "a"}, phases=[]), "phases"),
        (definition({"id": "a\n"}), "steps[0].id"),
        (definition({"id": "a" * 101}), "steps[0].id"),
        (definition({"id": "a", "name": "x" * 201}), "steps[0].name"),
        (definition({"id": "a", "name": "x\0"}), "steps[0].name"),
        (definition({"id": "a", "name": "x\ud800"}), "steps[0].name"),
        (definition({"id": "a", "sla_minutes": MAX_MINUTES + 1}), "steps[0].sla_minutes"),
        (definition({"id": "a", "sla_minutes": True}), "steps[0].sla_minutes"),
        (definition({"id": "a", "sla_minutes": float("nan")}), "steps[0].sla_minutes"),
        (definition({"id": "a", "depends_on": "b"}), "steps[0].depends_on"),
        (definition({"id": "a"}, {"id": "b", "depends_on": ["a", "a"]}), "steps[1].depends_on[1]"),
        (definition({"id": "a", "depends_on": [None]}), "steps[0].depends_on[0]"),
        (definition({"id": "a", "form": []}), "steps[0].form"),
        (definition({"id": "a", "form": {"$ref": "https://example.com"}}), "steps[0].form.$ref"),
        (definition({"id": "a", "form": {"const": {1, 2}}}), "steps[0].form.const"),
        (definition({"id": "a", 5: 6}), "steps[0][5]"),
        ([], ""),
        ("[]", ""),
        ("text", ""),
        (Template("d", "D", phases=()), "phases"),
        (Template("d", "D", phases=5), "phases"),
        (Template("d", "D", phases=(Phase("P", (Step("a", None),)),)), "phases[0].steps[0].name"),
        (
            Template("d", "D", phases=(Phase(None, (Step("a", "A", depends_on=("b",)),)),)),
            "steps[0].depends_on[0]",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_problem_is_found_at_its_place(document, place):
    assert place in problems(document)


def test_documents_of_any_kind_of_container_are_read():
    document = {"id": "d", "name": "D", "phases": ({"name": "P", "steps": [Step("a", "A")]},)}
    assert parse_template(document).steps == (Step("a", "A"),)


def test_each_of_several_cycles_is_named():
    steps = [{"id": x, "depends_on": [y]} for x, y in ("ab", "bc", "ca", "de", "ed")]
    found = problems(definition(*steps, {"id": "f", "depends_on": ["a"]}))
    assert found == {
        "steps[2].depends_on[0]": "the steps depend on each other: a → b → c → a",
        "steps[4].depends_on[0]": "the steps depend on each other: d → e → d",
    }


def test_a_long_cycle_is_named_in_short():
    steps = [{"id": f"s{i}", "depends_on": [f"s{(i + 1) % 3000}"]} for i in range(3000)]
    (word,) = problems(definition(*steps)).values()
    assert word.startswith("the steps depend on each other: s0 → s1 → ")
    assert len(word) < 300


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps whose dependencies lead only to steps before them in a hidden order."""
    count = draw(st.integers(2, 12))
    steps = []
    for number in range(count):
        before = draw(st.sets(st.integers(0, number - 1), max_size=4)) if number else set()
        steps.append({"id": f"s{number}", "depends_on": [f"s{other}" for other in sorted(before)]})
    return steps


@given(graphs(), st.randoms(use_true_random=False))
def test_any_graph_without_a_cycle_is_read_in_any_order(steps, random):
    random.shuffle(steps)
    template = parse_template(definition(*steps))
    assert [(step.id, list(step.depends_on)) for step in template.steps] == [
        (step["id"], step["depends_on"]) for step in steps
    ]
    assert parse_template(template_document(template)) == template
    assert parse_template(yaml.safe_dump(template_document(template))) == template


@given(graphs(), st.data())
def test_an_edge_back_is_always_reported_as_a_cycle(steps, data):
    """Add a path from the first of two steps to the second, then an edge back, and follow what is named."""
    first, last = sorted(
        data.draw(st.lists(st.integers(0, len(steps) - 1), min_size=2, max_size=2, unique=True))
    )
    by_id = {step["id"]: set(step["depends_on"]) for step in steps}
    for number in range(first + 1, last + 1):
        by_id[f"s{number}"].add(f"s{number - 1}")
    by_id[f"s{first}"].add(f"s{last}")
    found = problems(definition(*({"id": id, "depends_on": sorted(on)} for id, on in by_id.items())))
    words = [word for word in found.values() if "depend on each other" in word]
    assert words
    assert len(words) == len(found)
    for word in words:
        cycle = re.findall(r"s\d+", word)
        assert cycle[0] == cycle[-1]
        assert all(other in by_id[step] for step, other in pairwise(cycle))


KEYS = st.sampled_from([*template_json_schema()["$defs"]["step"]["properties"], "phases", "steps", "$ref"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
)
TELLING = KEYS | st.sampled_from(["a", "b", "manual", "object", "#", "#/properties", "\0", "\ud800"])
JUNK = st.recursive(
    SCALARS | TELLING,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS | st.text(max_size=3) | st.integers(), inner, max_size=5)
    ),
    max_leaves=30,
)
STEPS = st.lists(st.dictionaries(KEYS, JUNK, max_size=6) | JUNK, max_size=4)


@given(
    JUNK
    | st.fixed_dictionaries({"id": JUNK, "name": JUNK, "steps": STEPS})
    | st.fixed_dictionaries({"phases": JUNK})
)
def test_junk_is_never_more_than_invalid(document):
    try:
        template = parse_template(document)
    except Invalid as refusal:
        assert refusal.problems
        str(refusal).encode()
    else:
        assert parse_template(template_document(template)) == template


@given(st.text() | st.binary() | JUNK.map(repr) | st.text("[]{}:,-&*!?|>'\"#% ab1\n\t\\"))
def test_junk_text_is_never_more_than_invalid(text):
    try:
        parse_template(text)
    except Invalid as refusal:
        str(refusal).encode()


@given(st.text("aes:-[]{}&*\n ,'\"", max_size=10), st.integers(0, len(LOAN)), st.integers(0, 10))
def test_a_damaged_definition_is_never_more_than_invalid(patch, position, removed):
    try:
        parse_template(LOAN[:position] + patch + LOAN[position + removed :])
    except Invalid as refusal:
        str(refusal).encode()


# The published schema and the definitions that come with the package ------------------------------------


def test_the_published_schema_is_the_generated_one():
    published = (ROOT / "docs" / "reference" / "definition.schema.json").read_text(encoding="utf-8")
    generated = json.dumps(template_json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert published == generated, "docs/reference/definition.schema.json is stale: run `make docs`"


def test_the_published_schema_is_a_schema_that_describes_every_field():
    schema = template_json_schema()
    Draft202012Validator.check_schema(schema)
    objects = [schema, schema["$defs"]["phase"], schema["$defs"]["step"]]
    for properties in (item["properties"] for item in objects):
        assert all(field["description"].endswith(".") for field in properties.values())
    assert set(objects[0]["properties"]) == {*Template.__dataclass_fields__, "steps"}
    assert set(objects[1]["properties"]) == set(Phase.__dataclass_fields__)
    assert set(objects[2]["properties"]) == set(Step.__dataclass_fields__)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": "d", "name": "D"},
        definition({"id": "a"}, phases=[]),
        definition({"id": "a", "form": {"type": 5}}),
    ],
)
def test_the_published_schema_refuses_what_the_parser_refuses(document):
    assert problems(document)
    assert not Draft202012Validator(template_json_schema()).is_valid(document)


@pytest.mark.parametrize("name", DEMO)
def test_the_demo_definitions_are_good_and_round_trip(name):
    text = files("gndp").joinpath("definitions", name).read_bytes()
    template = parse_template(text)
    assert template.id == name.removesuffix(".yaml")
    assert parse_template(template_document(template)) == template
    assert Draft202012Validator(template_json_schema()).is_valid(template_document(template))
    assert all(step.team and step.estimated_minutes for step in template.steps)
    # What people do has policies along a calendar; machines work around the clock.
    machines = [step for step in template.steps if step.type in ("automated", "notification")]
    assert [step for step in template.steps if step.sla_minutes] == machines


def test_the_purchase_loan_branches_joins_and_keeps_people_apart():
    loan = parse_template(files("gndp").joinpath("definitions", "purchase_loan.yaml").read_bytes())
    assert DEMO == ["customer_onboarding.yaml", "document_approval.yaml", "purchase_loan.yaml"]
    assert {step.type for step in loan.steps} == {"manual", "automated", "approval", "notification"}
    assert len(loan.step("underwrite").depends_on) == 4
    assert loan.people_apart("underwrite") == {"approve_loan"}


def test_the_definition_in_the_how_to_is_good():
    page = (ROOT / "docs" / "how-to" / "templates.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert example
    assert len(parse_template(example[1]).steps) == 3
