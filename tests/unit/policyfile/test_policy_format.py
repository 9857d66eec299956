"""The canonical form of policy files: what changes, what stays, and what is never lost."""

import json

import pytest

from grantproof.policyfile import policy_format
from grantproof.policyfile.policy_format import format_policy
from grantproof.policyfile.policy_layout import read_layout
from grantproof.policyfile.policy_text import write_json, write_yaml
from grantproof.policyfile.source import Problem
from tests.policies import accepted

HEAD = "apiVersion: grantproof/v1\nkind: Organization\n"


def formatted(text: str) -> str:
    """The canonical form, which is its own."""
    made = format_policy(text)
    assert isinstance(made, str), made
    assert format_policy(made) == made
    return made


UNTIDY = """\


# yaml-language-server: $schema=x.json

# Of the shop.


kind:    Organization
apiVersion: grantproof/v1
id: shop # the id


# ---- what roles may do
claims:   # all of them

    - role: clerk   # holder
      # the id
      id: c1
      action: read
      resource: '*'
      constraints: &office
          - start: 8
            type: time_window
            end: 18  # closes
          # end of constraints
    # finance
    - {id: c2, role: clerk, resource: "kind:doc", action: write, constraints: *office}
    - # after a dash
      id: c3
      constraints: [ {type: rate_limit, per_minute: 4}, # one
        # before two
        {limit: 3,
         type: max_usage}
        # last
        ]
    # end of claims

# who there is
roles:
- id: clerk



- parents: [
    clerk]
  id: boss
  colour: red
# the foot
"""

TIDY = """\
# yaml-language-server: $schema=x.json

# Of the shop.

apiVersion: grantproof/v1
kind: Organization
id: shop  # the id

# who there is
roles:
- id: clerk

- id: boss
  parents: [clerk]
  colour: red

# ---- what roles may do
claims:  # all of them
# the id
- id: c1
  role: clerk  # holder
  action: read
  resource: '*'
  constraints: &office
  - type: time_window
    start: 8
    end: 18  # closes
  # end of constraints
# finance
- {id: c2, role: clerk, action: write, resource: "kind:doc", constraints: *office}
# after a dash
- id: c3
  constraints:
  - {type: rate_limit, per_minute: 4}  # one
  # before two
  - {type: max_usage, limit: 3}
  # last
# end of claims
# the foot
"""


def test_an_untidy_file_is_put_in_order() -> None:
    """Keys by the schema, comments with what they belong to, groups and brackets as they were."""
    assert formatted(UNTIDY) == TIDY


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("roles: []\n", "roles: []\n"),
        ("roles:   [ ]\n", "roles: []\n"),
        ("roles:\n    -   id:   a\n", "roles:\n- id: a\n"),
        ("roles:\n- id: a\n  parents:\n    - b\n", "roles:\n- id: a\n  parents:\n  - b\n"),
        ("roles: [{'id': a, }]", "roles: [{'id': a}]\n"),
        ("roles:\r\n- id: a\r\n", "roles:\n- id: a\n"),
        ("x: 'a\n  b'\n", 'x: "a b"\n'),
        ('x: "tab\\t\n  \\u00e9 é"\n', 'x: "tab\\t é é"\n'),
        ("x: |\n     a\n\n\n      b\ny: 1\n", "x: |\n  a\n\n\n   b\ny: 1\n"),
        ("x: >-\n  a\n  b\ny: 1\n", "x: |-\n  a b\ny: 1\n"),
        ("x: | # c\n  a\n", "x: |  # c\n  a\n"),
        ("x: |+\n  a\n\ny: 1\n", 'x: "a\\n\\n"\n\ny: 1\n'),
        ("x: !!str 12\n", 'x: "12"\n'),
        ("x: &a 1\ny: *a\n", "x: &a 1\ny: *a\n"),
        ("x:\n- - a\n  -   b\n- {}\n", "x:\n- - a\n  - b\n- {}\n"),
        ("x:\ny: {a: , b}\n", "x:\ny: {a: null, b: null}\n"),
        ("x: [a,#c\n b]\n", "x:\n- a  #c\n- b\n"),
        ("x: {? a : b}\n? y\n: 1\n", "x: {a: b}\ny: 1\n"),
        ("x:\n  # inside\n  1\n", "# inside\nx: 1\n"),
        ("%s: 1\n" % ("x" * 101), "%s: 1\n" % ("x" * 101)),
        ("x: [%s]\n" % ("a" * 95), "x: [%s]\n" % ("a" * 95)),
        ("x: [%s]\n" % ("a" * 96), "x:\n- %s\n" % ("a" * 96)),
    ],
)
def test_each_form_of_yaml_has_one_layout(written: str, expected: str) -> None:
    """Indentation, brackets, quotes over several lines, literals, anchors, empty values."""
    assert formatted(HEAD + written) == HEAD + expected


def test_keys_stay_where_an_alias_needs_them() -> None:
    """When the order of the schema would put an alias before its anchor, the order is kept."""
    text = HEAD + "claims: &x []\nroles: *x\n"
    assert formatted(text) == text


def test_json_is_formatted_as_json() -> None:
    """Keys by the schema, two spaces an indentation, nothing escaped without need."""
    roles = '[{"parents": [], "id": "é"}]'
    text = f'{{"kind": "Organization", "apiVersion": "grantproof/v1", "roles": {roles}}}'
    made = formatted(text)
    assert json.loads(made) == json.loads(text)
    assert made.startswith('{\n  "apiVersion": "grantproof/v1",\n  "kind": "Organization",\n')
    assert made.endswith('"id": "é",\n      "parents": []\n    }\n  ]\n}\n')


def test_what_is_exported_is_canonical() -> None:
    """In both forms."""
    document = accepted(
        HEAD + "id: a\nkinds: [{id: k}]\nroles: [{id: r, parents: [q]}, {id: q}]\n"
        "principals: [{id: p, attributes: {a: [x], b: 'x # y', c: \"1\\n 2\"}}]\n"
        "claims: [{id: c, role: r, action: read, resource: 'kind:k', constraints:"
        " [{type: attribute, path: context.a, op: eq, operand: {path: clock.year}}]}]\n"
    )
    assert format_policy(write_json(document)) == write_json(document)
    assert formatted(write_yaml(document)) == write_yaml(document)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: [", "not YAML"),
        (HEAD + "a: 1\na: 2\n", "must not be given twice"),
        ("kind: Service\n", "is no policy file: it must say `apiVersion: grantproof/v1` and"),
        ("[]\n", "is no policy file"),
        (HEAD + "x: a\u2028b\n", "must have no line breaks but the usual ones"),
        (HEAD + 'x: !!int "3"\n', "cannot be formatted without changing what it says"),
        (
            '{"apiVersion": "grantproof/v1", "kind": "Organization", "x": 1e999}',
            "must hold no number that JSON cannot say",
        ),
    ],
)
def test_what_has_no_canonical_form_is_left_alone(text: str, rule: str) -> None:
    """Nothing that cannot be read, that is something else, or that would change its meaning."""
    made = format_policy(text)
    assert isinstance(made, tuple)
    assert [problem.message.startswith(rule) for problem in made] == [True]


def test_the_first_line_break_that_is_not_usual_is_shown() -> None:
    """In its line and column: an editor shows nothing there."""
    made = format_policy(HEAD + "x: 1\r\ny: a\u2028b\x85\n")
    rule = "must have no line breaks but the usual ones"
    assert made == (Problem((), HEAD.count("\n") + 2, 5, rule),)


@pytest.mark.parametrize("lost", ["# one\n", "1"])
def test_a_layout_that_loses_something_is_never_returned(
    lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment or a value: what was made is read again, and held to what was given."""
    spaced = policy_format._spaced  # noqa: SLF001 - the last step, spoilt on purpose

    def lossy(lines: list[str]) -> list[str]:
        return [line.replace(lost.strip(), "") for line in spaced(lines)]

    monkeypatch.setattr(policy_format, "_spaced", lossy)
    made = format_policy(HEAD + "# one\nx: 1\n")
    assert isinstance(made, tuple)


def test_comments_are_told_from_signs_within_scalars() -> None:
    """And within the names of anchors."""
    text = (
        "a: 'x # y' # one\nb: x#y\nc: &n#m 1 # two\nd: |\n  # text\n# three\ne: [*n#m ,#four\n]\n"
    )
    assert read_layout(text).comments == ["# one", "# two", "# three", "#four"]
