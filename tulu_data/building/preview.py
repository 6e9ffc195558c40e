"""What a build of a recipe would do, as far as that is known before the build."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tulu_data.building.engine import Engine
from tulu_data.building.examine import Inputs, with_artifacts
from tulu_data.building.forecast import Expectation, expect
from tulu_data.building.inputs import Surveyed, as_values
from tulu_data.building.pieces import as_stored
from tulu_data.building.recipes import read
from tulu_data.building.room import bytes_per_row
from tulu_data.building.survey import survey
from tulu_data.executors.progress import Progress, Silent
from tulu_data.mixture import origin
from tulu_data.mixture.mixture import newest
from tulu_data.recipe.plan import Plan
from tulu_data.recipe.recipe import Recipe
from tulu_data.store.workspace import Workspace


@dataclass(frozen=True)
class Preview:
    """What a build would do.

    `recipe` is the one that was given, with the stages that its stages need, and `resolved` is the
    same with formats filled in and moving parts pinned; `surveyed` are its sources, with
    their first rows as they will look; `expected` is what the mix will take, if that is known.
    """

    recipe: Recipe
    resolved: Recipe
    plan: Plan
    surveyed: tuple[Surveyed, ...]
    expected: Expectation | None

    @property
    def bytes_per_row(self) -> int:
        """The bytes of memory that deciding needs for each row, at its peak."""
        return bytes_per_row(self.plan)

    @property
    def problems(self) -> list[str]:
        """Why a build is sure to stop; empty if no such problem is known."""
        found = [f"sources.{source.name}: {source.problem}" for source in self.surveyed if source.problem]
        return [*found, *([self.expected.problem] if self.expected and self.expected.is_sure else [])]

    def as_values(self) -> dict[str, Any]:
        """All of it as plain values: what `--json` prints."""
        return {
            "sources": {source.name: as_values(source) for source in self.surveyed},
            "stages": [
                {"name": step.name, "phase": step.stage.phase, **step.stage.facts()} for step in self.plan.steps
            ],
            "recipe": self.resolved.as_values(),
            "expected": self.expected and self.expected.as_values(),
            "decide_bytes_per_row": self.bytes_per_row,
        }


def plan(
    recipe: Recipe | Path | str,
    out: Path = Path("mixtures"),
    workspace: Path = Path(".tulu-data"),
    *,
    trusted: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Preview:
    """Preview a build of a recipe. Only indexes, and files that a source fetches or makes, are written.

        found = plan("recipes/sft_mix.yaml")
        found.surveyed[0].preview, found.bytes_per_row, found.problems

    `out` is the folder of mixtures, whose newest version says what the mix will take; `trusted`
    is as in `build`. Raises the errors of a build for sources and stages that it can't start with.
    """
    engine = Engine(Workspace(workspace), progress=progress or Silent())
    given = read(recipe, engine.workspace, trusted)
    with engine.workspace.held():
        surveyed = survey(given, engine.workspace.sources)
        given = with_artifacts(given, engine)
        inputs = Inputs.of(given, surveyed)
        surveyed = tuple(as_stored(found, inputs.plan.mappers) for found in surveyed)
        last = newest(out / given.name)
        known = last if last and origin.is_built_here(engine.workspace, last) else None
        return Preview(given, inputs.recipe, inputs.plan, surveyed, expect(inputs.plan, surveyed, known))
