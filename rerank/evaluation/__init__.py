"""Rankings and judgments to per-query scores."""
