"""The HTTP door: one file per resource, problem details for errors, no rule of its own."""
