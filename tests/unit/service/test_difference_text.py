"""Changes in words: names and numbers, contexts, and Markdown that stays Markdown."""

import pytest

from grantproof.analysis.difference import difference
from grantproof.analysis.findings import Actions, Count, Difference, Subject, Verdict
from grantproof.analysis.solving import Solver
from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.constraints import Attribute, Context, GeoFence
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Action, AttributeName, PrincipalId, ResourceId
from grantproof.core.model import Assignment
from grantproof.service.difference_text import (
    circumstances,
    headline,
    markdown,
    may,
    where,
    who,
)
from tests.organizations import (
    ANN,
    CLERK,
    DOCS,
    EU,
    PLAN,
    READ,
    WRITE,
    claim,
    library,
    made_of,
    people,
    roles,
)

OTHER = Action("any-other")


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        (Actions((READ, WRITE)), "read, write"),
        (Actions((READ,), OTHER), "read and any that no claim names"),
        (Actions((), OTHER), "any action that no claim names"),
    ],
)
def test_actions_say_whether_others_are_meant(actions: Actions, told: str) -> None:
    """By name, and in words for those without."""
    assert may(actions) == told


def test_resources_are_named_or_counted() -> None:
    """A kind is told where it is the only name; one that is not registered stands for all."""
    some = (Subject(DOCS), Subject(DOCS, "folder"), Subject(PLAN, "file"))
    beyond = Subject(ResourceId("any-file"), "file", registered=False)
    assert where((*some, beyond)) == "docs, docs/plan as a file, any unregistered file"
    many = tuple(Subject(ResourceId(f"r{number}")) for number in range(1_234))
    assert where(many) == "r0, r1, r2 and 1,231 more resources"


def test_a_context_is_told_as_far_as_it_matters() -> None:
    """The moment and the local hour always, the rest where it is there; strings as JSON."""
    context = Context(
        instant=0,
        hour=9,
        weekday=6,
        year=1970,
        region=EU,
        position=Position(1_500_000, 0),
        usage=2,
        rate=0,
        attributes=attributes({"amount": 7}),
        action_properties=attributes({"note": "a|b"}),
    )
    assert circumstances(context) == (
        "1970-01-01T00:00:00Z, Sun 09:00 local, region eu, position 1.5,0, usage 2, rate 0,"
        ' context.amount 7, action.note "a|b"'
    )


def compared(crowd: int) -> Difference:
    """So many principals gain a claim that wants a region and an odd attribute."""
    names = [PrincipalId(f"p{number:02}") for number in range(crowd)]
    odd = Attribute(Path(Root.CONTEXT, AttributeName("x")), Operator.EQ, Literal("<b>|*\n"))
    held = (*people(ANN, *names), *roles(CLERK), *library(), *(Assignment(p, CLERK) for p in names))
    wanted = claim(GeoFence(frozenset({EU})), odd)
    return difference(made_of(*held), made_of(*held, wanted), Solver(), now=0)


def test_markdown_is_not_broken_by_what_is_stored() -> None:
    """Bars, stars, brackets and line breaks of stored text do not become markup."""
    found = compared(9)
    text = markdown(found, old="old`.yaml", new="new.yaml")
    row = next(line for line in text.splitlines() if line.startswith("| p00"))
    assert "From `old .yaml` to `new.yaml`." in text
    assert r'context.x "&lt;b>\|\*\n"' in row
    assert row.replace(r"\|", "").count("|") == 7
    assert who(found.gains[0].scope) == "p00, p01, p02 and 6 more principals"
    assert headline(found) == "the new state allows more: 9 requests gained"


def test_what_is_left_out_is_counted() -> None:
    """Classes beyond the limit are a number, and a verdict in both directions has two."""
    found = Difference(Verdict.INCOMPARABLE, (), (), Count(3, 1_000), Count(1, 1))
    assert headline(found).endswith("1,000 requests gained, 1 request lost")
    assert "And 3 more classes." in markdown(found, old="a", new="b")
