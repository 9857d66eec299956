"""The page of limits: every bound of `core/limits.py`, with its value and its own words."""

import ast
from typing import Final

from grantproof.core import limits
from tests.repository.checkout import ROOT
from tests.repository.reference.markdown import code, page, table

SOURCE: Final = ROOT / "src" / "grantproof" / "core" / "limits.py"
INTRODUCTION: Final = """
Every bound that the service has. A change that would pass one is refused with `over_limit`, a
request that passes one with `invalid`; what else happens is told in
[operations](../operations.md#limits). They are part of the semantics, and not settings, but for the
largest body.
"""


def meanings() -> dict[str, str]:
    """What is said of each limit below it, nothing where nothing is."""
    body = ast.parse(SOURCE.read_text("utf-8")).body
    found = {}
    for one, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            told = after.value if isinstance(after, ast.Expr) else None
            said = told.value if isinstance(told, ast.Constant) else ""
            found[one.target.id] = str(said)
    return found


def written() -> str:
    """The page."""
    rows = [
        (code(name), f"{getattr(limits, name):,}", meaning) for name, meaning in meanings().items()
    ]
    return page("Limits", INTRODUCTION, table(("limit", "value", "meaning"), rows))
