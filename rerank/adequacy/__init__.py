"""Whether a sample is good enough to decide with, and what to judge next; nothing is trained."""
