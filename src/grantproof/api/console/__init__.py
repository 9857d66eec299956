"""The console: pages for people, made on the server from the use cases that the API stands on.

A page asks the same service, with the same scopes, as the route of the API that tells the same. It
works without script, and fetches nothing from elsewhere. One file for each page.
"""

from typing import Final

from fastapi import APIRouter

from grantproof.api.console import (
    assigning,
    changing,
    differing,
    entering,
    overview,
    proofs,
    role_graph,
    static_files,
    timeline,
    trying,
)

PAGES: Final[tuple[APIRouter, ...]] = (
    entering.router,
    static_files.router,
    overview.router,
    overview.within,
    role_graph.router,
    trying.router,
    assigning.router,
    changing.router,
    differing.router,
    timeline.router,
    proofs.router,
)
"""Every page: a new one is a line here, and a line of `rendering.NAVIGATION`."""
