"""Tidy tables to figures, and numbers to words. Knows pandas and plotly, nothing of the store."""
