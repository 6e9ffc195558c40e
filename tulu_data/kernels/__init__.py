"""Compiled functions from arrays and numbers to arrays and numbers, which know nothing of this project."""
