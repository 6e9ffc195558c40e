"""Build the index of evaluation sets, and write it into its folder."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.errors import ConflictError, InputError, InvariantError
from tulu_data.evaluations import standing
from tulu_data.evaluations.item import PARTS, Item
from tulu_data.evaluations.ngram_index import ALIGNMENT, ARRAYS, ITEMS, NOTE, REPLIES, Setting, is_whole, scan
from tulu_data.kernels import ngrams
from tulu_data.kernels.ngrams import GRAM, POST, Index, Work
from tulu_data.kernels.notation import operand_signs
from tulu_data.kernels.unicode import Normaliser, tables
from tulu_data.kernels.words import Words, buffers, fold, words
from tulu_data.store.durable import (
    durable,
    make_folders,
    publish_folder,
    refuse_links,
    remove_folder,
    sha256_file,
    temporary_of,
)
from tulu_data.store.workspace import write_note


def build(folder: Path, sets: Mapping[str, Sequence[Item]], setting: Setting) -> None:
    """Make the index of some evaluation sets in a folder, in place of a damaged one if there is one.

    Raises `InputError` (exit 3) if an evaluation set has no item that can be matched.
    """
    names = sorted(sets)
    items = [(name, item) for name in names for item in sets[name]]
    texts = [[text for part in setting.parts for text in item.texts[part]] for _, item in items]
    strings = pa.array([text for own in texts for text in own], pa.string())
    item_bounds = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    found = words(strings, setting.normaliser)
    token_bytes, token_bounds = fold(strings, found, setting.normaliser)
    token_text = np.repeat(np.arange(len(strings), dtype=np.int32), np.diff(found.offsets))
    text_item = np.repeat(np.arange(len(items), dtype=np.int32), np.diff(item_bounds))
    token_item = text_item[token_text]
    item_set = np.repeat(np.arange(len(names)), [len(sets[name]) for name in names])
    counted = np.bincount(token_item, minlength=len(items))
    is_long = counted >= setting.short_below
    grams = _grams(found, token_bytes, token_bounds, token_item, item_set, setting)
    tokens = _covered(np.sort(grams.posts["token"]), setting.n, token_item, len(items))
    coverable = _covered(np.flatnonzero(grams.of_token >= 0), setting.n, token_item, len(items))
    with_words = np.bincount(text_item[np.diff(found.offsets) > 0], minlength=len(items))
    signs = np.zeros(len(found.hashes), np.int32)
    if setting.normaliser == "math_code":
        operand_signs(found.data, found.starts, found.ends, found.offsets, tables("math_code"), signs)
    kinds = np.where(
        is_long & (tokens > 0), "indexed", np.where(counted >= max(setting.min_words, 1), "short", "unusable")
    )

    def index_of(short: npt.NDArray[np.int64]) -> Index:
        return Index(
            token_bytes=token_bytes,
            token_bounds=token_bounds,
            token_text=token_text,
            token_item=token_item,
            token_gram=grams.of_token,
            token_signs=signs,
            grams=grams.grams,
            posts=grams.posts,
            gram_slots=ngrams.slots_for(grams.hash),
            gram_bits=ngrams.bits_for(grams.hash),
            **_numbers(found, token_bytes, token_bounds),
            **_whole_texts(found, short, item_bounds),
            text_bounds=found.offsets,
            item_bounds=item_bounds,
            item_idf=grams.idf_of_item,
        )

    index = index_of(np.flatnonzero(kinds == "short"))
    if setting.max_item_df is not None:
        holders = _holders(index, strings, item_bounds, with_words, setting)
        kinds[(kinds == "short") & (holders > setting.max_item_df)] = "unusable"
        index = index_of(np.flatnonzero(kinds == "short"))
    table = pl.DataFrame(
        {
            "evaluation": [name for name, _ in items],
            "id": [item.id for _, item in items],
            "kind": kinds,
            "texts": with_words.astype(np.int32),
            "words": counted.astype(np.int32),
            "tokens": tokens.astype(np.int32),
            "coverable": coverable.astype(np.int32),
            "grams": grams.of_item.astype(np.int32),
            "idf": np.round(grams.idf_of_item, 6),
            "first": found.offsets[item_bounds[:-1]],
            "plain": pl.Series([sum(map(standing.plain_words, own)) for own in texts], dtype=pl.Int32),
        }
    )
    accounts = {name: _account(name, table, grams.left_out) for name in names}
    _, byte_bounds = buffers(strings)
    spans = np.empty((len(found.hashes), 2), np.int32)
    ngrams.character_spans(found.data, found.starts, found.ends, byte_bounds, found.offsets, spans)
    flat = [text for own in texts for text in own]
    arrays = {
        **index._asdict(),
        "spans": spans,
        "needs_line": np.array([standing.needs_line(text) for text in flat], np.bool_),
        "asks": np.array([standing.asks(text) for text in flat], np.bool_),
    }
    for part, listed in zip(
        REPLIES, ([item.answers for _, item in items], [item.texts["choices"] for _, item in items]), strict=True
    ):
        arrays |= {f"{part}_{name}": array for name, array in _replies(listed, setting.normaliser).items()}
    _publish(folder, arrays, table, {"accounts": accounts, "setting": _noted(setting)})


def _covered(
    tokens: npt.NDArray[np.integer], n: int, token_item: npt.NDArray[np.int32], items: int
) -> npt.NDArray[np.int64]:
    """How many tokens of each item are in the n-grams that begin at some tokens, which are sorted."""
    covered = np.zeros(len(token_item), np.bool_)
    ngrams.cover(tokens.astype(np.int32), n, covered)
    return np.bincount(token_item[covered], minlength=items)


def _replies(listed: Sequence[Sequence[str]], normaliser: Normaliser) -> dict[str, npt.NDArray[Any]]:
    texts = [text for own in listed for text in own]
    found = words(pa.array(texts, pa.string()), normaliser)
    return {
        "hashes": found.hashes,
        "bounds": found.offsets,
        "items": np.cumsum([0, *map(len, listed)]).astype(np.int64),
        "tells": np.array([standing.tells(text) for text in texts], np.uint8),
    }


def _publish(folder: Path, arrays: Mapping[str, npt.NDArray[Any]], items: pl.DataFrame, note: dict[str, Any]) -> None:
    staged = temporary_of(folder)
    refuse_links(folder, folder.parent)
    make_folders(staged, sync=False)
    try:
        places = {}
        with durable(staged / ARRAYS) as file:
            for name, array in arrays.items():
                file.write(bytes(-file.tell() % ALIGNMENT))
                dtype = array.dtype.descr if array.dtype.names else array.dtype.str
                places[name] = {"at": file.tell(), "dtype": dtype, "shape": array.shape}
                file.write(np.ascontiguousarray(array).tobytes())
        with durable(staged / ITEMS) as file:
            items.write_parquet(file)
        digests = {path.name: sha256_file(path) for path in sorted(staged.iterdir())}
        write_note(staged / NOTE, {**note, "arrays": places, "files": digests})
        _put(staged, folder)
    finally:
        remove_folder(staged)


def _put(staged: Path, folder: Path) -> None:
    """Move a new index to its name, in place of a damaged one; another build may have made the same index meanwhile."""
    with contextlib.suppress(ConflictError, NotADirectoryError):
        publish_folder(staged, folder)
        return
    if not is_whole(folder):
        damaged = temporary_of(folder)
        folder.rename(damaged)
        if damaged.is_dir():
            remove_folder(damaged)
        else:
            damaged.unlink()
        # If it is there again and undamaged, another build that found the damage was faster.
        with contextlib.suppress(ConflictError):
            publish_folder(staged, folder)


def _noted(setting: Setting) -> dict[str, Any]:
    return {
        "n": setting.n,
        "normaliser": setting.normaliser,
        "parts": [part for part in PARTS if part in setting.parts],
        "min_words": setting.min_words,
        "short_below": setting.short_below,
        "max_item_df": setting.max_item_df,
    }


def _account(name: str, table: pl.DataFrame, left_out: npt.NDArray[np.int64]) -> dict[str, int]:
    own = table.with_row_index("number").filter(pl.col("evaluation") == name)
    kinds = dict(own.group_by("kind").len().iter_rows())
    account = {kind: kinds.get(kind, 0) for kind in ("indexed", "short", "unusable")}
    if account["unusable"] == len(own):
        raise InputError(
            f"evaluation set {name}: none of its {len(own)} items has words enough to be found; "
            "say which columns hold their text: question: …"
        )
    return {
        "items": len(own),
        **account,
        "ngrams_left_out": int(left_out[own["number"].to_numpy()].sum()),
    }


def _numbers(
    found: Words, token_bytes: npt.NDArray[np.uint8], token_bounds: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """The distinct numbers that items contain in digits."""
    first, written = token_bytes[token_bounds[:-1]], found.data[found.starts] | 0x20
    is_spelled = (written >= ord("a")) & (written <= ord("z"))
    tokens = np.flatnonzero((first >= ord("0")) & (first <= ord("9")) & ~is_spelled)
    hashes = found.hashes[tokens]
    _check_hashes(tokens, hashes, 1, token_bytes, token_bounds)
    distinct, standing, number = np.unique(hashes, return_index=True, return_inverse=True)
    token_number = np.full(len(found.hashes), -1, np.int32)
    token_number[tokens] = number
    return {
        "token_number": token_number,
        "number_token": tokens[standing],
        "number_slots": ngrams.slots_for(distinct),
    }


def _check_hashes(
    tokens: npt.NDArray[np.int64],
    hashes: npt.NDArray[np.uint64],
    n: int,
    token_bytes: npt.NDArray[np.uint8],
    token_bounds: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """The order of n-grams by their hashes; a scan could not distinguish two n-grams with one hash."""
    order = np.argsort(hashes, kind="stable")
    if ngrams.first_unequal(order, tokens, hashes, n, token_bytes, token_bounds) >= 0:
        raise InvariantError(f"two {n}-grams of the evaluation sets have one hash; report it")
    return order


@dataclass(frozen=True)
class _Grams:
    """All n-grams: their hashes, and the places of each; a common one has no place."""

    hash: npt.NDArray[np.uint64]
    grams: npt.NDArray[np.void]
    posts: npt.NDArray[np.void]
    of_token: npt.NDArray[np.int32]
    of_item: npt.NDArray[np.int64]
    idf_of_item: npt.NDArray[np.float64]
    left_out: npt.NDArray[np.int64]


def _grams(
    found: Words,
    token_bytes: npt.NDArray[np.uint8],
    token_bounds: npt.NDArray[np.int64],
    token_item: npt.NDArray[np.int32],
    item_set: npt.NDArray[np.int64],
    setting: Setting,
) -> _Grams:
    """The n-grams of all items, the places of those that count, and the weight of each within its evaluation set."""
    n = setting.n
    hashes = np.empty(len(found.hashes), np.uint64)
    tokens = np.empty(len(found.hashes), np.int64)
    count = ngrams.gram_hashes(found.hashes, found.offsets, n, hashes, tokens)
    hashes, tokens = hashes[:count], tokens[:count]
    is_ignored = np.isin(hashes, _ignored(setting))
    left_out = np.bincount(token_item[tokens[is_ignored]], minlength=len(item_set))
    hashes, tokens = hashes[~is_ignored], tokens[~is_ignored]
    order = _check_hashes(tokens, hashes, n, token_bytes, token_bounds)
    distinct, first = np.unique(hashes[order], return_index=True)
    counts = np.diff(np.append(first, len(order)))
    # Numbered in the order of their first places, so that the counts of one item are close in memory.
    standing_first = np.argsort(tokens[order][first])
    number = np.empty(len(distinct), np.int64)
    number[standing_first] = np.arange(len(distinct))
    places = pl.DataFrame(
        {
            "gram": np.repeat(number, counts),
            "token": tokens[order],
            "item": token_item[tokens[order]],
        }
    ).sort("gram", "token")
    of_token = np.full(len(found.hashes), -1, np.int32)
    of_token[places["token"].to_numpy()] = places["gram"].to_numpy()
    pairs = places.select("gram", "item").unique(maintain_order=True)
    is_common = pl.lit(False) if setting.max_item_df is None else pl.len().over("gram") > setting.max_item_df
    common = pairs.filter(is_common)
    left_out += np.bincount(common["item"].to_numpy(), minlength=len(item_set))
    pairs = pairs.join(common, on=("gram", "item"), how="anti", maintain_order="left")
    of_set = item_set[pairs["item"].to_numpy()]
    sizes = np.bincount(item_set)
    # One item more than there are, so that n-grams of a set's only item do not weigh 0.
    weighed = (
        pairs.with_columns(set=pl.Series(of_set), size=pl.Series(sizes[of_set]))
        .with_columns(df=pl.len().over("gram", "set"))
        .with_columns(idf=((pl.col("size") + 1) / pl.col("df")).log())
        .select("gram", "item", "idf")
    )
    # Added up in the order of the n-grams: another order gives another last bit, and so another index.
    of_weighed = weighed["item"].to_numpy()
    of_item = np.bincount(of_weighed, minlength=len(item_set))
    idf_of_item = np.bincount(of_weighed, weights=weighed["idf"].to_numpy(), minlength=len(item_set)).astype(np.float64)
    counting = places.join(weighed, on=("gram", "item")).sort("gram", "token")
    standing = np.bincount(counting["gram"].to_numpy(), minlength=len(distinct))
    grams = np.zeros(len(distinct) + 1, GRAM)
    grams["token"][:-1] = tokens[order][first][standing_first]
    grams["posts"][1:] = np.cumsum(standing)
    posts = np.empty(len(counting), POST)
    for name in ("token", "item", "idf"):
        posts[name] = counting[name].to_numpy()
    return _Grams(
        hash=distinct[standing_first],
        grams=grams,
        posts=posts,
        of_token=of_token,
        of_item=of_item,
        idf_of_item=idf_of_item,
        left_out=left_out,
    )


def _holders(
    index: Index,
    strings: pa.StringArray,
    item_bounds: npt.NDArray[np.int64],
    texts: npt.NDArray[np.int64],
    setting: Setting,
) -> npt.NDArray[np.int64]:
    """How many items contain each short item as a whole: a stem that ends many questions identifies none of them."""
    pairs = scan(index, Work.for_index(index), strings, item_bounds, setting)[0]
    whole = pairs["item"][pairs["whole"] == texts[pairs["item"]]]
    return np.bincount(whole, minlength=len(texts))


def _ignored(setting: Setting) -> npt.NDArray[np.uint64]:
    found = words(pa.array(setting.ignored, pa.string()), setting.normaliser)
    hashes = np.empty(max(len(found.hashes), 1), np.uint64)
    tokens = np.empty(max(len(found.hashes), 1), np.int64)
    return hashes[: ngrams.gram_hashes(found.hashes, found.offsets, setting.n, hashes, tokens)]


def _pairs(found: Words, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """The distinct hashes of the pairs of words that begin at `tokens`."""
    pairs = np.empty(len(tokens), np.uint64)
    ngrams.pair_hashes(found.hashes, tokens, pairs)
    return np.unique(pairs)


def _whole_texts(
    found: Words, items: npt.NDArray[np.int64], item_bounds: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """The texts of short items, by their hashes."""
    ranges = [range(int(item_bounds[item]), int(item_bounds[item + 1])) for item in items]
    texts = np.array(list(itertools.chain.from_iterable(ranges)), np.int64)
    texts = texts[np.diff(found.offsets)[texts] > 0]
    firsts, lengths = found.offsets[texts], np.diff(found.offsets)[texts]
    singles = np.unique(found.hashes[firsts[lengths == 1]])
    hashes = np.empty(len(texts), np.uint64)
    ngrams.text_hashes(found.hashes, found.offsets, texts, hashes)
    order = np.argsort(hashes, kind="stable")
    distinct, first = np.unique(hashes[order], return_index=True)
    return {
        "whole_lengths": np.unique(lengths),
        "whole_slots": ngrams.slots_for(distinct),
        "whole_bits": ngrams.bits_for(distinct),
        "start_bits": ngrams.bits_for(_pairs(found, firsts[lengths > 1])),
        "single_bits": ngrams.bits_for(singles) if len(singles) else np.zeros(0, np.uint64),
        "whole_bounds": np.append(first, len(texts)).astype(np.int64),
        "whole_text": texts[order].astype(np.int32),
    }
