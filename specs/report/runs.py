"""What else ran: seeded faults, TLC, traces, property tests, CrossHair, the smoke scenario."""

from collections.abc import Iterable, Sequence

from specs.gate.report import Report, Row, Stage
from specs.report.evidence import stage_of
from specs.report.markup import Html, Inside, code, details, element, joined, link
from specs.report.parts import (
    of_stage,
    pictured,
    place_of,
    seconds,
    section,
    to_property,
    told,
    verdict,
)
from specs.report.table import Column, table

RATCHET = "ratchet"
TIME = Column("time", True)


def own(stage: Stage) -> list[Row]:
    """Return the rows of the stage itself, by name; not what is pinned of its numbers."""
    return sorted((row for row in stage.rows if row.property_id != RATCHET), key=_by_name)


def _by_name(row: Row) -> tuple[str, str]:
    return row.name, row.property_id


def _nothing(report: Report, name: str) -> Html:
    ran = next((one for one in report.stages if one.name == name), None)
    said = "it reported nothing" if ran is not None else "it did not run"
    problem = "" if ran is None or not ran.problem else f": {ran.problem}"
    return element("p", of_stage(ran), f" {said}{problem}")


def faults(report: Report) -> Html:
    """Return every seeded fault by its class, with what it leads to in words and as a picture."""
    rows = own(stage_of(report, "faults"))
    title = "Seeded faults"
    if not rows:
        return section("faults", title, _nothing(report, "faults"))
    classes = sorted({row.more.labels.get("class", "") for row in rows})
    shown: list[Html] = []
    for name in classes:
        of_class = [row for row in rows if row.more.labels.get("class", "") == name]
        caught = sum(row.passed for row in of_class)
        shown.append(element("h3", f"{name or 'no class recorded'}: {caught} of {len(of_class)}"))
        shown += [_fault(row) for row in of_class]
    caught = sum(row.passed for row in rows)
    said = (
        f"{caught} of {len(rows)} caught. Each is an edit of the production source. Without it its "
        "gate holds; with it that gate must fail, and an organization is found in which the "
        "property is false. What the act adds is marked +, what it removes -."
    )
    return section("faults", title, element("p", said), *shown)


def _fault(row: Row) -> Html:
    id_ = place_of("faults", row)
    name, _, sentence = row.name.partition(": ")
    gate = row.more.labels.get("gate", "not recorded")
    summary = joined(
        verdict(row),
        " ",
        code(name),
        ": ",
        sentence,
        " ",
        element("span", row.property_id, class_="id"),
    )
    at = element(
        "p",
        "must refute ",
        to_property(row.property_id),
        "; gate: ",
        code(gate),
        "; ",
        seconds(row.seconds),
    )
    picture = pictured(row.more.picture, f"picture-{id_}", f"The organization of {name}")
    return details(summary, at, told(row.counterexample), picture, id_=id_)


def models(report: Report) -> Html:
    """Return what TLC says of each configuration, and the counterexamples of the broken ones."""
    rows = own(stage_of(report, "tla"))
    title = "Models checked by TLC"
    if not rows:
        return section("models", title, _nothing(report, "tla"))
    heads: tuple[str | Column, ...] = (
        "configuration",
        "verdict",
        "property",
        "expected",
        "found",
        "what it checks, or what is wrong",
        *(Column(name, True) for name in ("generated", "distinct", "depth")),
        TIME,
    )
    shown = table("Every configuration", heads, map(_model, rows))
    traces = [
        details(
            joined("counterexample of ", code(row.name)),
            told(row.counterexample),
            id_=place_of("tla", row),
        )
        for row in rows
        if row.counterexample
    ]
    said = (
        "States are bounded by the constants of each configuration. Those under broken/ must be "
        "refuted, in the property that they name; those under reachable/ claim that an interesting "
        "state is never met, and must be refuted too."
    )
    return section("models", title, element("p", said), shown, *traces)


def _model(row: Row) -> tuple[Inside, ...]:
    more = row.more
    name = code(row.name)
    figures = (more.figures.get(one) for one in ("generated", "distinct", "depth"))
    return (
        link(place_of("tla", row), name) if row.counterexample else name,
        verdict(row),
        to_property(row.property_id),
        more.labels.get("expected", "-"),
        more.labels.get("found", "-"),
        more.labels.get("said", "-"),
        *("-" if count is None else f"{count:,}" for count in figures),
        seconds(row.seconds),
    )


def traces(report: Report) -> Html:
    """Return what came of the races and meetings on real databases."""
    rows = own(stage_of(report, "traces"))
    title = "Traces of the running service"
    if not rows:
        return section("traces", title, _nothing(report, "traces"))
    heads = ("what ran", "verdict", "property", TIME)
    lines = [
        (row.name, verdict(row), to_property(row.property_id), seconds(row.seconds)) for row in rows
    ]
    numbers = stage_of(report, "traces").numbers
    said = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in numbers.items())
    stories = [
        details(f"trace of {row.name}", told(row.counterexample))
        for row in rows
        if row.counterexample
    ]
    shown = table("Races, meetings and faults of the store", heads, lines)
    return section("traces", title, element("p", said), shown, *stories)


def tests(report: Report) -> Html:
    """Return the property tests, CrossHair's contracts and the smoke scenario."""
    parts = (
        _of_stage(report, "properties", "Property tests"),
        _of_stage(report, "crosshair", "Contracts confirmed by CrossHair"),
        _of_stage(report, "smoke", "The smoke scenario over HTTP"),
    )
    return section("tests", "Tests and contracts", *(one for part in parts for one in part))


def _of_stage(report: Report, name: str, title: str) -> Iterable[Html]:
    rows = own(stage_of(report, name))
    yield element("h3", title)
    if not rows:
        yield _nothing(report, name)
        return
    good = sum(row.passed for row in rows)
    yield element("p", f"{good} of {len(rows)} pass")
    yield details(f"{len(rows)} verdicts", _verdicts(title, rows))


def _verdicts(title: str, rows: Sequence[Row]) -> Html:
    lines = [
        (code(row.name), verdict(row), to_property(row.property_id), seconds(row.seconds))
        for row in sorted(rows, key=lambda row: (row.property_id, row.name))
    ]
    return table(title, ("name", "verdict", "property", TIME), lines)


def pins(report: Report) -> Html:
    """Return the numbers that may only grow."""
    lines = [
        (stage.name, row.name, verdict(row))
        for stage in report.stages
        for row in stage.rows
        if row.property_id == RATCHET
    ]
    shown = table("Numbers that may only grow", ("stage", "number", "verdict"), lines)
    return section("ratchets", "Numbers that may only grow", shown)
