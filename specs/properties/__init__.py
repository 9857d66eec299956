"""The properties, one module each: what follows from the definitions, and of the commands."""
