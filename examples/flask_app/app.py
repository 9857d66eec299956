"""Notes in Flask, guarded by a policy.

pip install flask
python -m examples.flask_app.app
curl -H 'X-User: bob' localhost:5000/notes/plan
curl -X PUT -d 'new' -H 'X-User: bob' localhost:5000/notes/plan
"""

from flask import Flask, request

from examples.flask_app.guarding import guarded

NOTES = {"plan": "first this, then that"}


def index() -> str:
    """Say what there is."""
    return "notes are at /notes/NAME"


def read(name: str) -> str:
    """Show a note; the guard has let it be read."""
    return NOTES.get(name, "")


def write(name: str) -> str:
    """Keep a note; the guard has let it be written."""
    NOTES[name] = request.get_data(as_text=True)
    return NOTES[name]


def create_app() -> Flask:
    """Return the application, whose every request passes the guard."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/notes/<name>", view_func=read)
    app.add_url_rule("/notes/<name>", endpoint="write", view_func=write, methods=["PUT"])
    # As Flask's documentation has it.
    app.wsgi_app = guarded(app.wsgi_app)  # type: ignore[assignment, method-assign]  # see above
    return app


if __name__ == "__main__":
    create_app().run()
