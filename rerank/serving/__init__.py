"""Live scoring for the demo page, in a process of its own (imports torch)."""
