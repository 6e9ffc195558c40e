"""Two versions that differ little share most of their bytes in a store of chunks."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import Yard
from tulu_data.mixture.mixture import Mixture

pytestmark = pytest.mark.slow

LEAST, MOST = 8 << 10, 128 << 10
# 2^16 bytes on average, as the Hub's store has them.
MASK = np.uint64(0xFFFF << 48)
ROWS = 12_000


def chunks(content: bytes) -> dict[str, int]:
    """The sizes of content-defined chunks by their sha256, cut where a gear hash of 64 bytes has 16 zero bits."""
    gear = np.random.default_rng(0).integers(0, 2**64, 256, dtype=np.uint64)
    hashes = gear[np.frombuffer(content, np.uint8)]
    for step in (1, 2, 4, 8, 16, 32):
        before = np.zeros_like(hashes)
        before[step:] = hashes[:-step] << np.uint64(step)
        hashes += before
    found: dict[str, int] = {}
    start = 0
    for cut in [*(np.flatnonzero((hashes & MASK) == 0) + 1).tolist(), len(content)]:
        while cut - start > MOST:
            found[hashlib.sha256(content[start : start + MOST]).hexdigest()] = MOST
            start += MOST
        if cut - start >= LEAST or cut == len(content):
            found[hashlib.sha256(content[start:cut]).hexdigest()] = cut - start
            start = cut
    return found


def share(old: Mixture, new: Mixture) -> float:
    """Which part of the bytes of the new rows a store has that holds the old ones."""
    known = {sum256 for path in old.data for sum256 in chunks(path.read_bytes())}
    fresh = {sum256: size for path in new.data for sum256, size in chunks(path.read_bytes()).items()}
    return sum(size for sum256, size in fresh.items() if sum256 in known) / sum(fresh.values())


def texts(count: int, seed: int) -> list[dict[str, str]]:
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 11))) for _ in range(5_000)]
    return [
        {"prompt": " ".join(draw.choices(words, k=60)), "response": " ".join(draw.choices(words, k=120))}
        for _ in range(count)
    ]


def versions(yard: Yard, **output: Any) -> tuple[Mixture, Mixture]:
    """A mixture of two sources, and the same with a third, of 1 % of the rows, between them."""
    yard.jsonl("a.jsonl", texts(ROWS // 2, 1))
    yard.jsonl("b.jsonl", texts(ROWS // 100, 2))
    yard.jsonl("c.jsonl", texts(ROWS // 2, 3))
    sources = {name: {"jsonl": f"{name}.jsonl"} for name in "abc"}
    old = yard.mix(sources={"a": sources["a"], "c": sources["c"]}, output=output).mixture
    return old, yard.mix(sources=sources, output=output).mixture


def test_the_chunker_finds_what_was_moved(tmp_path: Path):
    content = random.Random(0).randbytes(4 << 20)
    known = chunks(content)
    moved = chunks(content[: 1 << 20] + b"inserted" + content[1 << 20 :])
    assert sum(size for sum256, size in moved.items() if sum256 not in known) <= 2 * MOST


def test_a_source_of_one_percent_more_leaves_most_bytes_as_they_were(yard: Yard):
    assert share(*versions(yard, shuffle=False)) >= 0.7


def test_rows_that_are_scattered_among_others_leave_few(yard: Yard):
    assert share(*versions(yard)) < 0.1
