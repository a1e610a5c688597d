"""What pages share: guard, header, language, safe display (imports streamlit)."""
