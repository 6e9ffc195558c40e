"""Readers: from the bytes of a file to its records, in which a bad record costs only itself."""
