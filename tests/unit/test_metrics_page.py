"""The page of metrics tells every metric as it is, and none that does not exist."""

import re
import sys
from pathlib import Path

from tests.unit.adapters.test_telemetry import Family, families, watching_everything

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text("utf-8")
ROW = re.compile(
    r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \| ([^|]*[^| ]) \| ([^|]*[^| ]) \|"
    r" ([^|]*[^| ]) \|$",
    re.MULTILINE,
)
OF_THE_SYSTEM = "process_"
"""These depend on what the system tells."""


def rows(page: str) -> dict[str, Family]:
    """What the page says of each metric; raises ValueError for one that stands twice."""
    found = {}
    for name, kind, labels, *_ in ROW.findall(page):
        if name in found:
            message = f"`{name}` stands twice"
            raise ValueError(message)
        found[name] = Family(kind, frozenset(re.findall(r"`(\w+)`", labels)))
    return found


def faults(page: str) -> list[str]:
    """What is wrong with a page, by the metrics that there are."""
    said, are = rows(page), families(watching_everything().written().decode())
    wrong = [f"{name} is not told" for name in are if name not in said]
    wrong += [
        f"{name} does not exist"
        for name in said
        if name not in are and (sys.platform == "linux" or not name.startswith(OF_THE_SYSTEM))
    ]
    wrong += [
        f"{name} is told otherwise than it is"
        for name, family in are.items()
        if said.get(name, family) != family
    ]
    return wrong


def test_every_metric_is_told_as_it_is() -> None:
    """Its type and its labels; with a meaning, a query and what is alarming."""
    assert faults(PAGE) == []


def test_every_query_asks_for_what_exists() -> None:
    """Also those in the list of alerts."""
    are = families(watching_everything().written().decode())
    asked = set(re.findall(r"\bgrantproof_\w+", PAGE))
    histograms = [name for name, one in are.items() if one.type == "histogram"]
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}
    assert asked - set(are) - parts == set()


def test_a_wrong_page_is_told() -> None:
    """A metric that is left out, one that is made up, a wrong type, a wrong label."""
    row = next(line for line in PAGE.splitlines() if line.startswith("| `grantproof_decisions_"))
    assert faults(PAGE.replace(row, "")) == ["grantproof_decisions_total is not told"]
    made_up = row.replace("grantproof_decisions_total", "grantproof_dreams_total", 1)
    assert faults(f"{PAGE}\n{made_up}\n") == ["grantproof_dreams_total does not exist"]
    otherwise = ["grantproof_decisions_total is told otherwise than it is"]
    assert faults(PAGE.replace(row, row.replace("counter", "gauge", 1))) == otherwise
    assert faults(PAGE.replace(row, row.replace("`reason`", "`principal`", 1))) == otherwise
