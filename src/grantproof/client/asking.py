"""Asking any decider on an event loop, without holding it up."""

import asyncio
from collections.abc import Awaitable
from functools import partial

from grantproof.client.deciders import Decider
from grantproof.client.questions import Question
from grantproof.client.results import Decision


async def decided(decider: Decider, question: Question) -> Decision:
    """Return the decision; raises `CallerError` and `Unanswered` as the decider does."""
    ask = partial(
        decider.decide, question.principal, question.action, question.resource, **question.said
    )
    found = await asyncio.to_thread(ask) if decider.waits else ask()
    return await found if isinstance(found, Awaitable) else found
