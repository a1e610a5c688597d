"""Paired comparisons of per-query scores, and their verdicts."""
