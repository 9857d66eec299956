"""How it grows: what the page computes from its own tables is right, and so is what is fitted."""

import re
from pathlib import Path

import pytest

from bench.growth import FIGURES, exponent, figures, fitted
from grantproof.core.limits import PRINCIPALS_MAX
from grantproof.service.shelf import ENTITIES_AN_EVENT, EVENTS_BEHIND_MAX
from tests.unit.test_deployment_pages import KINDS, number, slopes

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "growth.md").read_text("utf-8")
ORGANIZATIONS, SHARDS, PROCESSES = 1_000, 20, 12
EACH = {"principals": 100_000, "assignments": 200_000, "roles": 1_000, "resources": 10_000}


def told(what: str) -> list[float]:
    """The numbers of the first row of the page that begins with this."""
    cells, *_ = re.findall(rf"^\| {re.escape(what)} \|(.*)\|$", PAGE, re.MULTILINE)
    return [number(cell) for cell in cells.split("|") if cell.strip() != ""]


def test_the_arithmetic_on_paper_follows_from_the_tables() -> None:
    """Memory, times, bytes and events of a thousand organizations, and of a shard of fifty."""
    _, start, from_file, memory, *_ = told("100,000")
    count, shard = ORGANIZATIONS, ORGANIZATIONS // SHARDS
    assert told("memory of one copy, MiB") == [memory, round(memory * count)]
    assert told("start from the database, s") == [start, start * count]
    assert told("start from files, s")[:2] == [from_file, from_file * count]
    changes = round(EACH["principals"] * count / (30 * 86_400), 1)
    assert told("changes a second, one a principal and month")[1] == changes
    process = round(shard * memory + 104)
    assert told("memory of a process, MiB") == [process]
    assert told("memory of a host with two workers, twice that for each, MiB") == [4 * process]
    assert told("start of a process from the database, s") == [round(shard * start)]
    assert told("processes in three regions, two hosts in each, two workers") == [
        SHARDS * PROCESSES
    ]
    bytes_each = EACH | {"claims": 10_000}
    stored = sum(bytes_each[kind] * row[4] for kind, row in slopes().items()) / 1e9
    assert told("present facts on PostgreSQL, GB") == [round(stored, 3), round(stored * count)]
    assert bytes_each.keys() == set(KINDS.values())


def test_the_page_says_when_somebody_is_far_behind() -> None:
    """And how large an organization can be."""
    assert f"more than {EVENTS_BEHIND_MAX:,} events behind, and more than half" in PAGE
    assert ENTITIES_AN_EVENT == 2
    assert f"at most {PRINCIPALS_MAX:,} principals" in PAGE


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_a_power_is_found(power: float) -> None:
    """Whatever it is multiplied with."""
    points = [(float(size), 7 * size**power) for size in (10, 100, 1_000, 5_000)]
    assert exponent(points) == pytest.approx(power)


def test_figures_are_of_one_machine() -> None:
    """Of a machine half as fast, times are halved and bytes are not; small sizes are not fitted."""
    plain = dict.fromkeys((*FIGURES, "loaded", "idle", "peak", "edit", "edited"), 4.0)
    slow = figures(plain | {"additions": 2.0, "loaded": 10.0, "edit": 6.0})
    assert (slow["start"], slow["own"], slow["edit"], slow["each_edited"]) == (2.0, 6.0, 3.0, 0.75)
    costs = [
        plain
        | {
            "additions": 1.0,
            "principals": float(size),
            "loaded": 9.0,
            "peak": 9.0,
            "start": size * 3.0,
        }
        for size in (100, 10_000, 100_000)
    ]
    costs[0]["start"] = 1e9
    assert dict(fitted(costs))["start from the database"] == "1.00"
