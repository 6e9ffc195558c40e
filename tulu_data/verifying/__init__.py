"""Check a mixture without trusting whoever built it."""
