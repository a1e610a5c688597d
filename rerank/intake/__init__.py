"""From uploaded bytes to a checked, content-addressed dataset."""
