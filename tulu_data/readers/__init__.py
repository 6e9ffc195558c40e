"""From the bytes of a file to its records, one bad record at a time."""
