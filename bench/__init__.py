"""Measurements: the engine beside the bare floors of the language, as ratios within one run."""
