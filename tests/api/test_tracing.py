"""Traces: spans of real requests arrive at a collector, and tell nothing of anybody."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from grantproof import bootstrap
from grantproof.adapters import logs, tracing
from grantproof.adapters.tracing import CannotTrace, is_wanted
from grantproof.api.app import Application
from grantproof.cli.exits import Stop
from grantproof.cli.serve import check_traces
from grantproof.settings import Settings
from tests.api.service import ADDRESS, READ_DOCS, demo_in_memory

pytestmark = pytest.mark.usefixtures("logs_as_before")

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{PARENT}-00f067aa0ba902b7-01"}
MARKS = ("path-mark", "query-mark", "body-mark", "alice", "acme", "agent-mark", "address-mark")


class Collector:
    """What a collector was sent, by OTLP over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep what was sent."""
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def spans(self) -> list[Any]:
        """Every span."""
        sent = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for one in sent
            for resource in one.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on this machine."""
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_spans_arrive_and_tell_nothing(
    collector: Collector,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Decisions and administration; names are templates, and lines of the log name the trace."""
    monkeypatch.setenv(ENDPOINT, collector.address)
    tracer = bootstrap.tracing_of({ENDPOINT: collector.address})
    assert tracer is not None
    logs.configure("info", "json", more=(tracer.with_trace_id,))
    app = Application(Settings(demo=True), composing=demo_in_memory, tracing=tracer)
    headers = {**HEADERS, "User-Agent": "agent-mark"}
    with TestClient(app, base_url=ADDRESS, headers=headers) as client:
        # What is answered without the router has no span.
        assert app.at_once is None
        client.post("/evaluate?q=query-mark", json=READ_DOCS)
        client.post("/evaluate/batch", content=b"body-mark")
        client.get("/v1/orgs/acme/principals/path-mark")
        client.post("/v1/orgs/acme/roles", json={"id": "body-mark"})
        client.get("/address-mark")
        client.get("/livez?x=query-mark")
    spans = collector.spans()
    assert sorted(span.name for span in spans) == [
        "GET",
        "GET /livez",
        "GET /v1/orgs/{org}/principals/{principal}",
        "POST /evaluate",
        "POST /evaluate/batch",
        "POST /v1/orgs/{org}/roles",
    ]
    assert {span.trace_id.hex() for span in spans} == {PARENT}
    assert not [mark for mark in MARKS if mark.encode() in b"".join(collector.bodies)]
    statuses = {
        span.name: [one.value.int_value for one in span.attributes if "status" in one.key]
        for span in spans
    }
    assert statuses["POST /evaluate"] == [200]
    assert statuses["POST /v1/orgs/{org}/roles"] == [201]
    (line,) = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    assert (line["route"], line["trace_id"]) == ("/v1/orgs/{org}/roles", PARENT)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://x"}, False),
        ({"OTEL_SDK_DISABLED": "true", ENDPOINT: "http://x"}, False),
    ],
)
def test_the_standard_variables_say_whether(environment: dict[str, str], wanted: bool) -> None:
    """As the specification of OpenTelemetry has them."""
    assert is_wanted(environment) == wanted


def test_what_cannot_be_traced_is_one_line_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another exporter, or no library: nobody believes to be traced who is not."""
    with pytest.raises(CannotTrace, match="must be `otlp` or `none`"):
        is_wanted({"OTEL_TRACES_EXPORTER": "zipkin"})
    monkeypatch.setattr(tracing, "NEEDED", ("opentelemetry.nothing.at.all",))
    monkeypatch.setenv(ENDPOINT, "http://x")
    with pytest.raises(Stop, match=r"pip install 'grantproof\[otel\]'"):
        check_traces()
    monkeypatch.delenv(ENDPOINT)
    check_traces()


def test_nothing_of_it_is_imported_when_it_is_off() -> None:
    """So that it costs nothing; FastAPI imports the interface without implementation."""
    program = (
        "import sys; from grantproof.api.app import create_app; app = create_app();"
        "assert app._deciding == app._decide;"
        "print([name for name in sys.modules if name.startswith('opentelemetry')"
        " and {'sdk', 'exporter', 'instrumentation'} & set(name.split('.'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
