"""Rows have one text, one content and one id, that anyone can compute again."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tulu_data.building.decision import row_ids
from tulu_data.kernels import sha256_lanes
from tulu_data.kernels.sha256 import MANY, sha256_rows
from tulu_data.mixture import merkle
from tulu_data.rows.identity import hex_texts, in_order, keyed_order, row_id
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation, Sft
from tulu_data.rows.sft import conversations as one_by_one

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)


@st.composite
def conversation(draw: st.DrawFn) -> Conversation:
    messages = draw(
        st.lists(st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), texts), min_size=1, max_size=4)
    )
    size = len(messages)
    rare = (st.none() | texts.filter(bool), st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0]))
    of_messages = (draw(st.just(()) | st.lists(values, min_size=size, max_size=size)) for values in rare)
    return Conversation(messages, draw(st.none() | texts), draw(st.none() | texts), *of_messages)


conversations = st.lists(conversation(), max_size=8)


@given(conversations)
def test_a_content_hash_is_the_sha256_of_canonical_json(rows: list[Conversation]):
    for row, found in zip(rows, Rows.of(rows).content_hashes(), strict=True):
        messages = [{"content": content, "role": role} for role, content in row.messages]
        for message, thought in zip(messages, row.reasoning, strict=False):
            message.update({} if thought is None else {"reasoning_content": thought})
        for message, weight in zip(messages, row.weights, strict=False):
            message.update({} if weight is None else {"weight": int(weight) if weight == int(weight) else weight})
        content = {
            "messages": messages,
            **({"tool_calls": row.tool_calls} if row.tool_calls is not None else {}),
            **({"tools": row.tools} if row.tools is not None else {}),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert found == hashlib.sha256(text.encode()).digest()


@given(conversations, st.integers(0, 8), st.integers(0, 8))
def test_slices_of_rows_have_the_texts_and_hashes_of_the_whole(rows: list[Conversation], start: int, length: int):
    whole = Rows.of(rows)
    part = whole.slice(start, length)
    assert part.content_hashes() == whole.content_hashes()[start : start + length]
    for on in ("prompt", "response", "conversation"):
        assert list(part.texts(on).by_row()) == list(whole.texts(on).by_row())[start : start + length]


@given(conversations)
def test_texts_are_the_messages_of_the_roles(rows: list[Conversation]):
    for on, roles in (
        ("prompt", ["user"]),
        ("response", ["assistant"]),
        ("conversation", ["user", "assistant", "tool"]),
    ):
        expected = [
            [
                text
                for place, (role, content) in enumerate(row.messages)
                for text in (content, *row.reasoning[place : place + 1])
                if role in roles and text is not None
            ]
            for row in rows
        ]
        assert list(Rows.of(rows).texts(on).by_row()) == expected


@given(conversations)
def test_conversations_come_back_from_rows(rows: list[Conversation]):
    plain = [
        row._replace(
            **{name: () for name in ("reasoning", "weights") if not any(v is not None for v in getattr(row, name))}
        )
        for row in rows
    ]
    assert list(one_by_one(Rows.of(rows))) == [
        row._replace(reasoning=[*row.reasoning] or (), weights=[*row.weights] or ()) for row in plain
    ]


def test_messages_keep_their_rare_fields_when_their_contents_change():
    rows = Rows.of([Conversation([("user", "a"), ("assistant", "b")], reasoning=[None, "c"], weights=[None, 0.0])] * 3)
    changed = rows.slice(1).with_contents(pa.array(["x"] * 4))
    assert next(one_by_one(changed)) == Conversation(
        [("user", "x"), ("assistant", "x")], reasoning=[None, "c"], weights=[None, 0.0]
    )


def test_rows_come_back_from_a_batch_that_was_filtered():
    rows = Rows.of([Conversation([("user", str(n)), ("assistant", "x")]) for n in range(5)])
    taken = rows.take([3, 1, 1])
    assert list(taken.texts("prompt").by_row()) == [["3"], ["1"], ["1"]]
    assert taken.content_hashes() == [rows.content_hashes()[n] for n in (3, 1, 1)]
    assert tuple(rows.batch.schema.names) == tuple(Sft.content)


def test_an_id_is_the_hash_of_source_content_and_occurrence():
    content = hashlib.sha256(b"{}").digest()
    expected = hashlib.sha256(f"gsm8k\n{content.hex()}\n1".encode()).hexdigest()[:32]
    assert row_id("gsm8k", content, 1).hex() == expected


def test_the_keyed_order_depends_on_id_seed_and_purpose_alone():
    ids = np.frombuffer(hashlib.sha256(b"x").digest() * 8, dtype="<u8").reshape(-1, 2) + np.arange(
        32, dtype=np.uint64
    ).reshape(-1, 2)
    order = keyed_order(ids, 42, "shuffle")
    assert len(set(order.tolist())) == len(order)
    assert (keyed_order(ids[::-1], 42, "shuffle") == order[::-1]).all()
    assert (keyed_order(ids, 43, "shuffle") != order).all()
    assert (keyed_order(ids, 42, "order") != order).all()


def test_the_keyed_order_is_uniform_over_ids():
    ids = np.frombuffer(b"".join(row_id("a", bytes(32), n) for n in range(20_000)), dtype="<u8").reshape(-1, 2)
    bits = np.unpackbits(keyed_order(ids, 1, "take").view(np.uint8)).reshape(-1, 64).mean(axis=0)
    # 20,000 draws: a fair bit stays within 5 standard deviations, 0.0177, of one half.
    assert abs(bits - 0.5).max() < 0.0177


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, by its own recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_root_is_that_of_rfc_6962(leaves: list[bytes]):
    assert merkle.root(leaves) == naive_root(leaves).hex()


@given(st.integers(0, 200), st.integers(1, 70))
def test_short_messages_hashed_abreast_are_hashed_as_one_by_one(length: int, count: int):
    messages = np.random.default_rng(length).integers(0, 256, (count, length), dtype=np.uint8)
    expected = [hashlib.sha256(message.tobytes()).digest() for message in messages]
    assert [digest.tobytes() for digest in sha256_lanes.digests(messages)] == expected
    assert [digest.tobytes() for digest in sha256_rows(messages)] == expected


def test_enough_messages_are_hashed_abreast():
    messages = np.arange(3 * MANY, dtype=np.uint32).view(np.uint8).reshape(-1, 12)
    digests = sha256_rows(messages)
    assert len(digests) == MANY
    assert all(digests[n].tobytes() == hashlib.sha256(messages[n].tobytes()).digest() for n in (0, 1, 40_000, MANY - 1))


@given(st.lists(st.tuples(st.binary(min_size=48, max_size=48), st.integers(1, 2**32 - 1)), max_size=40))
def test_the_root_of_arrays_is_the_root_of_their_leaves(rows: list[tuple[bytes, int]]):
    ids = np.frombuffer(b"".join(row[:16] for row, _ in rows), dtype="V16")
    contents = np.frombuffer(b"".join(row[16:] for row, _ in rows), dtype="V32")
    copies = np.array([count for _, count in rows], dtype=np.uint32)
    leaves = [merkle.leaf(row[:16], row[16:], count) for row, count in rows]
    assert merkle.root_of(ids, contents, copies) == naive_root(leaves).hex()


def test_ids_of_many_rows_are_those_of_each_row():
    occurrences = [0, 1, 9, 10, 99, 100, 12_345, 7]
    contents = [hashlib.sha256(bytes([number % 3])).digest() for number in range(len(occurrences))]
    sources = ["gsm8k", "a", "wild.chat"]
    source = np.array([0, 1, 2, 0, 1, 2, 0, 1], dtype=np.uint16)
    found = row_ids(
        sources, source, np.frombuffer(b"".join(contents), dtype="V32"), np.array(occurrences, dtype=np.uint32)
    )
    expected = [
        row_id(sources[index], content, number)
        for index, content, number in zip(source, contents, occurrences, strict=True)
    ]
    assert found.tolist() == expected
    assert hex_texts(found).to_pylist() == [id.hex() for id in expected]
    assert hex_texts(found[:0]).to_pylist() == []


def test_a_tie_in_the_first_key_goes_to_the_next():
    first = np.array([3, 1, 3, 2], dtype=np.uint64)
    then = np.array([5, 0, 4, 0], dtype=np.uint64)
    assert in_order(first, then).tolist() == [1, 3, 2, 0]
    assert in_order(np.array([3, 1], dtype=np.uint64), then[:2]).tolist() == [1, 0]
    assert in_order(first[:0], then[:0]).tolist() == []
