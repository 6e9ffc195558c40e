"""Cut a recipe into its phases, without side effects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tulu_data.recipe.recipe import Recipe
from tulu_data.rows import kind as kinds
from tulu_data.rows.kind import Kind
from tulu_data.stage import Filter, Mapper, Resolver, Stage
from tulu_data.store.code_id import code_id
from tulu_data.store.keys import key_of


@dataclass(frozen=True)
class Step:
    """One stage in a plan. `name` is the stage's name, numbered from its second use on."""

    name: str
    stage: Filter | Resolver
    kind: Kind
    """The kind of the rows."""

    def measures_key(self, shard_key: str) -> str:
        """The key of this step's measures of one shard."""
        stage = self.stage
        return key_of(
            shard=shard_key,
            stage=stage.name(),
            options=stage.measuring_options(),
            artifacts=stage.artifacts,
            kind=self.kind.name,
            # The kind's code decides which texts are measured, and no stage imports a kind.
            code=code_id((*stage.measured_in(), type(self.kind).__module__), stage.requires),
        )


@dataclass(frozen=True)
class Plan:
    """A recipe's stages by phase: mappers rewrite, filters judge, resolvers deduplicate.

    >>> from tulu_data.recipe.reading import read
    >>> stages = "[length_filter, exact_dedup, {exact_dedup: {on: prompt}}]"
    >>> plan = Plan.of(read(f"name: mix\\nsources: {{a: {{jsonl: x}}}}\\nstages: {stages}"))
    >>> [step.name for step in plan.steps]
    ['length_filter', 'exact_dedup', 'exact_dedup-2']
    """

    mappers: tuple[Mapper, ...]
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, recipe: Recipe) -> Plan:
        """The plan of a recipe whose stages are in the order of their phases."""
        named = list(cls.numbered(recipe.stages))
        kind = kinds.find(recipe.kind)
        return cls(
            tuple(stage for _, stage in named if isinstance(stage, Mapper)),
            tuple(Step(name, stage, kind) for name, stage in named if isinstance(stage, Filter | Resolver)),
        )

    @staticmethod
    def numbered(stages: Iterable[Stage]) -> Iterator[tuple[str, Stage]]:
        """Stages with their names, numbered from the second use of a name on."""
        seen: Counter[str] = Counter()
        for stage in stages:
            seen[stage.name()] += 1
            number = seen[stage.name()]
            yield stage.name() if number == 1 else f"{stage.name()}-{number}", stage

    @property
    def resolvers(self) -> tuple[Resolver, ...]:
        """The stages that need all rows at once."""
        return tuple(step.stage for step in self.steps if isinstance(step.stage, Resolver))
