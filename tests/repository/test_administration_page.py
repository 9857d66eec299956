"""The page on who may change what names every command and every administrative action."""

import re
from typing import get_args

from grantproof.core.commands.language import SingleCommand
from grantproof.core.model import ADMINISTRATIVE_ACTIONS
from tests.repository.checkout import ROOT

PAGE = (ROOT / "docs/administration.md").read_text(encoding="utf-8")


def test_every_command_has_one_row() -> None:
    """A command that is missing there, or there twice, is a gap or a contradiction."""
    table = PAGE.partition("## What each command takes")[2].partition("## Nobody")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(command.__name__ for command in get_args(SingleCommand))


def test_every_administrative_action_is_explained() -> None:
    """In the table of actions, each with what it is on."""
    rows = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE))
    assert {str(action) for action in ADMINISTRATIVE_ACTIONS} <= rows
