"""Codes and numbers to sentences, in every language (no streamlit)."""
