"""Decide with evidence whether fine-tuning a search re-ranker is worth its cost."""

__version__ = "0.1.0"
