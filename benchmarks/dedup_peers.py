"""Other near-dedup tools, each from Parquet to Parquet, in its own Python environment.

    python -m venv peers/datasketch && peers/datasketch/bin/pip install datasketch==2.0.0 rensa==0.5.0 xxhash pyarrow
    python -m venv peers/text-dedup && peers/text-dedup/bin/pip install text-dedup==0.4.0
    python -m venv peers/datatrove && peers/datatrove/bin/pip install "datatrove[processing,io]==0.10.1" "xxhash<4" spacy tokenizers orjson
    peers/datasketch/bin/python benchmarks/dedup_peers.py rensa rows.parquet kept.parquet

All use shingles of 5 words and 14 bands of 8 rows. The input has columns `id` and `text`; the
output has the kept rows. rensa tells which rows have a duplicate, but not of which row: the
first row of each digest's bands is kept here, as in its own examples.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

NGRAM, BANDS, ROWS = 5, 14, 8
WORD = re.compile(r"\w+")


def shingles(text: str) -> list[str]:
    words = WORD.findall(text.lower())
    return [" ".join(words[at : at + NGRAM]) for at in range(max(len(words) - NGRAM, 0) + 1)]


def datasketch(source: Path, target: Path) -> None:
    import xxhash
    from datasketch import MinHash, MinHashLSH

    rows = pq.read_table(source)
    texts = ([shingle.encode() for shingle in shingles(text)] for text in rows["text"].to_pylist())
    signatures = MinHash.bulk(texts, num_perm=BANDS * ROWS, hashfunc=xxhash.xxh32_intdigest)
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    kept = []
    for number, signature in enumerate(signatures):
        if not index.query(signature):
            index.insert(number, signature)
            kept.append(number)
    pq.write_table(rows.take(pa.array(kept, pa.int64())), target, compression="zstd")


def _rensa(source: Path, target: Path, *, rho: bool) -> None:
    import rensa

    rows = pq.read_table(source)
    tokens = [shingles(text) for text in rows["text"].to_pylist()]
    digest = rensa.RMinHash.digest_matrix_from_token_sets_rho if rho else rensa.RMinHash.digest_matrix_from_token_sets
    matrix = digest(tokens, BANDS * ROWS, 42)
    flags = rensa.RMinHashLSH(0.8, BANDS * ROWS, BANDS).query_duplicate_flags_matrix_one_shot(matrix)
    # Every member of a cluster is flagged; which member is kept must be found by looking again.
    index = rensa.RMinHashLSH(0.8, BANDS * ROWS, BANDS)
    kept = [number for number, flag in enumerate(flags) if not flag]
    if not rho:
        flagged = [number for number, flag in enumerate(flags) if flag]
        minhashes = rensa.RMinHash.from_token_sets([tokens[number] for number in flagged], BANDS * ROWS, 42)
        for number, minhash in zip(flagged, minhashes, strict=True):
            if not index.query(minhash):
                index.insert(number, minhash)
                kept.append(number)
    pq.write_table(rows.take(pa.array(sorted(kept), pa.int64())), target, compression="zstd")


def rensa(source: Path, target: Path) -> None:
    _rensa(source, target, rho=False)


def rensa_rho(source: Path, target: Path) -> None:
    _rensa(source, target, rho=True)


def text_dedup(source: Path, target: Path) -> None:
    folder = target.with_suffix(".text-dedup")
    words = [sys.executable, "-m", "text_dedup.minhash", "--path", "parquet", "--data_files", str(source)]
    words += ["--split", "train", "--column", "text", "--output", str(folder), "--cache_dir", f"{folder}.cache"]
    words += ["--ngram", str(NGRAM), "--num_perm", str(BANDS * ROWS), "--b", str(BANDS), "--r", str(ROWS)]
    words += ["--threshold", "0.8", "--hash_func", "xxh3", "--min_length", "1"]
    words += ["--num_proc", str(len(os.sched_getaffinity(0)))]
    subprocess.run(words, check=True, stdout=sys.stderr)
    from datasets import load_from_disk

    load_from_disk(str(folder)).to_parquet(target)
    shutil.rmtree(folder)


def datatrove(source: Path, target: Path) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter

    folder = target.with_suffix(".datatrove")
    shutil.rmtree(folder, ignore_errors=True)
    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    workers = len(os.sched_getaffinity(0))
    signatures, buckets, removed = (str(folder / name) for name in ("signatures", "buckets", "removed"))

    def reader() -> ParquetReader:
        return ParquetReader(str(source.parent), glob_pattern=source.name)

    stages = (
        ([reader(), MinhashDedupSignature(output_folder=signatures, config=config)], 1),
        ([MinhashDedupBuckets(input_folder=signatures, output_folder=buckets, config=config)], BANDS),
        ([MinhashDedupCluster(input_folder=buckets, output_folder=removed, config=config)], 1),
        ([reader(), MinhashDedupFilter(input_folder=removed), ParquetWriter(str(folder / "kept"))], 1),
    )
    for number, (pipeline, tasks) in enumerate(stages):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=str(folder / f"log-{number}")).run()
    (kept,) = (folder / "kept").glob("*.parquet")
    kept.replace(target)
    shutil.rmtree(folder)


if __name__ == "__main__":
    engine, *places = sys.argv[1:]
    globals()[engine](*map(Path, places))
