"""The technology behind the ports. Each adapter stands alone; only bootstrap puts them together."""
