"""What every command shares: errors that are expected are one line, defects are not hidden."""

import os
from collections.abc import Callable

import pytest

from grantproof.cli.command import GlobalOptions
from grantproof.cli.local import LocalOperator
from grantproof.core.commands import Rejected
from grantproof.core.commands.language import Command
from grantproof.core.errors import NotPermitted, RefusedAt
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.pap import NO_TERMS, AdministrationPoint, Contended, Proposed, Terms
from grantproof.service.ports import StoreUnavailable, StoreUnusable
from tests.unit.cli.conftest import Run


def proposing(monkeypatch: pytest.MonkeyPatch, outcome: Callable[[], Proposed]) -> None:
    """Let every proposal end as `outcome` says."""

    def propose(
        _: AdministrationPoint,
        organization: OrganizationId,
        command: Command,
        *,
        by: Author,
        terms: Terms,
    ) -> Proposed:
        assert (organization, by.actor[:3], terms) == ("acme", "os:", NO_TERMS)
        assert command is not None
        return outcome()

    monkeypatch.setattr(AdministrationPoint, "propose", propose)


def test_a_store_that_is_not_there_now_is_undetermined(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code 3: the same call may work later."""

    def unavailable() -> Proposed:
        raise StoreUnavailable("the database is locked: try again")

    proposing(monkeypatch, unavailable)
    ended = run("role", "create", "x")
    assert (ended.code, ended.line) == (3, "the database is locked: try again")


def test_a_message_is_one_line_whatever_it_holds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line breaks and escape sequences in a message are written out."""

    def unusable() -> Proposed:
        raise StoreUnusable("odd\n\x1b[31mname")

    proposing(monkeypatch, unusable)
    assert run("role", "create", "x").line == r"odd\n\x1b[31mname"


def test_losing_every_race_is_undetermined(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 3, and the line says to try again."""
    proposing(monkeypatch, lambda: Contended(16))
    ended = run("role", "create", "x")
    assert (ended.code, ended.line) == (3, "other writers were faster 16 times in a row: try again")


def test_what_is_not_permitted_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 1: the author, and the right that is wanting."""
    lacking = NotPermitted("ann", "assign", "role:x", "required", "needs the claim")
    proposing(monkeypatch, lambda: Rejected(RefusedAt(0, lacking)))
    ended = run("assign", "bob", "viewer")
    assert (ended.code, ended.line) == (1, "`ann` may not assign `role:x`: needs the claim")


def test_a_defect_is_not_hidden(database: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expects keeps its traceback: it is a bug to be reported."""
    from grantproof.cli.main import main  # noqa: PLC0415  # only this test calls it bare

    assert database is not None

    def broken() -> Proposed:
        raise ZeroDivisionError

    proposing(monkeypatch, broken)
    with pytest.raises(ZeroDivisionError):
        main(["role", "create", "x"])


def test_the_actor_is_the_user_of_the_operating_system(run: Run) -> None:
    """Events tell who ran the command, not what the environment claims."""
    assert run("role", "create", "x").code == 0
    with LocalOperator(None, None, json=False) as operator:
        event = operator.services.store.events(OrganizationId("acme"), after=1, limit=1)[0]
        assert event.actor == operator.author.actor
        assert event.actor.startswith("os:")


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the user may have no entry."""
    monkeypatch.setattr(os, "getuid", lambda: 4_123_456)
    assert LocalOperator(None, None, json=False).author.actor == "os:4123456"


def test_options_after_the_command_override_only_what_they_say() -> None:
    """What is left out stays as it was before the command."""
    before = GlobalOptions("a.db", "acme", json=True)
    assert before.overridden_by(GlobalOptions()) == before
    assert before.overridden_by(GlobalOptions(organization="b")).organization == "b"
