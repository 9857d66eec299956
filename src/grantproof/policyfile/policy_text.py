"""Organizations as text, YAML for people, JSON for machines, and every problem in its place."""

import json
from io import StringIO
from typing import Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from grantproof.policyfile.faults import RULES, Fault, faults
from grantproof.policyfile.guardrail_documents import Guardrail
from grantproof.policyfile.json_source import parse_json
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.source import Problem, Source
from grantproof.policyfile.yaml_source import parse_yaml

OTHER_BREAKS: Final = "\x85\u2028\u2029"
"""What YAML has been taking for line breaks, from one version to the next."""

LINE_LENGTH_MAX: Final = 2**31
"""A text is one line however long it is: folding it would be another way to write the same."""


def read_guardrail(text: str) -> Guardrail | tuple[Problem, ...]:
    """Return the one guardrail that the text describes, or every problem, in the text's order."""
    source = read_source(text)
    if not isinstance(source, Source):
        return source
    try:
        return Guardrail.model_validate(source.data)
    except ValidationError as error:
        return problems(source, faults(error))


def read_source(text: str) -> Source | tuple[Problem, ...]:
    """Return what the text holds, or every problem that keeps it from being read.

    Text that begins with a brace is JSON, anything else YAML.
    """
    parse = parse_json if text.lstrip().startswith("{") else parse_yaml
    return parse(text)


def problems(source: Source, found: tuple[Fault, ...]) -> tuple[Problem, ...]:
    """Return the faults of what the source holds, each with its line and column."""
    places = source.locate(fault.path for fault in found)
    placed = (
        Problem(fault.path, *places[fault.path], fault.rule + advice(source.data, fault))
        for fault in found
    )
    return tuple(sorted(placed, key=lambda problem: (problem.line, problem.column)))


def advice(data: object, fault: Fault) -> str:
    """Return what helps when YAML takes an id such as `1.5` or `true` for something else."""
    if fault.rule != RULES["string_type"]:
        return ""
    for part in fault.path:
        data = data[part]  # type: ignore[index]  # the path leads through lists and objects
    return ": put it in quotes" if isinstance(data, bool | int | float) else ""


def write_json(document: OrganizationDocument) -> str:
    """Return the organization as JSON with every field, ended by a line break."""
    return json.dumps(document.written(), indent=2, ensure_ascii=False) + "\n"


def write_yaml(document: OrganizationDocument) -> str:
    """Return the organization as YAML; what goes without saying is left out."""
    return dump_yaml(document.model_dump(mode="json", exclude_defaults=True))


def dump_yaml(data: object) -> str:
    """Return plain data as YAML in the one way in which documents are written."""
    text = _dumped(data)
    return _dumped(_escaped(data)) if any(one in text for one in OTHER_BREAKS) else text


def _dumped(data: object) -> str:
    writer = YAML(typ="rt", pure=True)
    writer.width = LINE_LENGTH_MAX
    written = StringIO()
    writer.dump(data, written)
    return written.getvalue()


def _escaped(data: object) -> object:
    """Return the data with every string in double quotes that would be folded in others."""
    match data:
        case dict():
            return {name: _escaped(value) for name, value in data.items()}
        case list():
            return [_escaped(member) for member in data]
        case str() if any(one in data for one in OTHER_BREAKS):
            return DoubleQuotedScalarString(data)
        case _:
            return data
