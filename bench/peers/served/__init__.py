"""Peers that are servers: how each is started, loaded and asked, by the best path found."""
