"""Several policy files read as one: what they hold together, and every problem in its place."""

import json

import pytest

from grantproof.policyfile import policy_folder
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.policy_folder import read_policy

KIND = "apiVersion: grantproof/v1\nkind: Organization\n"
HEAD = KIND + "id: acme\n"


def problems(**texts: str) -> list[str]:
    """The problems of files named `a`, `b`, ..., as a command line would show them."""
    read = read_policy(texts)
    assert not isinstance(read, OrganizationDocument)
    return [problem.message for problem in read]


def accepted(**texts: str) -> OrganizationDocument:
    """The organization of files without problems."""
    read = read_policy(texts)
    assert isinstance(read, OrganizationDocument), read
    return read


WHOLE = {
    "kinds": [{"id": "doc"}],
    "principals": [{"id": "ann"}, {"id": "bob"}],
    "groups": [{"id": "team"}, {"id": "staff"}],
    "roles": [{"id": "boss", "parents": ["clerk"]}, {"id": "clerk"}],
    "resources": [{"id": "docs", "kind": "doc"}],
    "claims": [{"id": "c", "role": "clerk", "action": "read", "resource": "docs/**"}],
    "sod_sets": [{"id": "s", "roles": ["boss", "clerk"], "n": 2, "mode": "dynamic"}],
    "guardrails": [
        {
            "id": "g",
            "type": "reserved",
            "access": {"action": "read", "resource": "docs/**"},
            "who": [{"group": "team"}],
        }
    ],
    "memberships": [{"principal": "ann", "group": "team"}],
    "nestings": [{"group": "team", "container": "staff"}],
    "assignments": [{"principal": "bob", "role": "boss"}, {"group": "staff", "role": "clerk"}],
}
TEXT = HEAD + "".join(f"{name}: {json.dumps(entries)}\n" for name, entries in WHOLE.items())


def test_a_policy_may_be_split_between_any_of_its_lists() -> None:
    """A file for each list says the same as one for all; every list of the document is tried."""
    parts = {name: f"{KIND}{name}: {json.dumps(entries)}\n" for name, entries in WHOLE.items()}
    assert set(OrganizationDocument.lists()) == set(WHOLE)
    head = {"apiVersion": "grantproof/v1", "kind": "Organization", "id": "acme"}
    whole = OrganizationDocument.model_validate({**head, **WHOLE}, strict=False)
    assert accepted(head=HEAD, **parts) == accepted(one=TEXT) == whole


def test_a_list_may_be_split_between_files_in_their_order() -> None:
    """Entries are put together in the order in which the files are given, YAML and JSON alike."""
    first = HEAD + "roles: [{id: b}]\n"
    second = '{"apiVersion": "grantproof/v1", "kind": "Organization", "roles": [{"id": "a"}]}'
    assert [role.id for role in accepted(x=first, y=second).roles] == ["b", "a"]


def test_what_there_is_one_of_may_be_said_once_and_must_agree() -> None:
    """The first that says it is shown to those that say something else."""
    zoned = HEAD + "time_zone: Europe/Paris\n"
    assert accepted(a=KIND, b=zoned, c=HEAD).time_zone == "Europe/Paris"
    assert problems(a=zoned, b="kind: Organization\nid: other\ntime_zone: UTC\n") == [
        "b:1:1: apiVersion: is required",
        "b:2:5: id: must be the same in every file: see a:3:5",
        "b:3:12: time_zone: must be the same in every file: see a:4:12",
    ]


def test_somebody_must_say_whose_policy_it_is() -> None:
    """Nothing is supposed for a missing id, and nothing made of no file at all."""
    assert problems(a=KIND, b=KIND) == ["a:1:1: id: is required"]
    assert problems() == [":1:1: id: is required"]


def test_the_same_thing_in_two_files_is_refused_naming_both_places() -> None:
    """Within a file it is the same, and links count too."""
    first = (
        HEAD + "roles:\n- id: r\nprincipals: [{id: p}]\nassignments: [{principal: p, role: r}]\n"
    )
    second = KIND + "roles:\n- id: x\n- id: r\n- id: x\nassignments: [{principal: p, role: r}]\n"
    assert problems(a=first, b=second) == [
        "b:5:3: roles[1]: must not be given twice: see a:5:3",
        "b:6:3: roles[2]: must not be given twice: see b:4:3",
        "b:7:15: assignments[0]: must not be given twice: see a:7:15",
    ]


def test_a_circle_over_several_files_is_told_at_each_of_its_links() -> None:
    """No file holds it alone."""
    texts = {
        name: f"{HEAD}roles:\n- id: {name}\n  parents: [{parent}]\n"
        for name, parent in {"a": "b", "b": "c", "c": "a", "d": "a"}.items()
    }
    assert problems(**texts) == [
        f"{name}:6:3: roles[0].parents: must not lead back to itself" for name in "abc"
    ]


TYPES = "`time_window`, `geo_fence`, `geo_radius`, `max_usage`, `rate_limit`, `attribute`"


def test_every_problem_of_every_file_is_told_at_once_in_order() -> None:
    """Of syntax, of form and of what does not fit, sorted by file, line and column."""
    found = problems(
        b=HEAD + "roles: [{id: r, colour: red}, {id: a b}]\ngroups: {}\n",
        c="a: 1\na: 2\n",
        a=KIND
        + "claims:\n- {id: c, role: r, action: read, resource: '*', constraints: [{type: x}]}\n",
    )
    assert found == [
        f"a:4:70: claims[0].constraints[0].type: must be one of {TYPES}",
        "b:4:25: roles[0].colour: is not a known field",
        "b:4:36: roles[1].id: must match [A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*",
        "b:5:1: groups: must be a list",
        "c:2:1: a: must not be given twice",
    ]


def test_one_mistake_does_not_make_others_of_itself() -> None:
    """What a spoilt entry, or a file that cannot be read, would have declared is not missed."""
    spoilt = HEAD + "roles: [{id: r, parents: r}]\nprincipals: [{id: p}]\n"
    use = KIND + "assignments: [{principal: p, role: r}, {principal: p, role: x}]\n"
    assert problems(a=spoilt, b=use) == [
        "a:4:26: roles[0].parents: must be a list",
        "b:3:61: assignments[1].role: must name a declared role: `x` is none",
    ]
    assert problems(a="roles: [", b=use) == [
        "a:1:9: not YAML: expected the node content, but found '<stream end>'"
    ]
    assert problems(a="[]", b=use) == ["a:1:1: must be an object"]


def test_an_unknown_field_hides_nothing_else_of_its_entry() -> None:
    """The rest of the entry is read, and what is wrong with that is told too."""
    text = (
        HEAD + "roles:\n- id: r\n  parents: [q]\n  extra: {}\n"
        "sod_sets: [{id: s, roles: [r], n: 2, m: 1}]\n"
    )
    assert problems(a=text) == [
        "a:6:3: roles[0].parents: must name a declared role: `q` is none",
        "a:7:3: roles[0].extra: is not a known field",
        "a:8:35: sod_sets[0].n: must be at most the number of different roles",
        "a:8:41: sod_sets[0].m: is not a known field",
    ]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("rolse: []", "is not a known field: did you mean `roles`?"),
        ("sod_sets: [{id: s, roles: [], n: 2, mod: static}]", "did you mean `mode`?"),
        ("sod_sets: [{id: s, roles: [a, b], n: 2, mode: sttic}]", "did you mean `static`?"),
        ("roles: [{id: clerk}, {id: r, parents: [clrek]}]", "none: did you mean `clerk`?"),
        ("principals: [{id: p, attribute: {}}]", "did you mean `attributes`?"),
        ("assignments: [{group: g, roel: r}]", "did you mean `role`?"),
        ("kind: Organisation", "must be `Organization`"),
    ],
)
def test_the_nearest_valid_name_is_told(text: str, advice: str) -> None:
    """Of fields, of listed values and of declared names, those of the entry's own form."""
    head = HEAD.replace("kind: Organization\n", "") if text.startswith("kind") else HEAD
    assert any(line.endswith(advice) for line in problems(a=f"{head}{text}\n"))


@pytest.mark.parametrize(
    ("constraint", "advice"),
    [
        ("{type: time_windw}", "did you mean `time_window`?"),
        ("{type: attribute, path: principal.a, op: eqq, operand: 1}", "did you mean `eq`?"),
        ("{type: geo_fence, region: [x]}", "did you mean `regions`?"),
        ("{type: rate_limit, per_minut: 1}", "did you mean `per_minute`?"),
    ],
)
def test_the_nearest_name_within_a_constraint_is_told(constraint: str, advice: str) -> None:
    """By the constraint's own type."""
    text = (
        "roles: [{id: r}]\nclaims: [{id: c, role: r, action: a, resource: '*', constraints: [%s]}]"
    )
    assert any(line.endswith(advice) for line in problems(a=HEAD + text % constraint))


def test_no_more_names_are_looked_for_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is told without advice, and a name that was asked for is answered again."""
    monkeypatch.setattr(policy_folder, "ADVISED_MAX", 1)
    text = (
        HEAD + "roles: [{id: clerk}, {id: a, parents: [%s]}, {id: b, parents: [clerkk, clerrk]}]\n"
    )
    advised = [": did you mean" in line for line in problems(a=text % "clerkk")]
    assert advised == [True, True, False]


def test_a_problem_is_written_for_programs() -> None:
    """With the path as it is shown and the advice by itself."""
    read = read_policy({"a": HEAD + "rolse: []\n"})
    assert isinstance(read, tuple)
    assert [problem.written() for problem in read] == [
        {
            "file": "a",
            "line": 4,
            "column": 1,
            "path": "rolse",
            "rule": "is not a known field",
            "nearest": "roles",
        }
    ]
