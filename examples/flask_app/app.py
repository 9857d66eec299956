"""Notes in Flask, guarded by a policy: `python -m examples.flask_app.app` from the checkout.

Then, for example, `curl -H 'X-User: bob' localhost:5000/notes/plan` shows a note, and
`curl -X PUT -d 'new' -H 'X-User: bob' localhost:5000/notes/plan` is refused: bob only reads.
"""

from flask import Flask, request

from examples.flask_app.guarding import guarded

NOTES = {"plan": "first this, then that"}


def create_app() -> Flask:
    """Return the application, whose every request passes the guard."""
    app = Flask(__name__)
    notes = dict(NOTES)

    @app.get("/")
    def index() -> str:
        return "notes are at /notes/NAME"

    @app.get("/notes/<name>")
    def read(name: str) -> str:
        return notes[name]

    @app.put("/notes/<name>")
    def write(name: str) -> str:
        notes[name] = request.get_data(as_text=True)
        return notes[name]

    app.wsgi_app = guarded(app.wsgi_app)  # type: ignore[assignment, method-assign]  # its own way
    return app


if __name__ == "__main__":
    create_app().run()
