"""Rows: their columns, their texts and their identity."""
