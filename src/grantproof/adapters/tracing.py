"""Traces for OpenTelemetry: a span for each request, sent to a collector by OTLP over HTTP.

On when the standard variables say so, and only then imported. Administration is traced by FastAPI
itself; decisions, which never reach it, by the middleware of OpenTelemetry for ASGI. A span names
the template of a route, never the address that was asked, and holds none of what a request brings:
the attributes that are sent are listed here.
"""

import importlib.util
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from typing_extensions import override

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from starlette.types import ASGIApp

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORTER: Final = "OTEL_TRACES_EXPORTER"
DISABLED: Final = "OTEL_SDK_DISABLED"
SERVICE: Final = "grantproof"
NEEDED: Final = (
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.asgi",
)
SENT: Final = frozenset(
    {
        "http.flavor",
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "http.scheme",
        "http.status_code",
        "network.protocol.version",
        "url.scheme",
    }
)
"""The attributes of a span that are sent, by their names in either convention of HTTP."""


class CannotTrace(Exception):
    """Traces are asked for and cannot be made; its text says why, in a line."""


class Tracing(Protocol):
    """Puts spans around requests; `close` sends what is not sent yet, and may take seconds."""

    def around_decisions(self, application: "ASGIApp") -> "ASGIApp":
        """Return the application with a span around each request."""
        ...

    def of_administration(self) -> "TelemetryConfig":
        """Return how FastAPI is to trace."""
        ...

    def with_trace_id(
        self, log: Any, method: str, line: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        """Add to a line of the log the id of the trace that it belongs to."""
        ...

    def close(self) -> None:
        """Send what is not sent yet."""
        ...


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Return whether the environment asks for traces; raises `CannotTrace` for what is not there.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    if environment.get(DISABLED, "").strip().lower() == "true":
        return False
    exporter = environment.get(EXPORTER, "").strip().lower()
    if exporter == "none":
        return False
    if exporter not in {"", "otlp"}:
        message = f"{EXPORTER} must be `otlp` or `none`: nothing else is there to send traces by"
        raise CannotTrace(message)
    if exporter == "" and not any(environment.get(name) for name in ENDPOINTS):
        return False
    if not all(_is_there(name) for name in NEEDED):
        message = "the environment asks for traces: pip install 'grantproof[otel]', or unset OTEL_*"
        raise CannotTrace(message)
    return True


def otlp(exporter: "SpanExporter | None" = None) -> Tracing:
    """Return what traces to the collector that the environment names, or to `exporter`."""
    # Imported only here: whoever traces nothing waits for none of it.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - see above
        OTLPSpanExporter,
    )

    return _Spans(OTLPSpanExporter() if exporter is None else exporter)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class _Spans:
    """`Tracing` by the SDK of OpenTelemetry."""

    def __init__(self, exporter: "SpanExporter") -> None:
        from opentelemetry import trace  # noqa: PLC0415 - see `otlp`
        from opentelemetry.metrics import NoOpMeterProvider  # noqa: PLC0415 - see `otlp`
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - see `otlp`
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - see `otlp`
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - see `otlp`

        self._current_span = trace.get_current_span
        self._no_meters = NoOpMeterProvider()
        named = Resource({"service.name": SERVICE}).merge(Resource.create())
        self._provider = TracerProvider(resource=named)
        self._provider.add_span_processor(BatchSpanProcessor(_reduced(exporter)))

    def around_decisions(self, application: "ASGIApp") -> "ASGIApp":
        """Return the application with a span around each request."""
        from opentelemetry.instrumentation.asgi import (  # noqa: PLC0415 - see `otlp`
            OpenTelemetryMiddleware,
        )

        traced: Any = OpenTelemetryMiddleware(
            application,
            default_span_details=_of_decision,
            tracer_provider=self._provider,
            meter_provider=self._no_meters,
            exclude_spans=["receive", "send"],
        )
        return traced  # type: ignore[no-any-return]  # it declares no types

    def of_administration(self) -> "TelemetryConfig":
        """Return how FastAPI is to trace: requests, and nothing inside them."""
        return {
            "tracer_provider": self._provider,
            "operation_spans": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
        }

    def with_trace_id(
        self, log: Any, method: str, line: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        """Add to a line of the log the id of the trace that it belongs to."""
        del log, method
        context = self._current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = f"{context.trace_id:032x}"
        return line

    def close(self) -> None:
        """Send what is not sent yet."""
        self._provider.shutdown()


def _of_decision(scope: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the name of a span, and its attributes: the address is the route."""
    return f"{scope['method']} {scope['path']}", {"http.route": scope["path"]}


def _reduced(exporter: "SpanExporter") -> "SpanExporter":
    """Return what exports spans of which nothing is left but what may be sent."""
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415 - see `otlp`
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415 - see `otlp`
        SpanExporter,
        SpanExportResult,
    )
    from opentelemetry.trace import Status  # noqa: PLC0415 - see `otlp`

    class Reduced(SpanExporter):
        @override
        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            return exporter.export([reduced(span) for span in spans])

        @override
        def shutdown(self) -> None:
            exporter.shutdown()

        @override
        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    def reduced(span: "ReadableSpan") -> ReadableSpan:
        kept = {name: value for name, value in (span.attributes or {}).items() if name in SENT}
        method = kept.get("http.method", kept.get("http.request.method", ""))
        # Where nothing matched, the instrumentation names the span by the address.
        name = f"{method} {kept['http.route']}" if "http.route" in kept else str(method)
        # No events either: those are exceptions, whose text may say anything.
        return ReadableSpan(
            name=name,
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=kept,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    return Reduced()
