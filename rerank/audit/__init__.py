"""The teacher before it teaches: measured on the human-judged queries, with a gate."""
