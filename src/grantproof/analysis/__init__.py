"""Questions about a given policy: asked, answered, and each answer re-checked. Pure, but for Z3."""
