"""tulu-data: reproducible, explained data mixtures for post-training."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["load"]
DEFINED_IN = {"load": "tulu_data.mixture.load"}
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    """`tulu_data.load`, found when it is asked for: every module imports this package, and stages need none of it."""
    if name != "load":
        raise AttributeError(f"module 'tulu_data' has no attribute '{name}'")
    import importlib

    return importlib.import_module("tulu_data.mixture.load").load
