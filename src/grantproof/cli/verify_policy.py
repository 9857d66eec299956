"""`grantproof verify PATH`: a policy verified as a whole, for pipelines, in one run and many forms.

The worst of what was found decides the exit code: 2 unreadable, 1 a violation, 3 undetermined, 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grantproof.cli.exits import ExitCode, Stop, unusable, usage
from grantproof.cli.output import tell_coloured, tell_text
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from grantproof.cli.operator import Operator
    from grantproof.service.verification import Base, Files, Terms
    from grantproof.service.verification_report import Report

GIT: Final = "git:"


class Form(StrEnum):
    """The forms of the report."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A form of the report, and the file that it goes to; without one it is printed."""

    form: Form
    file: str | None = None


def wanted_forms(forms: Sequence[Form], files: Sequence[str], *, json: bool) -> tuple[Wanted, ...]:
    """Return which form goes where: the first file is for the first form, and so on."""
    named = [*forms, *([Form.JSON] if json and Form.JSON not in forms else [])] or [Form.TEXT]
    if len(files) > len(named):
        raise usage("more --output than --format: the first file is for the first form")
    if len(named) - len(files) > 1:
        raise usage("only one form can be printed: give the others a file with --output")
    return tuple(Wanted(form, files[i] if i < len(files) else None) for i, form in enumerate(named))


def verify_policy(
    operator: "Operator",
    paths: Sequence[str],
    *,
    base: str | None,
    terms: "Terms",
    wanted: Sequence[Wanted],
) -> ExitCode:
    """Verify the policy at the paths, write every form of the report, and return the exit code."""
    from grantproof.adapters.clock import SystemClock
    from grantproof.service.verification import verify

    if base == "-":
        raise usage("the standard input cannot be the base: name a file, org:ID or git:REV")
    with progress() as bar:
        bar.begin("reading")
        files = _files(paths)
        before = None if base is None or files.unreadable else _base(operator, base, paths)
        report = verify(files, terms, base=before, now=SystemClock().now(), told=bar.step)
    for one in wanted:
        _write(report, one)
    return _code(report)


def _files(paths: Sequence[str]) -> "Files":
    """Return the texts at the paths; it is no fault that there are no tests."""
    from grantproof.client.policy_paths import gather
    from grantproof.service.verification import Files
    from grantproof.service.verification_report import Spot

    policy, tests = gather(paths), gather([path for path in paths if path != "-"], tests=True)
    # What cannot be read is found by both; that a path has no test is found by the second only.
    faults = [*policy.unreadable]
    faults += [one for one in tests.unreadable if one not in faults and _is_test(one.name)]
    unreadable = tuple((Spot(one.name, (max(one.line, 1), 1)), one.why) for one in faults)
    return Files(policy.texts, tests.texts, unreadable)


def _is_test(name: str) -> bool:
    from grantproof.client.policy_paths import TEST_ENDINGS

    return name.endswith(TEST_ENDINGS)


def _base(operator: "Operator", text: str, paths: Sequence[str]) -> "Base":
    """Return what to compare with; what cannot be read of it is a finding, not the end."""
    from grantproof.cli.policy_sides import side
    from grantproof.service.verification import Base

    try:
        if text.startswith(GIT):
            return _at_revision(text, paths)
        return Base(text, side(operator, text).state)
    except Stop as end:
        if end.code is ExitCode.UNDETERMINED:
            raise
        return Base(text, faults=end.lines)


def _at_revision(text: str, paths: Sequence[str]) -> "Base":
    from grantproof.cli.git_files import texts_at
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.service.policy_checks import check_policy, state_of
    from grantproof.service.verification import Base

    texts = texts_at(text.removeprefix(GIT), paths)
    if not texts:
        return Base(text)
    found = check_policy(texts)
    if isinstance(found, OrganizationDocument):
        return Base(text, state_of(found))
    return Base(text, faults=tuple(problem.message for problem in found))


def _code(report: "Report") -> ExitCode:
    from grantproof.service.verification_report import Outcome

    codes = {
        Outcome.UNREADABLE: ExitCode.USAGE,
        Outcome.FAILED: ExitCode.NO,
        Outcome.UNDETERMINED: ExitCode.UNDETERMINED,
    }
    return codes.get(report.outcome, ExitCode.OK)


def _write(report: "Report", wanted: Wanted) -> None:
    from grantproof.cli.verify_forms import text_lines, written

    if wanted.file is None and wanted.form is Form.TEXT:
        for line, colour in text_lines(report):
            tell_coloured(line, colour)
        return
    text = written(report, wanted.form)
    if wanted.file is None:
        tell_text(text)
        return
    try:
        Path(wanted.file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise unusable(wanted.file, "written", error) from None
