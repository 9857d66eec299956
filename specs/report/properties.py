"""Property by property: what it says, for which scope, how it is held, what refutes it."""

from collections.abc import Iterator, Sequence

from specs.gate.detail import Annex
from specs.gate.report import Row
from specs.report.documented import inline
from specs.report.evidence import STANDINGS, Evidence, model_kind
from specs.report.markup import Html, Inside, anchor, between, code, details, element, joined, link
from specs.report.parts import (
    SHORT,
    counted,
    place_of,
    seconds,
    section,
    short,
    terms,
    verdict,
)
from specs.report.table import Column, table

SCOPES = {
    "specs": "unbounded (U): a proof, for any number of principals, groups, roles and claims",
    "tla": "bounded (B): every behaviour of a model with the constants of its configuration",
    "traces": "recorded: the races of this run on real databases",
    "properties": "sampled: generated organizations and requests",
    "crosshair": "all paths of the scalar contracts, as CrossHair explores them",
}
HELD = {
    "specs": "theorem",
    "tla": "model",
    "traces": "trace verdict",
    "properties": "property test",
    "crosshair": "contract",
    "faults": "fault",
}


def properties(found: Sequence[Evidence], annex: Annex) -> Html:
    """Return the table of all properties, and then each by itself."""
    return section(
        "properties",
        "The properties",
        element(
            "p",
            "What a property says, and by what it is held, is read from ",
            code("docs/properties.md"),
            "; the verdicts and figures are of this run. A property is incomplete when "
            "something that is to hold or refute it did not run or said too little, and held "
            "elsewhere when only tests outside this gate are to hold it.",
        ),
        table("Every property, and what this run says of it", _HEADS, map(_line, found)),
        *(_property(one, annex) for one in found),
    )


_HEADS = (
    "property",
    "verdict",
    "scope",
    Column("theorems", True),
    Column("obligations", True),
    Column("models", True),
    Column("tests", True),
    Column("faults caught", True),
    Column("time", True),
)


def standing(one: Evidence) -> Html:
    """Return what the run says of a property."""
    kind = {"holds": "good", "fails": "bad", "incomplete": "bad", "elsewhere": "none"}
    return element("span", STANDINGS[one.standing], class_=f"badge {kind[one.standing]}")


def scope(one: Evidence) -> str:
    """Return the letters of the scopes that this run covers."""
    letters = [
        *(["U"] if one.rows["specs"] else []),
        *(["B"] if any(model_kind(row) == "" for row in one.rows["tla"]) else []),
        *(["sampled"] if one.rows["properties"] or one.rows["traces"] else []),
    ]
    return ", ".join(letters) or "-"


def _line(one: Evidence) -> tuple[Inside, ...]:
    faults = one.rows["faults"]
    return (
        link(anchor(one.statement.id), one.statement.id),
        standing(one),
        scope(one),
        f"{len(one.rows['specs']):,}",
        f"{one.obligations:,}",
        f"{len(one.rows['tla']):,}",
        f"{len(one.rows['properties']):,}",
        f"{sum(row.passed for row in faults)} of {len(faults)}" if faults else "-",
        seconds(one.seconds),
    )


def _property(one: Evidence, annex: Annex) -> Html:
    statement = one.statement
    said: list[tuple[str, Inside]] = [
        ("proved in", inline(statement.proved)),
        ("tested in", inline(statement.tested)),
        ("refuted by", inline(statement.refuted)),
        *_scopes(one),
        *_figures(one, annex),
    ]
    if one.lacking:
        said.insert(0, ("lacking in this run", "; ".join(one.lacking)))
    if one.elsewhere:
        told = between(", ", map(code, one.elsewhere))
        said.append(("held elsewhere", joined(told, ": run by ", code("make test"), ", not here")))
    return element(
        "article",
        element("h3", statement.id, " ", standing(one)),
        element("p", inline(statement.says)),
        terms(*said),
        *_parts(one, annex),
        id=anchor(statement.id),
    )


def _scopes(one: Evidence) -> Iterator[tuple[str, Inside]]:
    held = [told for stage, told in SCOPES.items() if one.rows[stage]]
    if held:
        yield "scope in this run", "; ".join(held)


def _figures(one: Evidence, annex: Annex) -> Iterator[tuple[str, Inside]]:
    counts = [counted(rows, HELD[name]) for name, rows in one.rows.items() if rows and name in HELD]
    if counts:
        yield "in this run", f"{', '.join(counts)}; {seconds(one.seconds)}"
    if one.rows["specs"]:
        seeds = ", ".join(map(str, annex.seeds)) or "not recorded"
        yield "obligations", f"{one.obligations:,}, each decided with the seeds {seeds}"
    faults = [("faults", row) for row in one.rows["faults"]]
    told = {
        "faults and broken models refuted": [*faults, *_models(one, "broken")],
        "interesting states reached": [*_models(one, "reachable")],
    }
    for what, must in told.items():
        if not must:
            continue
        caught = sum(row.passed for _, row in must)
        links = (
            element(
                "li", link(place_of(stage, row), row.name.partition(": ")[0]), " ", verdict(row)
            )
            for stage, row in must
        )
        yield (
            f"{caught} of {len(must)} {what}",
            element("ul", *links, class_="names"),
        )


def _models(one: Evidence, kind: str) -> Iterator[tuple[str, Row]]:
    return (("tla", row) for row in one.rows["tla"] if model_kind(row) == kind)


def _parts(one: Evidence, annex: Annex) -> Iterator[Html]:
    id_ = one.statement.id
    if theorems := one.rows["specs"]:
        rows = [
            (
                code(short(row.name)),
                verdict(row),
                str(row.more.figures.get("obligations", "-")),
                str(len(row.more.reads)),
                seconds(row.seconds),
            )
            for row in theorems
        ]
        numbers = (Column(name, True) for name in ("obligations", "functions read", "time"))
        told = table(f"The theorems of {id_}", ("theorem", "verdict", *numbers), rows)
        yield details(counted(theorems, "theorem"), told)
    if one.reads:
        yield details(
            f"{counted(one.reads, 'function')} whose source is read", _read(one.reads, annex)
        )
    for name in ("properties", "crosshair", "traces"):
        if rows_of := one.rows[name]:
            told = table(
                f"Each {HELD[name]} of {id_}",
                ("name", "verdict", Column("time", True)),
                [(code(row.name), verdict(row), seconds(row.seconds)) for row in rows_of],
            )
            yield details(counted(rows_of, HELD[name]), told)


def _read(functions: Sequence[str], annex: Annex) -> Html:
    items = []
    for name in functions:
        found = annex.sources.get(name, "")
        whole = f"sha256 {found}" if found else "no hash was recorded"
        shown = link(anchor("source", name), code(short(name)), title=whole)
        items.append(element("li", shown, joined(" ", code(found[:SHORT] or "-", whole))))
    return element("ul", *items, class_="names")
