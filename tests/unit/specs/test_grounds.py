"""Every ground for refusal is known and looked into: none passes unseen, none breaks off."""

from importlib import import_module
from typing import Final

import pytest

from grantproof.core.commands.bounds import over_limit
from grantproof.core.commands.language import SingleCommand
from grantproof.core.commands.refusal import AGAINST, gaining
from grantproof.core.errors import Missing
from grantproof.core.organization import Organization
from specs.kernel.source import Source
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


def patched(module: str, line: str, more: str) -> dict[str, str]:
    """A module with one more line after a line of it."""
    text = Source().text(module)
    assert text.count(line) == 1
    return {module: text.replace(line, f"{line}{more}\n")}


LIMITED: Final = "            held = len(state.claims_by_role.get(claim.role, ()))\n"
AFFECTED: Final = "    affected = gaining(state, command)\n"


@pytest.mark.parametrize(
    ("command", "patches"),
    [
        (
            "CreateClaim",
            patched(
                over_limit.__module__, LIMITED, f"{' ' * 12}one = state.claims_by_role[claim.role]"
            ),
        ),
        (
            "CreateRole",
            patched(gaining.__module__, AFFECTED, "    one = next(one for one in state.groups)"),
        ),
    ],
    ids=["a limit", "separation of duty"],
)
def test_a_ground_that_may_break_off_is_no_pass(command: str, patches: dict[str, str]) -> None:
    """What a ground looks up is owed to be there, also where it stands as a symbol elsewhere."""
    theorem = f"properties.p_sod_refused.{command}"
    assert verdict(theorem, seeds=(0,)).holds
    assert not verdict(theorem, patches, seeds=(0,)).holds
