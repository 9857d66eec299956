"""The executable properties, over small organizations in which every known kind of mistake shows.

Imported once beside the production source and once more beside each patched one, so nothing
outside may hold on to what is defined here.
"""
