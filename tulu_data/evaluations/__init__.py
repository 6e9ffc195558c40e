"""Evaluation sets, which models are tested on: their items, and the index that finds them in rows."""
