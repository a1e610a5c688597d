"""Encoders and cross-encoders: loading, scoring (imports torch)."""
