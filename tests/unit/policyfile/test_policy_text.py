"""Policy text: what YAML and JSON may hold, and every problem with its line and column."""

import json

import pytest

from grantproof.core.attributes import attributes
from grantproof.policyfile import json_source, yaml_source
from grantproof.policyfile.policy_format import format_policy
from grantproof.policyfile.policy_text import (
    read_source,
    write_json,
    write_yaml,
)
from grantproof.policyfile.source import Source
from tests.policies import accepted, problems

HEAD = "apiVersion: grantproof/v1\nkind: Organization\nid: acme\n"
JSON_HEAD = '{"apiVersion": "grantproof/v1", "kind": "Organization", "id": "acme"'

OVER_MIDNIGHT = "must be before `end`: write a window over midnight as two claims"


def test_yaml_and_json_say_the_same() -> None:
    """One organization, in block style, in flow style, and as JSON."""
    block = HEAD + "roles:\n  - id: viewer\n  - id: editor\n    parents: [viewer]\n"
    flow = HEAD + 'roles: [{id: viewer}, {"id": editor, "parents": ["viewer"]}]\n'
    text = JSON_HEAD + ',\n\t"roles": [{"id": "viewer"}, {"id": "editor", "parents": ["viewer"]}]}'
    assert accepted(block) == accepted(flow) == accepted(text)


@pytest.mark.parametrize(
    "text", ["id: acme\nroles:\n  - id: a\n", '{"id": "acme", "roles":\n\n[{"id": "a"}]}']
)
def test_a_source_remembers_where_its_parts_stand(text: str) -> None:
    """A brace at the beginning says JSON, anything else YAML; both are read alike."""
    source = read_source(text)
    assert isinstance(source, Source)
    assert source.data == {"id": "acme", "roles": [{"id": "a"}]}
    path = ("roles", 0, "id")
    assert source.locate([path])[path][0] == 3


def test_every_problem_of_a_yaml_text_is_told_in_its_place() -> None:
    """Values show where they stand, lists and objects by their key, gaps by what they are in."""
    text = (
        "apiVersion: grantproof/v2\n"
        "kind: Organization\n"
        "id: acme corp\n"
        "owner:\n"
        "  name: ann\n"
        "roles:\n"
        "  - parents: []\n"
        "claims:\n"
        "  - {id: c1, role: r, action: read, resource: docs,\n"
        "     constraints: [{type: time_window, start: 18, end: 8}]}\n"
    )
    assert problems(text) == [
        "p.yaml:1:13: apiVersion: must be `grantproof/v1`",
        "p.yaml:3:5: id: must match [A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*",
        "p.yaml:4:1: owner: is not a known field",
        "p.yaml:7:5: roles[0].id: is required",
        f"p.yaml:10:47: claims[0].constraints[0].start: {OVER_MIDNIGHT}",
    ]


def test_every_problem_of_a_json_text_is_told_in_its_place() -> None:
    """The same for JSON, tabs and escaped characters included."""
    text = JSON_HEAD + (
        ',\n\t"roles": [{"id": "a\\"b"},\n\t\t{}],\n"\\u0070rincipals": [{"id": "x",'
        '\n "active": 1}],\n"more": {\n"x": []}}'
    )
    assert problems(text) == [
        "p.yaml:2:19: roles[0].id: must match [A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*",
        "p.yaml:3:3: roles[1].id: is required",
        "p.yaml:5:12: principals[0].active: must be true or false",
        "p.yaml:6:1: more: is not a known field",
    ]


ANOTHER = (
    "p.yaml:2:1: not YAML: expected a single document in the stream, but found another document"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "p.yaml:2:1: a: must not be given twice"),
        ("a:\n  - {b: 1, b: 2}\n", "p.yaml:2:12: a[0].b: must not be given twice"),
        ('{"a": 1,\n "a": 2}', "p.yaml:2:2: a: must not be given twice"),
        ('{"a": [{"b": 1, "b": 2}]}', "p.yaml:1:17: a[0].b: must not be given twice"),
        ("a: !!python/name:x y\n", "p.yaml:1:4: a: must not have a tag"),
        ("a: !x 1\n", "p.yaml:1:4: a: must not have a tag"),
        ("a: !!set {x}\n", "p.yaml:1:4: a: must not have a tag"),
        ("<<: {a: 1}\n", "p.yaml:1:1: must have strings as keys, and no merges"),
        ("? [a]\n: 1\n", "p.yaml:1:3: must have strings as keys, and no merges"),
        ("a: 0x1F\n", "p.yaml:1:4: a: must be written in decimal digits"),
        ("a: " + "9" * 4_001, "p.yaml:1:4: a: must be written in decimal digits"),
        ("a: [1\n", "p.yaml:2:1: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: *b\n", "p.yaml:1:4: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", ANOTHER),
        ("a: \0\n", "p.yaml:1:4: not YAML: unacceptable character #x0000: special characters"),
        ("a: 1\nb: \x1b", "p.yaml:2:4: not YAML: unacceptable character #x001b: special"),
        ("", "p.yaml:1:1: must be an object"),
        ("- 1\n", "p.yaml:1:1: must be an object"),
        ('{"a": 1', "p.yaml:1:8: not JSON: expecting ',' delimiter"),
        ('{"a":\n [1,?]}', "p.yaml:2:5: not JSON: expecting value"),
        ('{"a": ' + "9" * 5_000 + "}", "p.yaml:1:1: must not hold a number of so many digits"),
        ('{"a": ' + "[" * 100_000, "p.yaml:1:1: must not be nested so deep"),
        ("[" * 600, "p.yaml:1:1: must be nested at most 16 deep"),
        ("a: " + "[" * 20 + "]" * 20, "p.yaml:1:20: a[0][0]"),
        ("- &a [*a]\n", "p.yaml:1:3: [0][0][0]"),
    ],
)
def test_a_text_that_cannot_be_trusted_is_refused(text: str, expected: str) -> None:
    """Repeated keys, tags, merges, depth and broken syntax are one problem in their place."""
    (found,) = problems(text)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("roles:\n\n# none yet\n", "4:1: roles"),
        ("roles: [{id: a, parents: }]\n", "4:17: roles[0].parents"),
        ("roles:\n- id: a\n  parents:\n\n\n- id: b\n", "6:3: roles[0].parents"),
        ("roles:\n-\n\n- id: b\n", "5:2: roles[0]"),
    ],
)
def test_what_is_left_empty_is_shown_where_it_is(text: str, place: str) -> None:
    """By its key, or behind its dash: not where something follows, which may be past the end."""
    head = "apiVersion: grantproof/v1\nkind: Organization\nid: acme\n"
    (found,) = problems(head + text)
    assert found.startswith(f"p.yaml:{place}: must be a")


def test_a_number_too_large_is_told_as_one() -> None:
    """It is written in decimal digits, however many: the rule of its field says what is wrong."""
    text = (
        "apiVersion: grantproof/v1\nkind: Organization\nid: acme\n"
        f"principals:\n- {{id: a, attributes: {{k: -{'9' * 30}}}}}\n"
    )
    assert problems(text) == ["p.yaml:5:27: principals[0].attributes.k: must fit in 64 bits"]


def test_an_alias_repeats_what_its_anchor_holds() -> None:
    """Constraints may be written once and used again."""
    text = HEAD + (
        "roles: [{id: r}]\nkinds: [{id: d}]\nclaims:\n"
        "  - {id: a, role: r, action: read, resource: 'kind:d', constraints: &office\n"
        "      [{type: time_window, start: 8, end: 18}]}\n"
        "  - {id: b, role: r, action: write, resource: 'kind:d', constraints: *office}\n"
    )
    first, second = accepted(text).claims
    assert first.constraints == second.constraints != ()


def test_a_bomb_of_aliases_is_refused_quickly() -> None:
    """Nine lines that mean a hundred million values are one problem."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 10)]
    (found,) = problems("\n".join(lines))
    assert found.endswith("must repeat at most 10000 parts by aliases")


def test_aliases_are_limited_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many repetitions as the limit are read, one more is refused."""
    monkeypatch.setattr(yaml_source, "ALIASED_NODES_MAX", 3)
    groups = "groups: [{id: a}]\nmore: &x y\nlist: "
    assert "aliases" not in str(problems(groups + "[*x, *x, *x]"))
    assert "aliases" in str(problems(groups + "[*x, *x, *x, *x]"))


@pytest.mark.parametrize(
    ("module", "limit", "text"),
    [
        (yaml_source, "YAML_LENGTH_MAX", HEAD),
        (json_source, "JSON_LENGTH_MAX", JSON_HEAD + "}"),
    ],
)
def test_the_length_of_a_text_is_limited_exactly(
    module: object, limit: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text of the greatest length is read, one of a character more is not."""
    monkeypatch.setattr(module, limit, len(text))
    assert accepted(text).id == "acme"
    assert problems(text + "\n")[0].startswith("p.yaml:1:1: must have at most")


def test_yaml_takes_nothing_for_something_else() -> None:
    """Moments stay text, `yes` too; a number or a bool in place of an id is told to be quoted."""
    text = HEAD + "principals:\n  - {id: ann, attributes: {since: 2026-01-31, ok: yes, on: true}}\n"
    held = accepted(text).principals[0].attributes
    assert dict(held) == {"since": "2026-01-31", "ok": "yes", "on": True}
    assert problems(HEAD + "groups: [{id: 1.5}, {id: 12}, {id: true}, {id: }, {id: '7'}]\n") == [
        "p.yaml:4:15: groups[0].id: must be a string: put it in quotes",
        "p.yaml:4:26: groups[1].id: must be a string: put it in quotes",
        "p.yaml:4:36: groups[2].id: must be a string: put it in quotes",
        "p.yaml:4:44: groups[3].id: must be a string",
    ]


def test_an_old_version_of_yaml_changes_no_meaning() -> None:
    """Under `%YAML 1.1` a `yes` is text all the same."""
    text = "%YAML 1.1\n---\n" + HEAD + "principals: [{id: ann, attributes: {ok: yes}}]\n"
    assert accepted(text).principals[0].attributes == attributes({"ok": "yes"})


def test_written_yaml_leaves_out_what_goes_without_saying() -> None:
    """Defaults are not written as YAML, and all written as JSON."""
    document = accepted(HEAD + "principals: [{id: 'true'}, {id: '12', active: false}]\n")
    assert write_yaml(document) == (
        HEAD + "principals:\n- id: 'true'\n- id: '12'\n  active: false\n"
    )
    written = json.loads(write_json(document))
    assert written["principals"][0] == {"id": "true", "active": True, "attributes": {}}
    assert accepted(write_yaml(document)) == accepted(write_json(document)) == document


@pytest.mark.parametrize(
    "text",
    [
        "word " * 60 + "word",
        "one\ntwo",
        "one\n\n two\n",
        " before",
        "after\t",
        "\r",
        "a\x85b",
        "a\u2028b\u2029",
        "\x7f\ufeff",
        "# no comment",
        "- a: b",
        "'\"\\",
        "2026-01-31",
        "0x1f",
        "null",
        "",
    ],
)
def test_any_text_of_an_attribute_survives_being_written(text: str) -> None:
    """In both forms, on one line or in quotes, and the YAML is canonical."""
    attributes = {"a": text, "b": [text]}
    whole = {"id": "p", "attributes": attributes}
    document = accepted(HEAD + f"principals: [{json.dumps(whole)}]\n")
    assert accepted(write_yaml(document)) == accepted(write_json(document)) == document
    assert format_policy(write_yaml(document)) == write_yaml(document)
