"""tulu-data: reproducible, explained data mixtures for post-training."""

__version__ = "0.1.0"
