"""Rules of administration as text: what they say, and every problem with its line and column."""

import pytest

from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.policyfile.arbac_text import ArbacDocument, Assigning, read_arbac

TEXT = """Roles a b c ;
Users u v ;
UA <u,a> ;
CR <a, b> <TRUE,c> ;
CA <a,TRUE,b> <TRUE,a& -b &-c,c> ;
Goal c ;
"""
A, B, C = map(RoleId, "abc")
U, V = map(PrincipalId, "uv")
NONE: frozenset[RoleId] = frozenset()


def problems(text: str) -> list[str]:
    """The problems of a text, as a command line would show them."""
    read = read_arbac(text)
    assert not isinstance(read, ArbacDocument)
    return [problem.in_file("p.arbac") for problem in read]


def test_every_section_is_read() -> None:
    """Conditions with `&` and `-`, `TRUE` for no condition and for anybody, blanks inside."""
    assert read_arbac(TEXT) == ArbacDocument(
        roles=(A, B, C),
        users=(U, V),
        assignments=((U, A),),
        can_revoke=((A, B), (None, C)),
        can_assign=(
            Assigning(A, NONE, NONE, B),
            Assigning(None, frozenset({A}), frozenset({B, C}), C),
        ),
        goal=C,
    )


def test_sections_come_in_any_order_and_on_one_line() -> None:
    """Where lines break says nothing."""
    lines = TEXT.splitlines()
    assert read_arbac(" ".join(reversed(lines))) == read_arbac(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<u,a>", "<w,a>", "p.arbac:3:4: user `w` is not declared"),
        ("<u,a>", "<u,d>", "p.arbac:3:4: role `d` is not declared"),
        ("<u,a>", "<u,a,b>", "p.arbac:3:4: `<u,a,b>` must be written as <user,role>"),
        ("<a, b>", "<d, b>", "p.arbac:4:4: role `d` is not declared"),
        ("<a, b>", "a", "p.arbac:4:4: `a` must be written as <admin,role>"),
        ("<a, b>", "<a,>", "p.arbac:4:4: `<a,>` must be written as <admin,role>"),
        ("<a,TRUE,b>", "<a,b>", "p.arbac:5:4: `<a,b>` must be written as <admin,condition,role>"),
        ("<a,TRUE,b>", "<a,-d,b>", "p.arbac:5:4: role `d` is not declared"),
        ("<a,TRUE,b>", "<a,b&,b>", "p.arbac:5:4: role `` is not declared"),
        ("<a,TRUE,b>", "<a,TRUE,b", "p.arbac:5:4: `<` must be written as <admin,condition,role>"),
        ("Goal c", "Goal d", "p.arbac:6:6: role `d` is not declared"),
        ("Goal c", "Goal a c", "p.arbac:6:8: the goal must be one role"),
        ("Goal c", "Goal", "p.arbac:6:6: the goal must be one role"),
        ("Goal c", "Aim c", "p.arbac:6:1: section `Aim` is not one of Roles, Users, UA, CR, CA"),
        ("Goal c ;", "", "p.arbac:5:34: section `Goal` is missing"),
        ("Goal c ;", "Goal c", "p.arbac:6:1: the section is not ended by `;`"),
        ("Users u v", "Users u u v", "p.arbac:2:9: `u` is declared twice"),
        ("Roles a", "Roles TRUE a", "p.arbac:1:7: `TRUE` is taken: it means anybody"),
        ("Roles a", "Roles -a a", "p.arbac:1:7: `-a` must match"),
        ("Goal c ;", "Goal c ; UA <u,b> ;", "p.arbac:6:10: section `UA` is there twice"),
    ],
)
def test_a_problem_has_its_place(old: str, new: str, problem: str) -> None:
    """The first one tells the line, the column and what is wrong there."""
    assert problems(TEXT.replace(old, new))[0].startswith(problem)


def test_every_problem_is_told_at_once() -> None:
    """In the order of the text."""
    text = TEXT.replace("<u,a>", "<w,a>").replace("Goal c", "Goal d")
    assert problems(text) == [
        "p.arbac:3:4: user `w` is not declared",
        "p.arbac:6:6: role `d` is not declared",
    ]


def test_an_empty_text_lacks_every_section() -> None:
    """Nothing at all is not a policy without rules."""
    assert len(problems("")) == 6
