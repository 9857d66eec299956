"""Every command that changes an entity: what it does, and what it refuses.

One table for what works and one for what does not, because all of them go the same way.
"""

from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Run

Line = tuple[str, ...]

SAME_SET = ("finance-or-submitter", "finance", "viewer")

DONE: list[tuple[Line, str]] = [
    (("principal", "create", "dan"), "created principal `dan`"),
    (("principal", "suspend", "alice"), "suspended principal `alice`"),
    (("principal", "attributes", "alice", "n=1"), "replaced the attributes of principal `alice`"),
    (("principal", "attributes", "alice", "--clear"), "replaced the attributes"),
    (("principal", "delete", "alice", "--cascade"), "deleted principal `alice`"),
    (("role", "create", "r"), "created role `r`"),
    (("role", "create", "r", "--parent", "viewer", "--parent", "finance"), "created role `r`"),
    (("role", "add-parent", "finance", "viewer"), "role `finance` inherits from `viewer`"),
    (("role", "remove-parent", "editor", "viewer"), "role `editor` no longer inherits"),
    (("role", "delete", "viewer", "--cascade"), "deleted role `viewer`"),
    (("group", "create", "g"), "created group `g`"),
    (("kind", "create", "k"), "created kind `k`"),
    (("kind", "delete", "document", "--cascade"), "deleted kind `document`"),
    (("resource", "create", "r", "--kind", "document"), "created resource `r`"),
    (("resource", "create", "r", "--kind", "document", "--parent", "docs"), "created resource"),
    (("resource", "attributes", "docs", "n=1"), "replaced the attributes of resource `docs`"),
    (("resource", "delete", "docs", "--cascade"), "deleted resource `docs`"),
    (("claim", "create", "c", "viewer", "read", "docs"), "created claim `c`"),
    (("claim", "delete", "viewer-read-docs"), "deleted claim `viewer-read-docs`"),
    (("sod", "create", "s", "viewer", "finance"), "created separation-of-duty set `s`"),
    (
        ("sod", "change", *SAME_SET, "--n", "2", "--mode", "dynamic"),
        "changed separation-of-duty set `finance-or-submitter`",
    ),
    (("sod", "delete", "finance-or-submitter"), "deleted separation-of-duty set"),
    (("assign", "alice", "editor"), "principal `alice` holds `editor`"),
    (("revoke", "alice", "viewer"), "principal `alice` no longer holds `viewer` directly"),
]

REFUSED: list[tuple[Line, str]] = [
    (("principal", "create", "alice"), "principal `alice` exists already"),
    (("principal", "suspend", "dan"), "principal `dan` does not exist"),
    (("principal", "resume", "alice"), "principal `alice` is active already"),
    (("principal", "delete", "alice"), "principal `alice` is still referred to by"),
    (("principal", "show", "dan"), "principal `dan` does not exist"),
    (("role", "create", "viewer"), "role `viewer` exists already"),
    (("role", "create", "r", "--parent", "nope"), "role `nope` does not exist"),
    (("role", "add-parent", "viewer", "editor"), "role cycle: viewer -> editor -> viewer"),
    (("role", "remove-parent", "viewer", "editor"), "parent `editor` of `viewer` does not exist"),
    (("role", "delete", "finance", "--cascade"), "role `finance` is in separation-of-duty set"),
    (("role", "show", "nope"), "role `nope` does not exist"),
    (("group", "add", "g", "alice"), "group `g` does not exist"),
    (("group", "show", "g"), "group `g` does not exist"),
    (("kind", "create", "document"), "kind `document` exists already"),
    (("kind", "delete", "document"), "kind `document` is still referred to by"),
    (("resource", "create", "r", "--kind", "nope"), "kind `nope` does not exist"),
    (("resource", "create", "r", "--kind", "document", "--parent", "x"), "resource `x` does not"),
    (("resource", "show", "nope"), "resource `nope` does not exist"),
    (("claim", "create", "c", "nope", "read", "docs"), "role `nope` does not exist"),
    (("claim", "create", "c", "viewer", "read", "nope"), "resource `nope` does not exist"),
    (("claim", "delete", "nope"), "claim `nope` does not exist"),
    (("claim", "show", "nope"), "claim `nope` does not exist"),
    (("sod", "create", "s", "viewer", "nope"), "role `nope` does not exist"),
    (("sod", "create", "s", "viewer", "editor"), "separation of duty: editor conflicts"),
    (("sod", "delete", "nope"), "separation-of-duty set `nope` does not exist"),
    (("sod", "show", "nope"), "separation-of-duty set `nope` does not exist"),
    (("assign", "nope", "viewer"), "principal `nope` does not exist"),
    (("assign", "alice", "viewer"), "assignment `viewer` of `alice` exists already"),
    (("assign", "g", "viewer", "--group"), "group `g` does not exist"),
    (("revoke", "alice", "editor"), "assignment `editor` of `alice` does not exist"),
]

MALFORMED: list[tuple[Line, str]] = [
    (("principal", "create", "a b"), "`principal_id` must match"),
    (("principal", "create", "x" * 129), "`principal_id` must have at most 128 characters"),
    (("principal", "create", "dan", "-a", "x"), "--attribute `x` must be written as name=value"),
    (("principal", "attributes", "alice"), "give all the attributes as name=value, or --clear"),
    (("principal", "attributes", "alice", "n=1", "--clear"), "give all the attributes"),
    (("role", "create", ""), "`role_id` must not be empty"),
    (("group", "create", "a/b"), "`group_id` must match"),
    (("kind", "create", "role"), "`kind` must not be one of"),
    (("resource", "create", "role:x", "--kind", "document"), "`resource_id` must not start with"),
    (("resource", "attributes", "docs"), "give all the attributes"),
    (("claim", "create", "c", "viewer", "read", "docs", "--hours", "17-9"), "`start` must be"),
    (("claim", "create", "c", "viewer", "read", "docs", "--hours", "9-25"), "`end` must be"),
    (("claim", "create", "c", "viewer", "read", "docs", "--rate", "0"), "`per_minute` must be"),
    (("claim", "create", "c", "viewer", "read", "docs", "--max-usage", "0"), "`limit` must be"),
    (("claim", "create", "c", "viewer", "read", "docs", "--region", ""), "`region` must not be"),
    (("claim", "create", "c", "viewer", "read", "docs", "--within", "0m@0,0"), "--within `0m@0,0`"),
    (("claim", "create", "c", "viewer", "read", "docs", "--within", "1mi@0,0"), "--within `1mi@0,"),
    (("claim", "create", "c", "viewer", "read", "docs", "--within", "1km@0"), "--within `1km@0`: "),
    (("claim", "create", "c", "viewer", "re ad", "docs"), "`action` must match"),
    (("claim", "create", "c", "viewer", "read", "do cs"), "`resource_id` must match"),
    (("sod", "create", "s", "viewer"), "`n` must be at most the number of different roles"),
    (("sod", "create", "s", "viewer", "finance", "--n", "1"), "`n` must be at least 2"),
    (("assign", "alice", "editor", "--from", "soon"), "--from `soon` must be epoch seconds"),
    (("assign", "alice", "editor", "--from", "9", "--until", "9"), "`from` must be before"),
]


def named(table: list[tuple[Line, str]]) -> list[str]:
    """The names of the tests: what is typed."""
    return [" ".join(arguments)[:60] for arguments, _ in table]


@pytest.mark.parametrize(("arguments", "line"), DONE, ids=named(DONE))
def test_a_change_is_made_and_said(
    arguments: Line, line: str, *, run: Run, revision: Callable[[], int]
) -> None:
    """One revision, one line on the standard output, code 0."""
    ended = run(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(line)
    assert ended.out.endswith(" (acme, revision 2)\n")
    assert revision() == 2


@pytest.mark.parametrize(("arguments", "line"), REFUSED, ids=named(REFUSED))
def test_a_refused_change_is_one_line_and_changes_nothing(
    arguments: Line, line: str, *, run: Run, revision: Callable[[], int]
) -> None:
    """Code 1, the reason on the standard error, the same revision."""
    ended = run(*arguments)
    assert (ended.code, ended.line[: len(line)]) == (1, line)
    assert revision() == 1


@pytest.mark.parametrize(("arguments", "line"), MALFORMED, ids=named(MALFORMED))
def test_bad_input_is_one_line_and_changes_nothing(
    arguments: Line, line: str, *, run: Run, revision: Callable[[], int]
) -> None:
    """Code 2, the field and the rule on the standard error, the same revision."""
    ended = run(*arguments)
    assert (ended.code, ended.line[: len(line)]) == (2, line)
    assert revision() == 1


def test_a_change_is_told_to_programs(run: Run) -> None:
    """One JSON value: the outcome and the revision that it led to."""
    told = run("role", "create", "r", "--json").json
    assert told == {"outcome": "accepted", "organization": "acme", "revision": 2}


def test_several_parents_are_one_change(run: Run, revision: Callable[[], int]) -> None:
    """A role whose second parent is refused is not created at all."""
    ended = run("role", "create", "r", "--parent", "viewer", "--parent", "nope")
    assert (ended.code, revision()) == (1, 1)
    assert run("role", "show", "r").code == 1
