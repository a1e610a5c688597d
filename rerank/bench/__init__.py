"""The engine against its peers: the same work in alternating runs, outputs compared (imports torch)."""
