"""The forms of a report on a policy that people at a terminal and other programs read."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from grantproof.cli.junit import Case, junit
from grantproof.cli.output import printable
from grantproof.cli.verify_policy import Form

if TYPE_CHECKING:
    from grantproof.service.verification_report import Finding, Report, Stage

NAME_WIDTH: Final = 10
PLAIN: Final = None


def written(report: "Report", form: Form) -> str:
    """Return the report in the form, as a text that ends with a line break."""
    from grantproof import __version__
    from grantproof.service.sarif import sarif
    from grantproof.service.verification_markdown import markdown

    match form:
        case Form.TEXT:
            return "".join(f"{printable(line)}\n" for line, _ in text_lines(report))
        case Form.JSON:
            return _indented(document(report))
        case Form.JUNIT:
            return junit(list(cases(report)))
        case Form.SARIF:
            return _indented(sarif(report, version=__version__))
        case Form.MARKDOWN:
            return markdown(report)


def text_lines(report: "Report") -> Iterator[tuple[str, str | None]]:
    """Yield the lines for people, each with its colour: a line a stage, then a line a finding."""
    from grantproof.service.verification_report import Level, Outcome

    of_stages = {Outcome.PASSED: "green", Outcome.NOT_RUN: None, Outcome.UNDETERMINED: "yellow"}
    of_findings = {Level.UNDETERMINED: "yellow", Level.WARNING: "yellow", Level.NOTE: None}
    for stage in report.stages:
        line = f"{stage.name.ljust(NAME_WIDTH)}  {stage.outcome}: {stage.summary}"
        yield line, of_stages.get(stage.outcome, "red")
        for one in stage.findings:
            if one.level is not Level.OK:
                where = f"{one.name}: " if one.spot is None else f"{one.spot}: "
                line = f"{where}{one.level}: {one.message}"
                yield line, of_findings.get(one.level, "red")
                yield from ((f"  {detail}", PLAIN) for detail in one.details)


def document(report: "Report") -> dict[str, Any]:
    """Return the report for programs; of what changes also counts, contexts and certificates."""
    from grantproof.service.difference_documents import difference_document

    access = report.access
    return {
        "organization": report.organization,
        "outcome": str(report.outcome),
        "stages": [_stage(stage) for stage in report.stages],
        "access": None
        if access is None
        else {"base": access.base, **difference_document(access.difference, everything=False)},
    }


def cases(report: "Report") -> Iterator[Case]:
    """Yield what JUnit knows of: what passed or failed; a stage that was not run is not among it.

    A stage without either, as one of warnings only, is one case itself.
    """
    from grantproof.service.verification_report import OUTCOMES, Level

    for stage in report.stages:
        if not stage.run:
            continue
        told = [one for one in stage.findings if one.level is Level.OK or one.level in OUTCOMES]
        for one in sorted(told, key=lambda one: "" if one.spot is None else one.spot.file):
            yield _case(stage, one)
        if not told:
            yield Case(stage.name, stage.summary, "", 1, None)


def _case(stage: "Stage", one: "Finding") -> Case:
    from grantproof.service.verification_report import Level

    file, line = ("", 1) if one.spot is None else (one.spot.file, one.spot.place[0])
    if one.level is Level.OK:
        return Case(stage.name, one.name, file, line, None)
    at_length = "\n".join((one.message if one.spot is None else str(one.spot), *one.details))
    return Case(stage.name, one.name, file, line, (one.message, at_length))


def _stage(stage: "Stage") -> dict[str, Any]:
    return {
        "name": stage.name,
        "outcome": str(stage.outcome),
        "summary": stage.summary,
        "findings": [_finding(one) for one in stage.findings],
    }


def _finding(one: "Finding") -> dict[str, Any]:
    spot = one.spot
    place = (None, None) if spot is None else spot.place
    return {
        "rule": str(one.rule),
        "level": str(one.level),
        "name": one.name,
        "message": one.message,
        "file": None if spot is None else spot.file,
        "line": place[0],
        "column": place[1],
        "details": list(one.details),
        "evidence": one.document,
    }


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
