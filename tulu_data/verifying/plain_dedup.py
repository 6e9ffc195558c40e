"""Near-duplicates by exact Jaccard of shingle sets, in plain Python that shares nothing with the code of a build."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tulu_data.verifying.plain_words import Gram, words


class Near(NamedTuple):
    """Two rows whose texts are nearly the same."""

    id: str
    other: str
    jaccard: float


def shingles(texts: Iterable[str], n: int) -> frozenset[Gram]:
    """The shingles of some texts: each n consecutive words of a text; a shorter text is one shingle."""
    found: set[Gram] = set()
    for text in texts:
        own = words(text, "words")
        found.update(tuple(own[place : place + n]) for place in range(max(len(own) - n + 1, min(len(own), 1))))
    return frozenset(found)


def near_pairs(
    rows: Iterable[tuple[str, frozenset[Gram]]], sample: Mapping[str, frozenset[Gram]], least: float
) -> Iterator[Near]:
    """The pairs of a row and a row of the sample with a Jaccard similarity of at least `least`, each once."""
    holders: defaultdict[Gram, list[str]] = defaultdict(list)
    for id, own in sample.items():
        for gram in own:
            holders[gram].append(id)
    for id, own in rows:
        shared = Counter(other for gram in own for other in holders.get(gram, ()))
        for other, both in shared.items():
            jaccard = both / (len(own) + len(sample[other]) - both)
            if jaccard >= least and other != id and not (id in sample and id > other):
                yield Near(id, other, jaccard)
