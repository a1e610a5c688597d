"""SQLite and artefacts on disk: the only place that knows where things lie."""
