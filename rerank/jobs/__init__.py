"""Jobs: a queue in SQLite and detached worker processes (web-safe: never imports torch)."""
