"""tulu-data: reproducible, explained data mixtures for post-training.

    from tulu_data import build, load
    rows = load(build("recipes/sft_mix.yaml").mixture.folder, "polars")

All that a notebook or a stage of one's own imports is here, and is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tulu_data.building.build import build
    from tulu_data.building.preview import plan
    from tulu_data.building.rebuild import rebuild
    from tulu_data.claims import Claim
    from tulu_data.mixture.load import load
    from tulu_data.mixture.mixture import Mixture
    from tulu_data.publishing import publish, pull
    from tulu_data.recipe.recipe import Recipe
    from tulu_data.reports import Report
    from tulu_data.rows.rows import Rows
    from tulu_data.stage import Decides, Filter, Mapper, Resolver
    from tulu_data.verdicts import drop
    from tulu_data.verifying.verify import verify
    from tulu_data.without_recipe.decontaminate import decontaminate
    from tulu_data.without_recipe.dedup import dedup
    from tulu_data.without_recipe.measure import measure

__version__ = "0.1.0"
__all__ = [
    "Claim",
    "Decides",
    "Filter",
    "Mapper",
    "Mixture",
    "Recipe",
    "Report",
    "Resolver",
    "Rows",
    "build",
    "decontaminate",
    "dedup",
    "drop",
    "load",
    "measure",
    "plan",
    "publish",
    "pull",
    "rebuild",
    "verify",
]
DEFINED_IN = {
    "Claim": "tulu_data.claims",
    "Decides": "tulu_data.stage",
    "Filter": "tulu_data.stage",
    "Mapper": "tulu_data.stage",
    "Mixture": "tulu_data.mixture.mixture",
    "Recipe": "tulu_data.recipe.recipe",
    "Report": "tulu_data.reports",
    "Resolver": "tulu_data.stage",
    "Rows": "tulu_data.rows.rows",
    "build": "tulu_data.building.build",
    "decontaminate": "tulu_data.without_recipe.decontaminate",
    "dedup": "tulu_data.without_recipe.dedup",
    "drop": "tulu_data.verdicts",
    "load": "tulu_data.mixture.load",
    "measure": "tulu_data.without_recipe.measure",
    "plan": "tulu_data.building.preview",
    "publish": "tulu_data.publishing",
    "pull": "tulu_data.publishing",
    "rebuild": "tulu_data.building.rebuild",
    "verify": "tulu_data.verifying.verify",
}
"""Where each public name is defined: a stage that imports it depends on that module, not on this one."""


def __getattr__(name: str) -> Any:
    if name not in DEFINED_IN:
        raise AttributeError(f"module 'tulu_data' has no attribute '{name}'")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(DEFINED_IN[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *DEFINED_IN})
