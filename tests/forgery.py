"""What a forger, or a bad disk, does to a mixture."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data import report
from tulu_data.building import manifest
from tulu_data.mixture import merkle
from tulu_data.report import card, croissant
from tulu_data.rows.identity import row_id
from tulu_data.store import parquet
from tulu_data.store.keys import key_of


def resign(folder: Path, change: Callable[[dict[str, Any]], None] = lambda facts: None) -> None:
    """Make the manifest and the sums fit the files again, as a forger would."""
    facts = json.loads((folder / "manifest.json").read_text())
    names = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    facts["files"] = {
        name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        for name, path in names.items()
        if name not in ("manifest.json", "SHA256SUMS")
    }
    change(facts)
    manifest.seal(folder, facts)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Bytes that were flipped, cut, doubled, or written over with bytes of numbers."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        place = draw.randrange(len(changed) or 1)
        kind = draw.randrange(5)
        if kind == 0 and changed:
            changed[place % len(changed)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            changed[place : place + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff"))
        elif kind == 2:
            del changed[place:]
        elif kind == 3:
            changed[place:place] = changed[place : place + draw.randrange(64)]
        else:
            changed[place:place] = draw.choice(
                (b"[" * 50_000, b'"\\u0000"', b"1e999", b"null", b"-1", b"{}", b"../x", b"[]")
            )
    return bytes(changed)


def edit(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    parquet.write(path, change(pq.read_table(path, partitioning=None)))


def plant(folder: Path, prompt: str, response: str) -> None:
    """Put one more row into a mixture, and make all of it fit: ids, ledger, places, counts, root, sums, version."""
    content = {"messages": [{"content": prompt, "role": "user"}, {"content": response, "role": "assistant"}]}
    digest = hashlib.sha256(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()).digest()
    id = row_id("a", digest, 0).hex()
    path = min(folder.glob("data/train*"))
    rows = pq.read_table(path, partitioning=None)
    blank = dict.fromkeys(rows.schema.names)
    messages = [{"role": message["role"], "content": message["content"]} for message in content["messages"]]
    row = pa.Table.from_pylist([{**blank, "id": id, "messages": messages, "source": "a"}], schema=rows.schema)
    parquet.write(path, pa.concat_tables([rows, row]))
    line = {"id": id, "source": "a", "fate": "kept", "copies": 1, "reason": ""}
    edit(
        folder / "ledger/ledger.parquet",
        lambda ledger: pa.concat_tables([ledger, pa.Table.from_pylist([line], schema=ledger.schema)]).sort_by("id"),
    )

    def change(facts: dict[str, Any]) -> None:
        for name in ("read", "kept", "written"):
            facts["sources"]["a"][name] += 1
        facts["rows"] += 1
        facts["root"] = root_of(folder)
        build = facts["build"]
        facts["version"] = key_of(root=facts["root"], recipe=build["recipe"], inputs=build["inputs"], limit=None)[:12]

    resign(folder, change)
    redraw(folder)


def redraw(folder: Path) -> None:
    """Draw anew what is made of the manifest and the tables, and sign it."""
    facts = json.loads((folder / "manifest.json").read_text())
    report.write(folder, facts)
    card.Card(folder, facts).write()
    croissant.write(folder, facts)
    resign(folder)


def root_of(folder: Path) -> str:
    """The root of the rows in a folder, each of which stands once."""
    leaves = []
    for row in pq.read_table(min(folder.glob("data/train*")), partitioning=None).to_pylist():
        messages = [{"content": message["content"], "role": message["role"]} for message in row["messages"]]
        text = json.dumps({"messages": messages}, separators=(",", ":"), ensure_ascii=False)
        leaves.append((row["id"], hashlib.sha256(text.encode()).digest()))
    return merkle.root(merkle.leaf(bytes.fromhex(id), content, 1) for id, content in sorted(leaves))
