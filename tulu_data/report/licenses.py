"""Licences of data: their names on the Hub, and which of several is the strictest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

UNSAID: Final = "unknown"
OTHER: Final = "other"


class Demand(NamedTuple):
    """The condition of a kind of licences, in plain words, and their names on the Hub."""

    asks: str
    names: tuple[str, ...]


DEMANDS: Final = (
    Demand("asks for nothing", ("cc0-1.0", "pddl", "unlicense", "wtfpl")),
    Demand(
        "asks that its makers are named",
        (
            *("mit", "apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "isc", "zlib", "ncsa", "afl-3.0", "ecl-2.0"),
            *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "odc-by", "etalab-2.0"),
            *("cdla-permissive-1.0", "cdla-permissive-2.0", "c-uda"),
        ),
    ),
    Demand(
        "asks that what is made of it has the same licence",
        (
            *("cc-by-sa-3.0", "cc-by-sa-4.0", "odbl", "cdla-sharing-1.0", "gfdl"),
            *(
                "gpl",
                "gpl-2.0",
                "gpl-3.0",
                "agpl-3.0",
                "lgpl",
                "lgpl-2.1",
                "lgpl-3.0",
                "mpl-2.0",
                "epl-2.0",
                "eupl-1.2",
            ),
        ),
    ),
    Demand(
        "forbids some uses; read it",
        ("openrail", "bigscience-openrail-m", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "gemma"),
    ),
    Demand(
        "forbids commercial use",
        (
            *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0"),
            *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "fair-noncommercial-research-license"),
        ),
    ),
    Demand("forbids changed copies, which a mixture is", ("cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0")),
    Demand("is not on the Hub's list; read it", (OTHER,)),
    Demand("was not given: nobody knows what may be done with these rows", (UNSAID,)),
)
"""From the mildest to the strictest. The names are those of the Hub's list of licences."""

_RANKS: Final = {name: rank for rank, demand in enumerate(DEMANDS) for name in demand.names}


def hub_name(license: str | None) -> str:
    """The Hub's name of a licence that a recipe gives.

    >>> hub_name("CC-BY-4.0"), hub_name("ask Bob"), hub_name(None)
    ('cc-by-4.0', 'other', 'unknown')
    """
    if not license:
        return UNSAID
    name = license.strip().lower()
    return name if name in _RANKS else OTHER


def strictest(licenses: Iterable[str | None]) -> tuple[str, str]:
    """The strictest licence, by the Hub's name, and its condition.

    >>> strictest(["mit", "cc-by-nc-4.0", "odc-by"])
    ('cc-by-nc-4.0', 'forbids commercial use')
    """
    name = max(map(hub_name, licenses), key=lambda name: (_RANKS[name], name))
    return name, DEMANDS[_RANKS[name]].asks
