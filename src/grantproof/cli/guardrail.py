"""Guardrails: what every change has to keep. Structured, so that one is read from a file."""

from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent
from grantproof.cli.operator import Operator
from grantproof.cli.output import Table, listed, tell_fields, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.policyfile import documents

app = group("Guardrails: what every change has to keep.")

GuardrailArgument = Annotated[str, typer.Argument(metavar="GUARDRAIL", help="The guardrail's id.")]
File = Annotated[
    str,
    typer.Option(
        "--file",
        metavar="FILE",
        help="A YAML or JSON document of one guardrail; - is the standard input.",
    ),
]


@command(app)
def create(operator: Operator, *, file: File) -> None:
    """Add the guardrail that a file describes."""
    from grantproof.core.commands.language import CreateGuardrail

    new = _document(file).core()
    operator.propose(CreateGuardrail(new), done=f"created guardrail `{new.id}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the guardrails."""
    from grantproof.cli.shown import access_text, selector_text
    from grantproof.core.guardrails import accesses, selectors
    from grantproof.policyfile import documents

    state = operator.state
    guardrails = [state.guardrails[name] for name in sorted(state.guardrails)]
    if operator.json:
        tell_json([documents.Guardrail.of(one).written() for one in guardrails])
        return
    rows = [
        (
            one.id,
            documents.Guardrail.of(one).type,
            " and ".join(map(access_text, accesses(one.rule))),
            listed(map(selector_text, selectors(one.rule))),
        )
        for one in guardrails
    ]
    tell_table(Table(("guardrail", "type", "access", "who"), rows))


@command(app)
def show(operator: Operator, guardrail: GuardrailArgument) -> None:
    """Show a guardrail."""
    from grantproof.cli.shown import access_text, constraint_text, selector_text
    from grantproof.core.guardrails import Capped, Confined, accesses, selectors
    from grantproof.core.identifiers import GuardrailId
    from grantproof.policyfile import documents

    found = operator.state.guardrails.get(GuardrailId(guardrail))
    if found is None:
        raise absent("guardrail", guardrail)
    written = documents.Guardrail.of(found)
    if operator.json:
        tell_json(written.written())
        return
    rule = found.rule
    confined = rule.constraints if isinstance(rule, Confined) else ()
    tell_fields(
        [
            ("guardrail", found.id),
            ("type", written.type),
            ("access", [access_text(access) for access in accesses(rule)]),
            *([("who", sorted(map(selector_text, selectors(rule))))] if written.who else []),
            *([("constraints", [constraint_text(one) for one in confined])] if confined else []),
            *([("most", str(rule.most))] if isinstance(rule, Capped) else []),
        ]
    )


@command(app)
def delete(operator: Operator, guardrail: GuardrailArgument) -> None:
    """Delete a guardrail."""
    from grantproof.core.commands.language import DeleteGuardrail
    from grantproof.core.identifiers import GuardrailId

    operator.propose(
        DeleteGuardrail(GuardrailId(guardrail)), done=f"deleted guardrail `{guardrail}`"
    )


def _document(file: str) -> "documents.Guardrail":
    """Return what the file describes; raises `Stop` that tells every problem in its place."""
    from grantproof.cli.policy_files import text_of
    from grantproof.policyfile import documents
    from grantproof.policyfile.policy_text import read_guardrail

    read = read_guardrail(text_of(file))
    if not isinstance(read, documents.Guardrail):
        raise Stop(ExitCode.USAGE, *(problem.in_file(file) for problem in read))
    return read
