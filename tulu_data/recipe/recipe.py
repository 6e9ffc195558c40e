"""A recipe: its sources, its stages, and its output.

The models are frozen; `recipe.reading` reads them from YAML.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, PositiveInt, field_validator
from ruamel.yaml import YAML

from tulu_data import stages as stage_kinds
from tulu_data.errors import did_you_mean
from tulu_data.options import Options
from tulu_data.rows import kind as kinds
from tulu_data.sources.source import Source
from tulu_data.stage import COLUMNS, PHASES, Stage
from tulu_data.store.keys import as_text
from tulu_data.store.patterns import NAME_PATTERN

NAME_RULE: Final = "small letters, digits, '.', '_' and '-', at most 64, the first a letter or digit"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
TRAIN: Final = "train"
MOST_STAGES: Final = 200
"""The limit of stages, since a row's fate is stored in one byte."""


def _is_kind(name: str) -> str:
    return kinds.find(name).name


class Output(Options):
    """How the mixture is laid out."""

    shuffle: bool = Field(True, description="Order rows by a keyed hash; false: by source name, then id")
    shard_rows: PositiveInt = Field(100_000, description="Rows in one Parquet file")
    splits: dict[Name, PositiveInt] = Field(
        {}, description="Rows to hold out, by the split's name (`validation: 1000`), by keyed hash; the rest is `train`"
    )

    @field_validator("splits")
    @classmethod
    def _no_train(cls, splits: dict[str, int]) -> dict[str, int]:
        if TRAIN in splits:
            raise ValueError(f"'{TRAIN}' is what is left; name the splits that are held out")
        return splits


class Recipe(BaseModel):
    """The recipe that `tulu-data build` makes a mixture from.

    >>> from tulu_data.recipe.reading import read
    >>> recipe = read("name: mix\\nsources: {mine: {jsonl: data/*.jsonl}}\\nstages: [exact_dedup]\\n")
    >>> recipe.name, list(recipe.sources), [stage.name() for stage in recipe.stages]
    ('mix', ['mine'], ['exact_dedup'])
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name = Field(description=f"The mixture's name: {NAME_RULE}")
    kind: Annotated[str, AfterValidator(_is_kind)] = Field(kinds.DEFAULT, description="What the rows are for")
    seed: int = Field(0, description="Decides which rows are taken and kept, and their order")
    version: Name | None = Field(
        None, description="The version's name; default: 12 hex digits of a hash of its content"
    )
    card: str | None = Field(None, description="Your text about the mixture, in Markdown: it opens the dataset card")
    sources: dict[Name, InstanceOf[Source]] = Field(description="Where rows come from, by name", min_length=1)
    stages: tuple[InstanceOf[Stage], ...] = Field((), description="What happens to the rows, in order")
    output: Output = Field(Output(), description="How the mixture is laid out")

    @field_validator("stages")
    @classmethod
    def _in_phases(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if len(stages) > MOST_STAGES:
            raise ValueError(f"{len(stages)} stages; a recipe has at most {MOST_STAGES}")
        ordered = sorted(stages, key=lambda stage: PHASES.index(stage.phase))
        moved = next((stage for stage, right in zip(stages, ordered, strict=True) if stage is not right), None)
        if moved is not None:
            names = ", ".join(f"{stage.name()} ({stage.phase})" for stage in ordered)
            raise ValueError(f"phases run in the order {' → '.join(PHASES)}; put the stages so: {names}")
        if sum(stage.phase == "mix" for stage in stages) > 1:
            raise ValueError("two stages mix; a recipe is mixed once, last")
        _check_measures(stages)
        return stages

    def completed(self) -> Recipe:
        """The recipe with added stages that write the columns that others need: domains, languages, tokens.

        >>> from tulu_data.recipe.reading import read
        >>> stages = "[{weighted_mix: {tokens: all}}]"
        >>> [stage.name() for stage in read(f"name: m\\nsources: {{a: {{jsonl: x}}}}\\nstages: {stages}").stages]
        ['tokens', 'weighted_mix']
        """
        done: list[Stage] = []
        written = {"domain"} if all(source.domain for source in self.sources.values()) else set()
        for stage in self.stages:
            for column in stage.needs():
                if column in COLUMNS and column not in (*written, *stage.writes):
                    # Before the stage that needs it, and among those that read one row at a time.
                    last = sum(PHASES.index(other.phase) <= PHASES.index("judge") for other in done)
                    done.insert(last, stage_kinds.find(column)())
                    written.add(column)
            done.append(stage)
            written.update(stage.writes)
        return self.with_stages(done)

    def with_sources(self, sources: Mapping[str, Source]) -> Recipe:
        """The recipe with its sources as they were found: formats filled in, moving parts pinned."""
        return self.model_copy(update={"sources": {name: sources[name] for name in self.sources}})

    def with_stages(self, stages: Iterable[Stage]) -> Recipe:
        """The recipe with its stages prepared."""
        return self.model_copy(update={"stages": tuple(stages)})

    def as_values(self) -> dict[str, Any]:
        """The recipe as plain values, as in its YAML; decimals stay exact."""
        head = self.model_dump(exclude={"sources", "stages", "output"}, exclude_none=True)
        return {
            **head,
            "sources": {name: _source_values(source) for name, source in self.sources.items()},
            "stages": [{stage.called(): _plain(stage.model_dump(exclude_none=True))} for stage in self.stages],
            "output": self.output.model_dump(),
        }

    def to_yaml(self) -> str:
        """The recipe as text that reads back as the same recipe."""
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        yaml.width = 120
        yaml.allow_unicode = True
        yaml.representer.ignore_aliases = lambda value: True
        yaml.representer.add_representer(Decimal, _represent_decimal)
        text = io.StringIO()
        yaml.dump(self.as_values(), text)
        return text.getvalue()

    def canonical(self) -> str:
        """The recipe as one line of JSON with sorted keys, from which its digest is computed."""
        return json.dumps(self.as_values(), sort_keys=True, ensure_ascii=False, default=as_text)


def _check_measures(stages: tuple[Stage, ...]) -> None:
    """Check that stages only name measures of stages that come before them."""
    seen: list[str] = []
    for place, stage in enumerate(stages):
        for name in stage.needs():
            step = name.partition(".")[0]
            if name not in COLUMNS and step not in seen:
                listed = did_you_mean(step, seen) or f"; there is {', '.join(seen) or 'none'}"
                raise ValueError(f"stages[{place}].{stage.name()}: no stage '{step}' before it{listed}")
        number = sum(other.name() == stage.name() for other in stages[: place + 1])
        if stage.is_measured:
            seen.append(stage.name() if number == 1 else f"{stage.name()}-{number}")


def _represent_decimal(representer: Any, value: Decimal) -> Any:
    digits = f"{value:f}"
    kind = "float" if "." in digits else "int"
    return representer.represent_scalar(f"tag:yaml.org,2002:{kind}", digits)


def _source_values(source: Source) -> dict[str, Any]:
    values = _plain(source.model_dump(exclude_none=True, exclude_defaults=True))
    place = values.pop(source.place)
    if source.format is not None:
        values["format"] = _plain(source.format.model_dump())
    return {source.place: place[0] if len(place) == 1 else place, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
