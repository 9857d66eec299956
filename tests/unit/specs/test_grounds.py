"""P-REJECT knows every ground for refusal: one that nobody has declared does not pass unseen."""

from importlib import import_module

import pytest

from grantproof.core.commands.language import SingleCommand
from grantproof.core.commands.refusal import AGAINST, gaining
from grantproof.core.errors import Missing
from grantproof.core.organization import Organization
from specs.properties import commands
from specs.run import verdict

THEOREM = "properties.p_reject.CreateKind"


def unlucky(state: Organization, _command: SingleCommand) -> Missing | None:
    """Refuse at one revision, for no reason."""
    return Missing("kind", ()) if state.revision == 13 else None


def test_a_ground_that_is_not_declared_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the theorem is proved; with it nothing is, for nothing says when it is there."""
    assert verdict(THEOREM, seeds=(0,)).holds
    grounds = (*AGAINST, unlucky)
    for module in (import_module(gaining.__module__), commands):
        monkeypatch.setattr(module, "AGAINST", grounds)
    assert verdict(THEOREM, seeds=(0,)).verdict == "unsupported"
