"""The page as a whole: one file that fetches nothing, needs no script, and can be printed."""

from pathlib import Path
from typing import Final

from specs.gate.report import Report
from specs.report.documented import MATRIX, read_document
from specs.report.evidence import evidence, passed, proved, stage_of
from specs.report.head import contents, failures, header, stages
from specs.report.markup import Html, element, joined, link
from specs.report.matrix import matrix
from specs.report.properties import properties
from specs.report.runs import faults, models, own, pins, tests, traces
from specs.report.sources import limits, sources, unused

STYLE: Final = Path(__file__).with_name("page.css")
DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "properties.md"
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may fetch for this page: nothing."""
TITLES: Final = {
    "stages": "The stages",
    "properties": "The properties",
    "matrix": "The inductive matrix",
    "faults": "Seeded faults",
    "models": "Models checked by TLC",
    "traces": "Traces of the running service",
    "tests": "Tests and contracts",
    "sources": "The source that is read",
    "unused": "Hypotheses that no proof uses",
    "ratchets": "Numbers that may only grow",
    "not-proved": "What is not proved",
    "trusted": "What is trusted",
    "how": "How the proofs work",
}


def write_page(report: Report, path: Path, *, document: Path = DOCUMENT) -> None:
    """Write the report as a page. Raises `OSError`, and `ValueError` on another document."""
    path.write_text(page(report, document.read_text(encoding="utf-8")), encoding="utf-8")


def page(report: Report, document: str) -> str:
    """Return the page. `document` is the text of `docs/properties.md`."""
    stated = read_document(document)
    proofs = stage_of(report, "specs")
    found = evidence(stated.properties, report)
    body = joined(
        link("main", "Skip to the report"),
        header(report),
        contents(TITLES if passed(report) else {"failures": "What failed"} | TITLES),
        element(
            "main",
            failures(report),
            stages(report),
            properties(found, proofs.more),
            matrix(proofs.more.cells, stated.sections[MATRIX], proved(report)),
            faults(report),
            models(report),
            traces(report),
            tests(report),
            sources(proofs.more, own(proofs)),
            unused(proofs.more),
            pins(report),
            limits(stated),
            id="main",
        ),
    )
    return f"<!doctype html>\n{_document(report, body).text}\n"


def _document(report: Report, body: Html) -> Html:
    word = "passed" if passed(report) else "FAILED"
    return element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=POLICY),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", f"{word}: Grantproof verification report"),
            # The style is ours, and no text of a style is escaped in HTML.
            Html(f"<style>{STYLE.read_text(encoding='utf-8')}</style>"),
        ),
        element("body", body),
        lang="en",
    )
