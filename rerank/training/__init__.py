"""Training stages: losses, lists, the loop (imports torch)."""
