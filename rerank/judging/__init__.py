"""People judge query-document pairs: what to judge, in which order, how well they agree, and what comes of it."""
