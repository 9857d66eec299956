"""A report on a policy as SARIF 2.1.0 (OASIS), which code scanning shows at the lines it is about.

Only what is worth a look is a result; what is as it should be is none.
"""

import posixpath
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from grantproof.service.verification_report import MEANINGS, Finding, Level, Report, Rule, Spot

LEVELS: Final[Mapping[Level, str]] = {
    Level.UNREADABLE: "error",
    Level.ERROR: "error",
    Level.UNDETERMINED: "error",
    Level.WARNING: "warning",
    Level.NOTE: "note",
}
"""What is not known fails a run as an error does."""

RULES: Final = tuple(Rule)


def sarif(report: Report, *, version: str) -> dict[str, Any]:
    """Return the log with one run; paths are relative, as the files were named.

    A result has a place even where the finding has none: some readers pass over it otherwise.
    """
    first = _first(report)
    findings = (one for stage in report.stages for one in stage.findings if one.level in LEVELS)
    driver = {"name": "Grantproof", "version": version, "rules": [_rule(rule) for rule in RULES]}
    return {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, first) for one in findings],
            }
        ],
    }


def _first(report: Report) -> Spot:
    spots = (one.spot for stage in report.stages for one in stage.findings)
    return next((spot for spot in spots if spot is not None), Spot("-"))


def _rule(rule: Rule) -> dict[str, Any]:
    return {"id": str(rule), "shortDescription": {"text": MEANINGS[rule]}}


def _result(one: Finding, first: Spot) -> dict[str, Any]:
    spot = first if one.spot is None else one.spot
    line, column = spot.place
    return {
        "ruleId": str(one.rule),
        "ruleIndex": RULES.index(one.rule),
        "level": LEVELS[one.level],
        "message": {"text": "\n".join((one.message, *one.details))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(spot.file)},
                    "region": {"startLine": line, "startColumn": column},
                }
            }
        ],
    }


def _uri(file: str) -> str:
    """Return the path as a reference; an absolute one names a file of this machine."""
    path = quote(posixpath.normpath(file))
    return f"file://{path}" if path.startswith("/") else path
