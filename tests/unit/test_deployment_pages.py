"""The pages for whoever deploys say what the code does, and their arithmetic is right."""

import io
import re
from contextlib import redirect_stdout
from math import ceil
from pathlib import Path

import pytest

from grantproof.adapters.sql import postgresql
from grantproof.bootstrap import compose
from grantproof.cli.server import LINGER_SECONDS, SHUTDOWN_SECONDS_MAX
from grantproof.core import limits
from grantproof.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DEPLOYMENT = (DOCS / "deployment.md").read_text("utf-8")
CAPACITY = (DOCS / "capacity.md").read_text("utf-8")

NOTIFYING = 2
"""Connections beside the pool: one to tell, one to listen."""
KINDS = {
    "principal": "principals",
    "assignment": "assignments",
    "role": "roles",
    "resource": "resources",
    "claim with three constraints": "claims",
}


def test_the_deployment_says_what_the_code_does() -> None:
    """Connections, times and sizes, in the words of the page and of what is shipped beside it."""
    each = postgresql.POOL_CONNECTIONS + postgresql.POOL_OVERFLOW + NOTIFYING
    assert f"| connections of PostgreSQL | {each} for each worker" in DEPLOYMENT
    assert f"| connections | {each} x hosts x workers + 10 |" in CAPACITY
    unit = (ROOT / "deploy" / "systemd" / "grantproof.service").read_text("utf-8")
    proxy = (ROOT / "deploy" / "nginx" / "grantproof.conf").read_text("utf-8")
    drain = int(re.findall(r"^GRANTPROOF_DRAIN_SECONDS=(\d+)$", DEPLOYMENT, re.MULTILINE)[0])
    grace = int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0])
    assert grace > drain + LINGER_SECONDS + SHUTDOWN_SECONDS_MAX
    files = int(re.findall(r"^LimitNOFILE=(\d+)$", unit, re.MULTILINE)[0])
    assert files > Settings().connections_max + 1_000
    assert limits.BODY_BYTES_MAX == 4 * 1024 * 1024
    assert "client_max_body_size 4m;" in proxy
    assert f"proxy_read_timeout {limits.WAIT_SECONDS_MAX + 15}s;" in proxy
    bounds = Settings.model_fields["max_staleness"].metadata
    (longest,) = [bound.le for bound in bounds if hasattr(bound, "le")]
    assert f"(at most {longest})" in DEPLOYMENT


def test_the_example_of_embedding_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the demo, whose Alice may read within working hours only: it answers either way."""
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    compose(Settings(database_url=url, demo=True)).close()
    monkeypatch.setenv("GRANTPROOF_DATABASE_URL", url)
    (source,) = re.findall(r"```python\n(.*?)```", DEPLOYMENT, re.DOTALL)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(source, "deployment.md", "exec"), {})  # noqa: S102 - the page's own example
    assert printed.getvalue() in {"True\n", "False\n"}


def number(text: str) -> float:
    """A number of a table."""
    return float(text.strip().replace(",", ""))


def slopes() -> dict[str, list[float]]:
    """What one more of each kind takes: memory and time on SQLite and PostgreSQL, bytes stored."""
    rows = re.findall(r"^\| ([a-z0-9 ]+) \|((?: [\d,]+ \|){5})$", CAPACITY, re.MULTILINE)
    return {
        KINDS[kind]: [number(cell) for cell in cells.split("|")[:-1]]
        for kind, cells in rows
        if kind in KINDS
    }


def examples() -> list[dict[str, str]]:
    """The customers of the page, by what is said of each."""
    table = CAPACITY[CAPACITY.index("| | small |") :].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip(" *") for cell in row.strip("|").split("|")] for row in table]
    return [{row[0]: row[at] for row in rows} for at in (1, 2, 3)]


def expected(told: dict[str, str]) -> dict[str, str]:
    """What the formulas of the page make of an example."""
    served = told["database"] == "PostgreSQL"
    at, took = slopes(), {kind: number(told[kind]) for kind in KINDS.values()}

    def total(column: int) -> float:
        return sum(count * at[kind][column] for kind, count in took.items())

    idle = re.findall(r"\| with nothing loaded \| (\d+) MiB \| (\d+) MiB \|", CAPACITY)[0][served]
    memory = int(idle) + total(1 if served else 0) / 2**20
    stored = total(4) if served else 250 * sum(took.values())
    hosts, workers = number(told["hosts"]), number(told["workers on each"])
    changes, mean = number(told["changes a day"]), number(told["decisions a second, mean"])
    logged = mean * 86_400 * number(told["share of decisions logged"]) * 300 * 30
    return {
        "memory of a process, MiB": f"{memory:,.0f}",
        "memory of a host, MiB": f"{2 * workers * memory:,.0f}",
        "processor time to start one, s": f"{total(3 if served else 2) / 1e6:.1f}",
        "workers that the peak takes": f"{ceil(number(told['decisions a second, peak']) / 5_700)}",
        "workers left when a host fails": f"{(hosts - 1) * workers:.0f}",
        "connections": f"{12 * hosts * workers + 10:.0f}" if served else "none",
        "transactions a second at rest": f"{9 * hosts * workers:.0f}",
        "present facts stored, MB": f"{stored / 1e6:,.1f}",
        "events a year, MB": f"{changes * 365 * (635 if served else 541) / 1e6:,.0f}",
        "decision log, GB": f"{logged / 1e9:,.1f}",
    }


def test_the_arithmetic_of_the_examples_is_right() -> None:
    """Every figure that follows from another does, and each large one outlives a host."""
    assert slopes().keys() == set(KINDS.values())
    for told in examples():
        made = expected(told)
        assert {name: told[name] for name in made} == made
        if told["hosts"] != "1":
            left = number(told["workers left when a host fails"])
            assert left >= number(told["workers that the peak takes"])
