"""Losses by family: what is learnt from judgments, and what from a teacher."""
