"""Run other decontamination tools on our rows, each in its own Python environment.

    PYTHON benchmarks/peers.py decon FOLDER
    PYTHON benchmarks/peers.py datatrove FOLDER

`FOLDER` contains `items.jsonl` (evaluation, item, text) and `rows/*.jsonl` (one column, text);
`hits.jsonl` is written beside them: file, row (its number from 0), evaluation, and item if the tool
names one. They have their own environments because they pin other versions than we do:

    python3.12 -m venv decon && decon/bin/pip install decontaminate==0.3.0.post4
    python3.12 -m venv datatrove
    datatrove/bin/pip install 'datatrove[processing]==0.10.1' 'xxhash<4' spacy tokenizers

Both use their defaults, with these exceptions. decon is given no answers, because with them it does not
report a question leaked alone, and it keeps items with the same text (`eval_dedup`), so that it can name
each. datatrove uses n-grams of answers by default, and is given those of questions (`find_query_ngrams`);
it stops at a row's first hit, and knows from which set that is.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

LABELS: Final = {"decon": "allenai/decon 0.3.0", "datatrove": "datatrove 0.10.1"}


def write_items(folder: Path, items: Iterable[tuple[str, str, str]]) -> None:
    """Write the items that rows are compared with: evaluation set, item and text."""
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for evaluation, item, text in items:
            file.write(json.dumps({"evaluation": evaluation, "item": item, "text": text}) + "\n")


def write_rows(path: Path, texts: Iterable[str]) -> None:
    """Write a file of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")


def command(tool: str, python: Path, folder: Path) -> list[str]:
    """The command that runs a tool on a folder."""
    return [str(python), __file__, tool, str(folder)]


def hits(tool: str, python: Path, folder: Path) -> list[dict[str, Any]]:
    """Run a tool on a folder, and read what it found."""
    subprocess.run(command(tool, python, folder), check=True, stdout=subprocess.DEVNULL)
    return list(read(folder / "hits.jsonl"))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of an input or output file of a tool."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def decon(folder: Path) -> Iterator[dict[str, Any]]:
    """Hits of allenai/decon: each with the item."""
    items = list(read(folder / "items.jsonl"))
    evals, report = folder / "decon_evals", folder / "decon_report"
    evals.mkdir(exist_ok=True)
    with (evals / "items.jsonl").open("w", encoding="utf-8") as file:
        for number, item in enumerate(items):
            record = {
                "eval_key": item["evaluation"],
                "eval_instance_index": number,
                "split": "test",
                "question": item["text"],
                "doc_id": number,
                "fingerprint": hashlib.sha256(item["text"].encode()).hexdigest()[:16],
            }
            file.write(json.dumps(record) + "\n")
    tool = import_module("decon")
    places = {"training_dir": folder / "rows", "evals_dir": evals, "report_output_dir": report}
    tool.detect(tool.Config(**{key: str(place) for key, place in places.items()}, eval_dedup=False))
    for path in sorted(report.rglob("*.jsonl")):
        for line in read(path):
            item = items[line["eval_instance_index"]]
            yield {
                "file": Path(line["training_file"]).name,
                "row": line["training_line"],
                "evaluation": item["evaluation"],
                "item": item["item"],
            }


def datatrove(folder: Path) -> Iterator[dict[str, Any]]:
    """Hits of datatrove's n-gram filter: each with the set of the first n-gram that it met."""
    steps, data = import_module("datatrove.pipeline.decont.n_grams"), import_module("datatrove.data")
    import_module("datatrove.utils.logging").logger.remove()

    # It needs lighteval only for lighteval's own tasks.
    steps.NGramsDecontIndexer._requires_dependencies = []  # noqa: SLF001 (no other way)
    config = steps.NGramsDecontConfig(find_query_ngrams=True)
    index = folder / "datatrove_index"
    indexer = steps.NGramsDecontIndexer(str(index), config=config)
    hashes: dict[str, set[int]] = {}
    for item in read(folder / "items.jsonl"):
        hashes.setdefault(item["evaluation"], set()).update(indexer.compute_hashes("", item["text"]))
    numpy = import_module("numpy")
    index.mkdir(exist_ok=True)
    for name, found in hashes.items():
        numpy.array(list(found), dtype=config.hash_config.np_descr).tofile(index / f"{name}.index.hashes")
    keep = steps.NGramsDecontFilter(str(index), config=config)
    for path in sorted((folder / "rows").glob("*.jsonl")):
        for number, row in enumerate(read(path)):
            document = data.Document(row["text"], str(number))
            if keep.filter(document) is not True:
                yield {"file": path.name, "row": number, "evaluation": document.metadata["contaminated_task"]}


def main() -> None:
    tool, folder = sys.argv[1], Path(sys.argv[2])
    with (folder / "hits.jsonl").open("w", encoding="utf-8") as file:
        for hit in {"decon": decon, "datatrove": datatrove}[tool](folder):
            file.write(json.dumps(hit) + "\n")


if __name__ == "__main__":
    main()
