"""The page of the command line over HTTP tells names and bounds as they are in the code."""

from grantproof.cli import command, remote_http, remote_keys
from grantproof.core.limits import BODY_BYTES_MAX
from tests.repository.checkout import ROOT

PAGE = (ROOT / "docs/remote.md").read_text(encoding="utf-8")


def test_the_page_tells_the_names_and_the_bounds() -> None:
    """Where server and key are named, how long it may be silent, how large a body is."""
    for name in (command.SERVER, remote_keys.KEY, remote_keys.KEY_FILE):
        assert f"`{name}`" in PAGE
    assert f"within {remote_http.SILENT_SECONDS:g} seconds" in PAGE
    assert f"{BODY_BYTES_MAX // 2**20} MiB" in PAGE
