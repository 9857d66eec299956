"""Peers that Python installs. These programs run in an environment that has nothing of ours."""
