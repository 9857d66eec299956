"""The server around the application: how it is told to stop, and how it goes without a failure.

Told to stop it says so, goes on answering for as long as the setting wants, then accepts nothing
new, answers what still comes on the connections that are open, and lets what is under way end.
"""

import asyncio
import socket
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from typing_extensions import override

if TYPE_CHECKING:
    from grantproof.settings import Settings

APPLICATION: Final = "grantproof.api.app:create_app"
CONNECTION: Final = "grantproof.api.connections:Connection"
SHUTDOWN_SECONDS_MAX: Final = 10
"""How long what is under way may take to end."""
LINGER_SECONDS: Final = 1.0
"""How long a connection on which nothing is under way is kept for a request that is on its way."""
TICK_SECONDS: Final = 0.05
TICKS_A_LOOK: Final = 10
"""So often, a tenth of a second each, it is looked for connections that are too slow."""


def load_application() -> None:
    """Import what is to be served."""
    import_module(APPLICATION.partition(":")[0])


class Server(uvicorn.Server):
    """A server that stops without a failed request; a second signal makes it hurry."""

    def __init__(self, config: uvicorn.Config, *, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self.drains = True
        """Whether new connections are answered while it is told to stop, for so long."""

    @property
    def application(self) -> Any:
        """Our application, inside whatever the server has wrapped around it."""
        found: Any = self.config.loaded_app
        while not hasattr(found, "drain"):
            found = found.app
        return found

    @property
    def failure(self) -> str | None:
        """Why there is no service although the server has started."""
        reason: str | None = self.application.failure if self.config.loaded else None
        return reason

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: the first stops the server, the second ends all waiting."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)

    @override
    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; give up connections that are too slow."""
        if counter % TICKS_A_LOOK == 0:
            now = asyncio.get_running_loop().time()
            slow: list[Any] = list(self.server_state.connections)
            for connection in slow:
                connection.look(now)
        return await super().on_tick(counter) or self.failure is not None

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let everybody leave, then end."""
        self.application.drain()
        await self._while_open(self._drain_seconds, accepting=True)
        for server in self.servers:
            server.close()
        await self._while_open(LINGER_SECONDS, accepting=False)
        await super().shutdown(sockets)
        if self.force_exit:
            # Whoever hurries wants no waiting, but what was logged still has to be written.
            await self.lifespan.shutdown()

    async def _while_open(self, seconds: float, *, accepting: bool) -> None:
        """Go on answering for so long, unless there is hurry or nobody left to answer."""
        loop = asyncio.get_running_loop()
        until, counter = loop.time() + seconds, 0
        while loop.time() < until and not self.force_exit and (self.drains or not accepting):
            if not accepting and not self.server_state.connections:
                return
            await asyncio.sleep(min(TICK_SECONDS, max(0.0, until - loop.time())))
            counter += 1
            await self.on_tick(counter)


def configured(
    settings: "Settings", *, application: str | Callable[[], Any] = APPLICATION
) -> uvicorn.Config:
    """Return how the server is run; `application` makes what it runs."""
    proxies = settings.trusted_proxies.split()
    return uvicorn.Config(
        application,
        factory=True,
        http=CONNECTION,
        ws="none",
        loop="uvloop",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        # Nobody's word for where a request comes from is taken but theirs.
        proxy_headers=len(proxies) > 0,
        forwarded_allow_ips=proxies,
        limit_concurrency=settings.connections_max,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
    )
