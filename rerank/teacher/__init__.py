"""Teachers: where the scores that a student imitates come from (may import torch)."""
