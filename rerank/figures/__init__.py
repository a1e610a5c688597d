"""Plotly figures: functions that build and return, nothing else."""
