"""The page on reviews names the commands, routes and columns that there are."""

import re
from pathlib import Path

from grantproof.service.access_csv import COLUMNS
from grantproof.service.review_decisions import NEEDED
from grantproof.service.spreadsheet import FORMULA
from tests.api.routes import ROUTES
from tests.unit.test_nist_page import is_command

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "review.md"
PAGE = GUIDE.read_text("utf-8")


def test_the_page_names_what_there_is() -> None:
    """Every command and every route of its table, every column, and what a formula begins with."""
    rows = re.findall(r"^\| (?:`([^`]+)`)? ?\| `(\w+) ([^`]+)` \|", PAGE, re.MULTILINE)
    assert len(rows) == 9
    routes = {(route.method, route.template.removeprefix("/v1/orgs/{org}")) for route in ROUTES}
    for command, method, path in rows:
        assert (method, path) in routes, path
        words = [word for word in command.split() if word.islower()]
        assert is_command(words) or command == "", command
    reviews = {path for _, path in routes if path.startswith("/review/")}
    assert reviews <= {path for _, _, path in rows}
    told = re.search(r"^\| column \| holds \|\n(.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert told is not None
    names = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in told[1].splitlines()[1:]]
    assert tuple(name for some in names for name in some) == COLUMNS
    assert f"```csv\n{','.join(NEEDED)}\n" in PAGE
    assert all(f"`{one}`" in PAGE for one in FORMULA if one.isprintable())
