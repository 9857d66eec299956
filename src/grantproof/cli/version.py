"""`grantproof --version`: what runs, in one line that a report of a fault should hold."""

import platform

import typer

from grantproof import __version__
from grantproof.cli.output import tell


def tell_version(asked: bool) -> None:
    """Tell the version and end, if asked to."""
    if not asked:
        return
    from grantproof.adapters.verification import SHORT, core_digest

    rules = core_digest()[:SHORT]
    tell(f"grantproof {__version__} (rules {rules}, Python {platform.python_version()})")
    raise typer.Exit
