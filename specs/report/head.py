"""The top of the page: the verdict, where the report comes from, the stages, what failed."""

from collections.abc import Iterator

import msgspec

from specs.gate.origin import Origin
from specs.gate.report import Report, Row, Stage
from specs.gate.worker import STAGES
from specs.report.evidence import passed, stage_of
from specs.report.markup import NOTHING, Html, code, element, joined, link
from specs.report.parts import badge, of_stage, pictured, seconds, section, terms, told, verdict
from specs.report.table import Column, table

UNKNOWN = "not recorded"


def header(report: Report) -> Html:
    """Return the verdict of the run, and where the report comes from."""
    good = passed(report)
    rows = sum(len(stage.rows) for stage in report.stages)
    failed = sum(len(stage.failures) for stage in report.stages)
    told_of = (
        f"{rows:,} verdicts of {len(report.stages)} stages, all of them passes"
        if good
        else f"{failed:,} of {rows:,} verdicts of {len(report.stages)} stages are no passes"
    )
    return element(
        "header",
        element("h1", "Grantproof: what is proved, and what was tried to refute it"),
        element("p", badge("passed" if good else "FAILED", good=good), " ", told_of),
        _partial(report),
        terms(*_origin(report)),
        class_="top",
    )


def _partial(report: Report) -> Html:
    ran = {stage.name for stage in report.stages}
    left = [name for name in STAGES if name not in ran]
    if not left:
        return NOTHING
    said = f"Not the whole gate: {', '.join(left)} did not run, and says nothing here."
    return element("p", element("strong", said))


def _origin(report: Report) -> Iterator[tuple[str, Html | str]]:
    origin = None if isinstance(report.origin, msgspec.UnsetType) else report.origin
    begun = UNKNOWN if origin is None else origin.begun
    yield "begun", element("time", begun, datetime=None if origin is None else begun)
    yield "took", f"{report.seconds:.1f} s"
    yield "revision", UNKNOWN if origin is None else _revision(origin)
    if origin is not None:
        if not isinstance(origin.core, msgspec.UnsetType):
            yield "SHA-256 of the core", code(origin.core)
        yield from origin.versions.items()


def _revision(origin: Origin) -> Html:
    if origin.revision is None:
        return joined("not a git checkout")
    state = {True: ", with changes that are not committed", False: ", as committed"}
    return joined(code(origin.revision), state.get(bool(origin.changed), ""))


def stages(report: Report) -> Html:
    """Return a line for each stage, those that did not run included."""
    ran = {stage.name: stage for stage in report.stages}
    rows = [
        (
            name,
            of_stage(ran.get(name)),
            f"{len(stage_of(report, name).rows):,}",
            seconds(ran[name].seconds) if name in ran else "-",
            seconds(ran[name].processor_seconds) if name in ran else "-",
            _numbers(stage_of(report, name)),
        )
        for name in dict.fromkeys((*STAGES, *ran))
    ]
    counts = [Column(name, True) for name in ("verdicts", "time", "processor time")]
    heads: tuple[str | Column, ...] = ("stage", "verdict", *counts, "numbers")
    return section("stages", "The stages", table("What each stage came to", heads, rows))


def _numbers(stage: Stage) -> str:
    told_of = ", ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in stage.numbers.items()
    )
    return stage.problem or told_of or "-"


def failures(report: Report) -> Html:
    """Return what failed, each with its counterexample; nothing where nothing did."""
    if passed(report):
        return NOTHING
    shown = [
        _failure(stage, row, number)
        for stage in report.stages
        for number, row in enumerate(stage.failures)
    ]
    ran = {stage.name for stage in report.stages}
    asked = () if isinstance(report.origin, msgspec.UnsetType) else report.origin.asked
    shown += [
        element("article", element("h3", name, ": was to run and did not"))
        for name in asked
        if name not in ran
    ]
    shown += [
        element("article", element("h3", stage.name, ": passed nothing"))
        for stage in report.stages
        if not stage.passed and not stage.failures
    ]
    if not shown:
        shown = [element("p", "the run failed as a whole: no stage says why")]
    return section("failures", "What failed", *shown)


def _failure(stage: Stage, row: Row, number: int) -> Html:
    picture = pictured(
        row.more.picture, f"failure-{stage.name}-{number}", f"The organization of {row.name}"
    )
    return element(
        "article",
        element("h3", stage.name, " · ", row.property_id, " · ", row.name),
        element("p", verdict(row), " ", seconds(row.seconds)),
        told(row.counterexample),
        picture,
        class_="failure",
    )


def contents(titles: dict[str, str]) -> Html:
    """Return where to find what."""
    items = (element("li", link(id_, title)) for id_, title in titles.items())
    return element("nav", element("ul", *items), aria_label="Contents")
