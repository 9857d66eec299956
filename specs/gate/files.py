"""The report of the gate as files: JSON for programs, JUnit for continuous integration."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from specs.gate.origin import Origin
from specs.gate.report import Report, Stage


def write_json(
    stages: Sequence[Stage],
    path: Path,
    *,
    seconds: float,
    passed: bool,
    origin: Origin | msgspec.UnsetType = msgspec.UNSET,
) -> None:
    """Write everything that was reported."""
    report = {
        "passed": passed,
        "seconds": round(seconds, 1),
        **({} if isinstance(origin, msgspec.UnsetType) else {"origin": origin}),
        "stages": [
            {
                "name": stage.name,
                "passed": stage.passed,
                "seconds": round(stage.seconds, 1),
                "processor_seconds": round(stage.processor_seconds, 1),
                "problem": stage.problem,
                "numbers": stage.numbers,
                "rows": stage.rows,
                **({} if isinstance(stage.annex, msgspec.UnsetType) else {"annex": stage.annex}),
            }
            for stage in stages
        ],
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")


def read_json(path: Path) -> Report:
    """Return a report that was written. Raises `OSError`, and `ValueError` where it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except msgspec.DecodeError as error:
        raise ValueError(f"`{path}` is no report of the gate: {error}") from error


def write_junit(stages: Sequence[Stage], path: Path) -> None:
    """Write a suite for each stage and a case for each row.

    A stage that failed as a whole has a case of its own.
    """
    top = ET.Element("testsuites", name="grantproof verify")
    for stage in stages:
        alone = [row for row in stage.failures if row not in stage.rows]
        rows = (*stage.rows, *alone)
        suite = ET.SubElement(
            top,
            "testsuite",
            name=stage.name,
            tests=str(len(rows)),
            failures=str(len(stage.failures)),
            time=f"{stage.seconds:.3f}",
        )
        for row in rows:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=f"{stage.name}.{row.property_id}",
                name=row.name,
                time=f"{row.seconds:.3f}",
            )
            if not row.passed:
                failure = ET.SubElement(case, "failure", message=row.verdict)
                failure.text = printable("\n".join(row.counterexample))
    ET.ElementTree(top).write(path, encoding="utf-8", xml_declaration=True)


def printable(text: str) -> str:
    """Return the text without the control characters that XML cannot hold."""
    return "".join(sign if sign >= " " or sign in "\n\t" else "?" for sign in text)
