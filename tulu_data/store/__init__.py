"""Files that survive a crash, cached tables under digests, and the identity of code."""
