"""What a client takes of the machine: time, sleep, chance and new ids. A test gives its own."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Machine:
    """`monotonic` tells seconds and never moves back; `sleep` takes seconds.

    `wall` tells seconds since the epoch, `draw` a number from 0 up to 1, and `new_id` a text that
    nobody else has.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random  # noqa: S311 - pauses need no secrecy
    new_id: Callable[[], str] = _new_id


THIS_MACHINE = Machine()
