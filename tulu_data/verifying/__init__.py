"""Checks of a mixture that trust nobody who built it."""
