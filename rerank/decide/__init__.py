"""From comparisons and costs to what to do next."""
