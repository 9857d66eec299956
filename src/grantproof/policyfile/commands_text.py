"""Commands as text, YAML or JSON: one, or a list of them, and every problem in its place."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from grantproof.core.commands.language import SingleCommand
from grantproof.policyfile.faults import faults
from grantproof.policyfile.policy_text import problems, read_source
from grantproof.policyfile.proposed_commands import CommandsField
from grantproof.policyfile.source import Problem, Source


@dataclass(frozen=True, slots=True)
class ReadCommands:
    """The commands that a text holds; none where there are problems."""

    commands: tuple[SingleCommand, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_commands(text: str) -> ReadCommands:
    """Return the commands that the text describes, or every problem, in the text's order."""
    source = read_source(text)
    if not isinstance(source, Source):
        return ReadCommands(problems=source)
    try:
        return ReadCommands(TypeAdapter(CommandsField).validate_python(source.data))
    except ValidationError as error:
        return ReadCommands(problems=problems(source, faults(error)))
