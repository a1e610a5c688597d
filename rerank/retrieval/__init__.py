"""The first stage: which documents are candidates for a query, and in which order."""
