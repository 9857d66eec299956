"""Results as JUnit XML, which every continuous integration reads.

The same results give the same bytes: there are no times in it, for what is tested takes none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grantproof.cli.output import printable


@dataclass(frozen=True, slots=True)
class Case:
    """A test of a suite, where it stands, and how it failed: in a line, and at length."""

    suite: str
    name: str
    file: str
    line: int
    failure: tuple[str, str] | None


def junit(cases: Sequence[Case]) -> str:
    """Return the document; cases of one file are a suite, and stand together."""
    root = Element("testsuites", _counts(cases))
    for (suite, file), found in groupby(cases, key=lambda case: (case.suite, case.file)):
        some = list(found)
        listed = SubElement(root, "testsuite", {"name": suite, "file": file, **_counts(some)})
        for case in some:
            _add(listed, case)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    failures = sum(case.failure is not None for case in cases)
    return {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": "0"}


def _add(listed: Element, case: Case) -> None:
    place = {"file": case.file, "line": str(case.line)}
    written = SubElement(listed, "testcase", {"classname": case.suite, "name": case.name, **place})
    if case.failure is None:
        return
    message, text = case.failure
    failure = SubElement(written, "failure", {"message": printable(message), "type": "failure"})
    # XML cannot hold every character, and what is printable it can.
    failure.text = "\n".join(map(printable, text.split("\n")))
