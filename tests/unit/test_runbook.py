"""Alerts, their pages and the metrics are held to each other; so are the job that feeds them."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, TypedDict, cast

import pytest
from ruamel.yaml import YAML

from tests.unit.adapters.test_telemetry import families, samples, watching_everything

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
PAGE = (ROOT / "docs" / "runbook.md").read_text("utf-8")
RULES = (FOLDER / "grantproof.rules.yaml").read_text("utf-8")
TRIALS = (FOLDER / "grantproof.rules.test.yaml").read_text("utf-8")
TASK = FOLDER / "task"

SELECTOR = re.compile(r"\b([a-z]\w*_\w+|up)\b(?!\()(?: ?\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|without|on) \(([^)]*)\)")
FUNCTIONS = {"histogram_quantile", "max_over_time"}

OF_PROMETHEUS = frozenset({"instance", "job"})
"""Labels that the scrape adds."""
OF_OTHERS = {
    "up": frozenset[str](),
    "node_filesystem_avail_bytes": frozenset({"mountpoint"}),
    "node_filesystem_size_bytes": frozenset({"mountpoint"}),
    "grantproof_task_exit_code": frozenset({"task"}),
    "grantproof_task_succeeded_timestamp_seconds": frozenset({"task"}),
}
"""What Prometheus, node_exporter and our own job tell, with their labels."""

OPEN = frozenset({"route", "status", "status_class"})
"""Labels whose values come with requests; those of the others are told from the start."""


class Rule(TypedDict):
    """One alert."""

    alert: str
    expr: str
    labels: dict[str, str]


@cache
def read(text: str) -> dict[str, Any]:
    """A document of YAML."""
    return cast("dict[str, Any]", YAML(typ="safe").load(text))


def rules() -> list[Rule]:
    """Every alert of the file."""
    return [rule for group in read(RULES)["groups"] for rule in group["rules"]]


@cache
def metrics() -> dict[str, frozenset[str]]:
    """Each metric that can be asked for, with its labels."""
    told = families(watching_everything().written().decode())
    parts = {
        f"{name}_{part}": family.labels | ({"le"} if part == "bucket" else set())
        for name, family in told.items()
        if family.type == "histogram"
        for part in ("bucket", "count", "sum")
    }
    return {name: family.labels for name, family in told.items()} | parts | OF_OTHERS


@cache
def values() -> dict[tuple[str, str], set[str]]:
    """The values of each label of each metric."""
    found: dict[tuple[str, str], set[str]] = {}
    for name, labels in samples(watching_everything().written().decode()):
        for label, value in labels:
            found.setdefault((name, label), set()).add(value)
    return found


def faults(expr: str) -> list[str]:
    """What an expression asks for that does not exist."""
    wrong: list[str] = []
    bare = GROUPING.sub("", expr)
    for name, matchers in SELECTOR.findall(bare):
        if name in FUNCTIONS:
            continue
        if name not in metrics():
            wrong.append(f"no metric `{name}`")
            continue
        for label, how, value in MATCHER.findall(matchers):
            if label not in metrics()[name] | OF_PROMETHEUS:
                wrong.append(f"`{name}` has no label `{label}`")
            elif how == "=" and label not in OPEN | OF_PROMETHEUS and name not in OF_OTHERS:
                known = values().get((name, label), set())
                wrong += [] if value in known else [f"`{name}` is never {label}={value}"]
    grouped = {label.strip() for labels in GROUPING.findall(expr) for label in labels.split(",")}
    known_labels = set[str]().union(OF_PROMETHEUS, *metrics().values())
    return wrong + [f"no metric has a label `{label}`" for label in grouped - known_labels]


def pages() -> dict[str, str]:
    """The sections of the runbook that are named after an alert."""
    parts = re.split(r"^## (\w+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def shown(page: str) -> str:
    """The expression that a page shows, on one line."""
    found = re.search(r"```promql\n(.*?)```", page, re.DOTALL)
    return "" if found is None else " ".join(found.group(1).split())


def test_every_alert_asks_for_what_exists() -> None:
    """Metrics, labels and, where they are from a closed set, values of labels."""
    assert {rule["alert"]: faults(rule["expr"]) for rule in rules() if faults(rule["expr"])} == {}


@pytest.mark.parametrize(
    ("expr", "fault"),
    [
        ("grantproof_dreams_total > 0", "no metric `grantproof_dreams_total`"),
        (
            'grantproof_changes_total{colour="red"} > 0',
            "`grantproof_changes_total` has no label `colour`",
        ),
        (
            'increase(grantproof_changes_total{outcome="lost"}[5m]) > 0',
            "`grantproof_changes_total` is never outcome=lost",
        ),
        ("sum by (dream) (up)", "no metric has a label `dream`"),
    ],
)
def test_an_alert_that_asks_for_nothing_is_told(expr: str, fault: str) -> None:
    """Each kind of fault."""
    assert faults(expr) == [fault]


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """In the same order, with the expression and the severity of the file."""
    assert list(pages()) == [rule["alert"] for rule in rules()]
    for rule in rules():
        page = pages()[rule["alert"]]
        assert shown(page) == " ".join(rule["expr"].split()), rule["alert"]
        assert f", {rule['labels']['severity']}\n" in page
        assert (
            f"| [{rule['alert']}](#{rule['alert'].lower()}) | {rule['labels']['severity']} |"
            in PAGE
        )


def test_every_page_says_what_one_needs_at_night() -> None:
    """What it means, what callers see, commands, and when it is over."""
    for name, page in pages().items():
        for part in ("| means |", "| callers see |", "```console\n$ ", "**Over when**"):
            assert part in page, f"{name}: {part}"


def test_every_alert_is_tried() -> None:
    """The trials let each fire, and see each silent while all is well."""
    tried = [
        (trial["alertname"], len(trial["exp_alerts"]) > 0)
        for test in read(TRIALS)["tests"]
        for trial in test["alert_rule_test"]
    ]
    names = [rule["alert"] for rule in rules()]
    assert sorted(tried) == sorted([(name, fires) for name in names for fires in (True, False)])


def told(folder: Path) -> dict[str, float]:
    """What the files of a job tell, by metric, as Prometheus reads them."""
    text = "".join(path.read_text() for path in sorted(folder.glob("*.prom")))
    return {name: value for (name, _), value in samples(text).items()}


def ran(folder: Path, *arguments: str) -> int:
    """The exit code of the job."""
    environment = {**os.environ, "TEXTFILES": str(folder)}
    done = subprocess.run([TASK, *arguments], env=environment, capture_output=True, check=False)
    return done.returncode


def test_a_task_tells_how_it_ended(tmp_path: Path) -> None:
    """By code and time of the last success, which a later failure keeps; the code is passed on."""
    assert ran(tmp_path, "backup", "true") == 0
    first = told(tmp_path)
    assert first.keys() == {
        "grantproof_task_exit_code",
        "grantproof_task_succeeded_timestamp_seconds",
    }
    assert first["grantproof_task_exit_code"] == 0
    assert first["grantproof_task_succeeded_timestamp_seconds"] > 1_700_000_000
    assert ran(tmp_path, "backup", "sh", "-c", "exit 3") == 3
    assert told(tmp_path) == {**first, "grantproof_task_exit_code": 3}


@pytest.mark.parametrize("arguments", [(), ("backup",), ("../up", "true"), ("a b", "true")])
def test_a_task_that_is_not_understood_runs_nothing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, and no file."""
    assert ran(tmp_path, *arguments) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_cannot_tell_fails(tmp_path: Path) -> None:
    """Nobody would look at a number that is not there."""
    assert ran(tmp_path / "nowhere", "backup", "true") == 3
