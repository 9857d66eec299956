"""The collector of garbage leaves alone what was built to stay."""

import gc

from grantproof.service.collector import collector_paused


def test_what_was_built_is_never_looked_through_again() -> None:
    """Neither inside nor after: it is no garbage, and a lot."""
    before = gc.get_freeze_count()
    with collector_paused():
        assert not gc.isenabled()
        built = [[number] for number in range(1_000)]
    try:
        assert gc.isenabled()
        assert gc.get_freeze_count() - before > len(built)
    finally:
        gc.unfreeze()


def test_whoever_did_not_stop_it_does_not_start_it() -> None:
    """Of two that overlap the outer one lets it run again."""
    with collector_paused():
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()
