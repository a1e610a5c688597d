"""The worker process: runs one job (may import torch)."""
