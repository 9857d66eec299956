"""What every importer shares: names in our alphabet, cycles, ids that belong to one name only."""

from hypothesis import given
from hypothesis import strategies as st

from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.policyfile.importers.drafting import Draft, cycle_of, escaped
from grantproof.policyfile.importers.reading import Report, Text, documents

NAMES = st.text(
    alphabet=st.sampled_from("ab0_.:@+=~$-/ *%\u00e9\U0001f600F"), min_size=1, max_size=8
)


@given(NAMES, NAMES)
def test_two_names_are_never_one_id(one: str, other: str) -> None:
    """Every name has an id, and only equal names have equal ids."""
    assert (PrincipalId(escaped(one)) == PrincipalId(escaped(other))) == (one == other)


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_two_pairs_are_never_one_id(one: tuple[str, str], other: tuple[str, str]) -> None:
    """What is put between names is escaped inside them."""
    joined = [":".join(escaped(name, apart=":") for name in pair) for pair in (one, other)]
    assert (joined[0] == joined[1]) == (one == other)


def test_ordinary_names_stay_what_they_are() -> None:
    """Addresses and system names are ids already; the rest shows its bytes."""
    assert escaped("ann@example.com") == "ann@example.com"
    assert escaped("system:masters") == "system:masters"
    assert escaped("data/1 \u00e9=") == "data=2F1=20=C3=A9=3D"
    assert escaped("-x") == "_=-x"


def test_a_cycle_is_told_from_its_least_member() -> None:
    """What only leads to a cycle is no part of it; without one there is nothing to tell."""
    assert cycle_of({"z": ["c"], "c": ["a"], "a": ["b"], "b": ["c"]}) == ("a", "b", "c", "a")
    assert cycle_of({"a": ["a"]}) == ("a", "a")
    assert cycle_of({"a": ["b", "c"], "b": ["c"], "c": []}) == ()


def test_a_long_chain_is_no_cycle_and_takes_no_stack() -> None:
    """Hostile depth is walked, not recursed into."""
    chain = {f"{i:06}": [f"{i + 1:06}"] for i in range(20_000)}
    assert cycle_of(chain) == ()
    assert len(cycle_of({**chain, "020000": ["000000"]})) == 20_002


def test_an_id_that_two_names_would_get_is_refused() -> None:
    """The message names both; an id that is too long says so."""
    report = Report()
    (part,) = documents(Text("f.yaml", "a: 1"), report)
    draft = Draft(report)
    assert draft.named(RoleId, "x", part, of=("Role", "x")) == "x"
    assert draft.named(RoleId, "x", part, of=("ClusterRole", "x")) is None
    assert draft.named(RoleId, "r" * 129, part, of=("long",)) is None
    assert [problem.message for problem in report.problems()] == [
        "f.yaml:1:1: `ClusterRole/x` and `Role/x` would both be `x`: rename one of them",
        "f.yaml:1:1: `long` cannot be a role_id: must have at most 128 characters",
    ]
