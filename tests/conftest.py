"""What every test shares: how Hypothesis runs, and where the optional real data is."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The gate draws the same examples on every run and every machine, however slow that machine is.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# For hunting: `pytest --hypothesis-profile=explore` draws new and many more examples.
settings.register_profile("explore", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data beside the checkout, or GRANTPROOF_REAL_DATA; skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("GRANTPROOF_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} does not exist; GRANTPROOF_REAL_DATA names another")
    return folder
