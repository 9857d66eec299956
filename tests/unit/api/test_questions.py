"""How a batch is read: as what says the least, and strictly whatever it says."""

import json
from typing import Any

import pytest

from grantproof.api.problems import Refused
from grantproof.api.questions import (
    BatchQuestion,
    LooseBatch,
    PlainBatch,
    PlainQuestion,
    Question,
    read_batch,
    whole,
)

PLAIN: dict[str, Any] = {"principal_id": "ann", "action": "read", "resource_id": "docs"}
PLACED: dict[str, Any] = {**PLAIN, "resource_kind": "file", "region": "eu", "hour": 9, "weekday": 1}
COUNTED: dict[str, Any] = {**PLACED, "usage": 0, "rate": 2}


def body(*items: Any, **more: Any) -> bytes:
    """A batch of the items."""
    return json.dumps({"org_id": "acme", "items": items, **more}).encode()


def test_a_batch_of_plain_questions_is_read_as_one() -> None:
    """Whatever a plain question may say is there, and the same as in any question."""
    batch = read_batch(body(PLAIN, COUNTED, at_least_revision=3))
    assert isinstance(batch, PlainBatch)
    assert (batch.org_id, batch.at_least_revision) == ("acme", 3)
    assert batch.items == [PlainQuestion(**PLAIN), PlainQuestion(**COUNTED)]
    assert [whole(item) for item in batch.items] == [Question(**PLAIN), Question(**COUNTED)]


@pytest.mark.parametrize(
    "more",
    [
        {"position": "48.1,11.5"},
        {"attributes": {"level": 1}},
        {"active_roles": []},
        {"session_id": "s-1"},
        {"explain": False},
    ],
)
@pytest.mark.parametrize("place", [0, 2])
def test_one_that_says_more_makes_all_of_them_questions(more: dict[str, Any], place: int) -> None:
    """Also as the last of many, and also where it says only what is so anyway."""
    items = [PLACED, PLACED]
    items.insert(place, {**COUNTED, **more})
    batch = read_batch(body(*items))
    assert isinstance(batch, BatchQuestion)
    assert batch.items == [whole(item) for item in batch.items]
    assert batch.items[place] == Question(**COUNTED, **more)


@pytest.mark.parametrize(
    "wrong", [{**PLAIN, "typo": 1}, {**PLAIN, "hour": 24}, {**PLAIN, "usage": -1}, {}, 1]
)
def test_a_malformed_item_leaves_the_others_as_they_are(wrong: Any) -> None:
    """It is refused in its place, and by the same rules as anywhere."""
    batch = read_batch(body(PLAIN, wrong))
    assert isinstance(batch, LooseBatch)
    assert whole(batch.items[0]) == Question(**PLAIN)
    with pytest.raises(Refused):
        whole(batch.items[1])


@pytest.mark.parametrize("more", [{"typo": 1}, {"at_least_revision": -1}, {"org_id": 1}])
def test_a_batch_that_is_malformed_itself_is_refused(more: dict[str, Any]) -> None:
    """Whatever its items are."""
    for items in ([PLAIN], [{**PLAIN, "explain": True}], []):
        with pytest.raises(Refused):
            read_batch(body(*items, **more))
