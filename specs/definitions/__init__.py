"""What each function of the core means, said declaratively: the side of the proof a person reviews.

Nothing here looks at the code. A definition is named as its function and takes the same arguments.
"""
