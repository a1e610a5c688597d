"""Results as files that others can recompute."""
