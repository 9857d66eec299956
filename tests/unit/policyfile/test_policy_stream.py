"""A whole organization told piece by piece: its order, and that no piece is large."""

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreatePrincipal,
    CreateRole,
    SingleCommand,
)
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.core.organization import Organization
from grantproof.policyfile import organization_document, policy_stream
from grantproof.policyfile.organization_document import in_order
from grantproof.policyfile.policy_text import write_json, write_yaml
from tests.documents import from_organization

TEXTS = ("plain", "a\x85b", "a\u2028b", "one\ntwo\n", "yes", "#", "")


def several(count: int) -> Organization:
    """An organization of so many principals, each with a role and a text that is hard to write."""
    steps: tuple[SingleCommand, ...] = (
        CreateRole(RoleId("r")),
        *(
            CreatePrincipal(PrincipalId(f"p{i}"), attributes({"a": TEXTS[i % len(TEXTS)]}))
            for i in range(count)
        ),
        *(AssignRole(PrincipalId(f"p{i}"), RoleId("r")) for i in range(count)),
    )
    outcome = apply(Organization(OrganizationId("x")), ChangeSet(steps), actor="a", instant=0)
    assert isinstance(outcome, Accepted), outcome
    return outcome.state


def test_pieces_are_what_is_written_at_once() -> None:
    """Whatever the entries hold, across the ends of pieces, and where there are none."""
    for count in (0, 1, 40):
        state = several(count)
        document = from_organization(state)
        assert "".join(policy_stream.json_pieces(state)) == write_json(document)
        assert "".join(policy_stream.yaml_pieces(state)) == write_yaml(document)


def test_no_piece_grows_with_the_organization() -> None:
    """The work between two looks at the clock is bounded."""
    some, many = (
        max(len(piece) for piece in policy_stream.yaml_pieces(several(count)))
        for count in (40, 400)
    )
    assert many < 2 * some


def test_names_are_sorted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is that of one sort."""
    names = [f"n{(i * 37) % 101}" for i in range(101)]
    for size in (1, 7, 101, 1_000):
        monkeypatch.setattr(organization_document, "SORTED_AT_ONCE", size)
        assert list(in_order(names)) == sorted(names)
    assert list(in_order([])) == []
