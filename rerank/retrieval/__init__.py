"""The first stage: which documents are candidates for a query, and in which order."""

import os

# Where JAX is installed, bm25s starts it when it is imported, for a selection that nothing here calls; on a GPU it
# takes three quarters of the memory, which the models then lack.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
