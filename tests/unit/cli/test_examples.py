"""The examples in the help of commands are understood by the program as they stand."""

import shlex
from typing import Any

import pytest

from grantproof.cli.examples import EXAMPLES
from grantproof.cli.main import program
from tests.repository.reference.commands_page import named, resolved, walk
from tests.unit.cli.conftest import Run

LINES = [(place, line) for place, lines in EXAMPLES.items() for line in lines]


def understood(words: list[str]) -> tuple[str, ...]:
    """The command that is typed, with its arguments and options read; raises what typer raises."""
    at: Any = program()
    context = at.make_context("grantproof", list(words))
    path = resolved(["grantproof", *words])
    rest = words
    for name in path:
        rest = rest[rest.index(name) + 1 :]
        at = at.commands[name]
        if not hasattr(at, "commands"):
            at.make_context(name, list(rest), parent=context)
    return path


@pytest.mark.parametrize(("place", "line"), LINES, ids=[line for _, line in LINES])
def test_an_example_is_understood(place: str, line: str, run: Run) -> None:
    """It names the command that it stands at, with all that it takes, and the help shows it."""
    words = shlex.split(line)
    start = words.index("grantproof")
    assert all("=" in word for word in words[:start])
    path = understood(words[start + 1 :])
    assert path, line
    help_text = run(*path, "--help").out
    assert f"\n    {line}\n" in help_text
    assert place in EXAMPLES


def test_an_example_that_is_not_understood_is_found() -> None:
    """A command that is not there, one without an argument that it takes, a wrong option."""
    assert understood(["dream"]) == ()
    for wrong in (["key", "revoke"], ["role", "list", "--dream"]):
        with pytest.raises(Exception, match=r"Missing parameter|No such option"):
            understood(wrong)


def test_every_example_stands_at_a_command() -> None:
    """None is left over from a command that was called otherwise."""
    shown = [found.epilog for path, found in walk(program(), ()) if path and found.epilog]
    assert len(shown) >= len(EXAMPLES)
    text = "\n".join(shown)
    assert [line for _, line in LINES if line not in text] == []
    assert named(("serve",)) == "grantproof serve"
