"""`grantproof policy convert`: what other systems write down about access, as our document.

The document goes to the standard output or a file, and everything that it does not say to the
standard error, one line each.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grantproof.cli.exits import ExitCode, Stop, unusable, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell_json, tell_text
from grantproof.cli.policy_files import text_of

if TYPE_CHECKING:
    from grantproof.core.identifiers import OrganizationId
    from grantproof.policyfile.importers.reading import Imported, Refused, Text

    Outcome = Imported | tuple[Refused, ...]

System = Literal["kubernetes", "casbin", "keycloak"]

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILES", help="What the other system wrote; - is standard input."),
]
From = Annotated[System, typer.Option("--from", help="The system that wrote the files.")]
Domain = Annotated[
    str | None,
    typer.Option("--domain", metavar="NAME", help="The one domain to convert (Casbin)."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", help="Write the document there; JSON if it ends in .json."
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit 1, and write nothing, unless all was translated.")
]


def convert(
    operator: Operator,
    files: Files,
    *,
    system: From,
    domain: Domain = None,
    output: Output = None,
    strict: Strict = False,
) -> None:
    """Write the policies of another system as a document that `import` reads.

    The organization is called as --org says, or else like the other system.
    """
    from grantproof.core.identifiers import OrganizationId
    from grantproof.policyfile.importers.reading import Imported, Text
    from grantproof.service.policy_checks import broken_rules

    if domain is not None and system != "casbin":
        raise usage("--domain is for --from casbin")
    named = operator.named_organization
    name = OrganizationId(system if named is None else named)
    outcome = _read(system, [Text(file, text_of(file)) for file in files], name, domain=domain)
    if not isinstance(outcome, Imported):
        raise Stop(ExitCode.USAGE, *(problem.message for problem in outcome))
    for note in outcome.untranslated:
        complain(note.message)
    broken = [one.message for one in broken_rules(outcome.document)]
    if broken:
        raise Stop(ExitCode.NO, "no organization can be what these say", *broken)
    incomplete = strict and bool(outcome.untranslated)
    if not incomplete and output is not None:
        _write(output, outcome)
    if operator.json:
        tell_json(_told(outcome, shown=output is None and not incomplete))
    elif not incomplete and output is None:
        tell_text(_text(outcome, as_json=False))
    if incomplete:
        count = len(outcome.untranslated)
        raise Stop(ExitCode.NO, f"not all was translated (notes above: {count})")


def _read(
    system: System, texts: "list[Text]", name: "OrganizationId", *, domain: str | None
) -> "Outcome":
    from grantproof.policyfile.importers.casbin import read_casbin
    from grantproof.policyfile.importers.keycloak import read_keycloak
    from grantproof.policyfile.importers.kubernetes import read_kubernetes

    match system:
        case "kubernetes":
            return read_kubernetes(texts, name)
        case "casbin":
            return read_casbin(texts, name, domain=domain)
        case "keycloak":
            return read_keycloak(texts, name)


def _text(outcome: "Imported", *, as_json: bool) -> str:
    from grantproof.policyfile.policy_text import write_json, write_yaml

    return write_json(outcome.document) if as_json else write_yaml(outcome.document)


def _write(output: Path, outcome: "Imported") -> None:
    text = _text(outcome, as_json=output.suffix == ".json")
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unusable(output, "written", error) from None


def _told(outcome: "Imported", *, shown: bool) -> dict[str, object]:
    """Return the notes, and the document where it is `shown`, not written to a file."""
    notes = [
        {
            "file": note.file,
            "line": note.line,
            "column": note.column,
            "what": note.what,
            "why": note.why,
        }
        for note in outcome.untranslated
    ]
    document = {"document": outcome.document.written()} if shown else {}
    return {**document, "untranslated": notes}
