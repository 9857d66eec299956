"""The report as one page that needs nothing beside it: tables, plots, and what they do not say."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

from bench.plots import processor_time, rates, steady_latency
from bench.report import FOLDER, Report, of_guardrails
from bench.tables import Table, headline, http_headline, of_comparison, of_http, of_steady

STYLE: Final = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1b211e; --muted: #55605a;
  --line: #d6dcd8; --ours: #e2f0ea; }
@media (prefers-color-scheme: dark) { :root { --page: #121614; --text: #e6ebe8;
  --muted: #a3afa8; --line: #333d38; --ours: #1d3a2f; } }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
figure { margin: 1.5rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; white-space: nowrap; font-weight: 600; padding: .5rem 0; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
tr.ours { background: var(--ours); font-weight: 600; }
.scroll { overflow-x: auto; }
.notes, .muted { color: var(--muted); font-size: .9rem; }
code { font-size: .9em; }
"""
OUR_ROWS: Final = frozenset({"engine", "grantproof"})

NO_PEERS: Final = "<p>Peers were not asked for: <code>make bench-peers</code> compares them.</p>"

CONDITIONS: Final = """
All engines of a table answered the same questions, drawn by a seed, half of them allowed; their
answers were compared with the expected ones before anything was timed. A slow one answered only
the first of them, as its note says.

In process, a rate is of processor time of the engine's own process. Over HTTP it is by the clock,
one worker or one processor for each server, and beside it stands what the server's process used
of the processor. Engines take turns, run by run; a ratio is of two rates of one run. In brackets
stand the least and the most of the runs.

The peers evaluate general policy languages; ours evaluates one model. Most of them keep no
organization: where a note says that the caller looks something up or closes the role graph, that
work was done before and is not in their figures. Libraries were compared without constraints, and
of the servers only those that take them easily were compared with them.

Ours validates what it is told, answers with the reason and the revision, meters quotas,
authenticates callers and can log decisions. The floors and most peers do less.

Latency at half load is counted from when a request was due, not from when the client had a
connection free for it, so that a stall shows in all that waited for its end.
"""


def write_page(report: Report) -> Path:
    """Write the page, and return the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "report.html"
    file.write_text(page(report), encoding="utf-8")
    return file


def page(report: Report) -> str:
    """Return the page."""
    told = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    peers = "" if report.peers else NO_PEERS
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Grantproof: benchmarks</title><style>{STYLE}</style></head><body>",
            "<h1>Benchmarks</h1>",
            f'<p class="muted"><code>{escape(report.command)}</code>: {escape(told)}</p>{peers}',
            *(f"<p>{escape(each)}</p>" for each in CONDITIONS.split("\n\n")),
            *_sections(report),
            "</body></html>\n",
        )
    )


def _sections(report: Report) -> Iterator[str]:
    summed_up = [headline(report.in_process), http_headline(report.over_http)]
    for each in summed_up:
        if each is not None:
            yield as_html(each)
    if report.in_process:
        yield "<h2>In process</h2>"
    for comparison in report.in_process:
        yield as_html(of_comparison(comparison))
        yield f"<figure>{rates(comparison)}</figure>"
    if report.over_http:
        yield "<h2>Over HTTP</h2>"
    for served in report.over_http:
        yield as_html(of_http(served))
        yield f"<figure>{processor_time(served)}</figure>"
        steady = of_steady(served)
        if steady is not None:
            yield as_html(steady)
            yield f"<figure>{steady_latency(served)}</figure>"
    if report.guardrails:
        yield "<h2>Guardrails</h2>"
    for figures in report.guardrails:
        yield as_html(of_guardrails(figures))


def as_html(table: Table) -> str:
    """Return the table as HTML, our own row marked."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    return "\n".join(
        (
            f'<div class="scroll"><table><caption>{escape(table.title)}</caption>',
            f"<thead><tr>{_cells('th', table.headings)}</tr></thead><tbody>",
            *(f"<tr{_mark(row[0])}>{_cells('td', row)}</tr>" for row in table.rows),
            "</tbody></table></div>",
            f'<ul class="notes">{notes}</ul>' if notes else "",
        )
    )


def _cells(tag: str, cells: tuple[str, ...]) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)


def _mark(name: str) -> str:
    return ' class="ours"' if name in OUR_ROWS else ""
