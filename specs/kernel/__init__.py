"""From production source to Z3: types to sorts, expressions to terms, loops to conditions.

Small on purpose, for everything proved rests on it. What it does not know it refuses.
"""
