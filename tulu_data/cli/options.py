"""Options that commands share, their types, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import click

from tulu_data.executors import Executor, registry

if TYPE_CHECKING:
    from tulu_data.sources.source import Source

_UNITS: Final = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "KI": 2**10,
    "MI": 2**20,
    "GI": 2**30,
    "TI": 2**40,
}


class Size(click.ParamType[int]):
    """A number of bytes: `4GiB`, `500MB`, `1000`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", str(value).strip().upper())
        if not found or found[2] == "I":
            self.fail(f"'{value}' is not a size; write 4GiB or 500MB", param, ctx)
        return int(float(found[1]) * _UNITS[found[2]])


class Sha256(click.ParamType[str]):
    """The sha256 of a file, in hex."""

    name = "sha256"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        digest = str(value).strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            self.fail(f"'{value}' is not a sha256, which has 64 of the signs 0-9 and a-f: sha256sum FILE", param, ctx)
        return digest


Decorator: TypeAlias = Callable[[Any], Any]


def option(*names: str, **settings: Any) -> Decorator:
    """An option that shows its default."""
    return click.option(*names, **{"show_default": True, **settings})


def gathered(parameter: str, kind: Any, *options: Decorator) -> Decorator:
    """Options that a command gets as one value, its `parameter`; `kind` is a named tuple of them."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def call(**values: Any) -> Any:
            parts = {name: values.pop(name) for name in kind._fields}
            return command(**values, **{parameter: kind(**parts)})

        for each in reversed(options):
            call = each(call)
        return call

    return add


def _split(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> list[str]:
    return [name.strip() for part in names for name in part.split(",") if name.strip()]


PATH: Final = click.Path(path_type=Path)

recipe_argument = click.argument("recipe", type=PATH)
mixture_argument = click.argument("mixture")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
out_option = option("--out", type=PATH, default="mixtures", help="Folder of mixtures.")
mixtures_option = option("--mixtures", type=PATH, default="mixtures", help="Folder of mixtures.")
workspace_option = option("--workspace", type=PATH, default=".tulu-data", help="Folder of cached rows and results.")
texts_option = click.option("--workspace", type=PATH, help="Workspace with the texts of removed rows, if it was moved.")
memory_option = option("--memory", type=Size(), default="4GiB", help="Memory that the decisions about rows may use.")
trust_option = click.option(
    "--trust-code",
    "trusted",
    metavar="SHA256",
    type=Sha256(),
    multiple=True,
    callback=lambda ctx, param, value: value or None,
    help="Run code from outside only if its file has this sha256. Recipes of mixtures need it.",
)
against_option = click.option(
    "--against",
    metavar="NAME[,NAME]",
    multiple=True,
    required=True,
    callback=_split,
    help="Evaluation sets or groups of them.",
)


class Rule(NamedTuple):
    """The rule by which a row is contaminated; the fields are arguments of `decontaminate.stage_of`."""

    rule: str
    on: str | None
    threshold: str | None


rule_options = gathered(
    "rule",
    Rule,
    option("--rule", default="tulu_data", help="Rule that decides what is contaminated."),
    click.option(
        "--on",
        metavar="MESSAGES",
        show_default="the rule's",
        help="Messages to check: prompt, response or conversation.",
    ),
    click.option("--threshold", metavar="X", show_default="the rule's", help="Value from which a row is contaminated."),
)


class Crew(NamedTuple):
    """Where work runs, and how many units at a time."""

    executor: str
    workers: int | None

    def open(self) -> AbstractContextManager[Executor]:
        return registry.open(self.executor, self.workers)


crew_options = gathered(
    "crew",
    Crew,
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        show_default="the number of cores",
        help="How many worker processes to use.",
    ),
    option(
        "--executor",
        type=click.Choice(registry.NAMES),
        default=registry.DEFAULT,
        help="Where the work runs: in this process, or in worker processes.",
    ),
)


class Data(NamedTuple):
    """Data given on the command line instead of by a recipe, and how to read it."""

    data: tuple[str, ...]
    format: str | None
    records: str | None
    no_header: bool
    config: str | None
    split: str | None
    max_quarantined: int

    def sources(self) -> dict[str, Source]:
        from tulu_data.readers.yaml import parse
        from tulu_data.without_recipe.files import sources_of

        options = {
            "format": self.format and parse(self.format, "--format").root,
            "records": self.records,
            "header": False if self.no_header else None,
            "max_quarantined": self.max_quarantined,
        }
        return sources_of(self.data, hub={"config": self.config, "split": self.split}, options=options)


data_options = gathered(
    "data",
    Data,
    click.argument("data", metavar="DATA...", nargs=-1, required=True),
    click.option(
        "--format",
        show_default="detected",
        help="How columns become a conversation, such as {prompt: question, response: answer}.",
    ),
    click.option("--records", help="Where a JSON document has its rows, such as examples[]."),
    click.option("--no-header", is_flag=True, help="CSV and TSV files have no header line; their columns are 0, 1, …"),
    click.option("--config", help="Config of a dataset."),
    click.option("--split", show_default="train", help="Split of a dataset."),
    option("--max-quarantined", type=click.IntRange(min=0), default=0, help="How many bad records each file may have."),
)
