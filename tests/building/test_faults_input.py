"""Inputs that are not what they should be: each with the message that a person sees."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, pairs, varied
from tulu_data.building import ingest
from tulu_data.cli.build import show_built
from tulu_data.errors import InputError, RecipeError, TuluDataError, UsageError
from tulu_data.executors.inline import Inline
from tulu_data.readers import stream
from tulu_data.store.durable import sha256_file
from tulu_data.verifying.levels import Verification

GOOD = {"prompt": "p", "response": "r"}


def failure(yard: Yard, source: dict[str, Any], kind: type[TuluDataError] = InputError) -> str:
    """What a person reads when this source is built."""
    with pytest.raises(kind) as caught:
        yard.mix(sources={"a": source})
    assert caught.value.exit_code == {InputError: 3, UsageError: 2}[kind]
    return str(caught.value).replace(f"{yard.root}/", "")


def quarantined(yard: Yard, source: dict[str, Any], count: int = 1) -> list[tuple[int, str, str]]:
    """The records that this source sets aside when it may, after seeing that it fails when it may not."""
    message = failure(yard, source)
    assert f"{count} record{'s' * (count != 1)} can't become rows, and max_quarantined is 0" in message
    assert message.endswith(f"set these records aside with: max_quarantined: {count}")
    built = yard.mix(sources={"a": {**source, "max_quarantined": count}})
    table = pl.read_parquet(built.mixture.folder / "quarantine.parquet")
    assert built.mixture.rows["a"]["quarantined"] == count == len(table)
    return table.select("row", "code", "detail").rows()


def read_all(yard: Yard, source: dict[str, Any]) -> list[tuple[str, str]]:
    """The prompts and responses of a source, in the order of the prompts' numbers and letters."""
    mixture = yard.mix(sources={"a": source}).mixture
    frame = pl.concat(pl.read_parquet(path) for path in mixture.data)
    found = [tuple(message["content"] for message in messages) for messages in frame["messages"]]
    return sorted(found, key=lambda row: (len(row[0]), row))


@pytest.mark.parametrize("keep", [lambda size: size - 1, lambda size: size // 2, lambda size: 4])
def test_a_parquet_file_that_was_cut_off_is_told(yard: Yard, keep: Any):
    path = yard.root / "a.parquet"
    pq.write_table(pa.Table.from_pylist(pairs(100)), path)
    path.write_bytes(path.read_bytes()[: keep(path.stat().st_size)])
    message = failure(yard, {"parquet": "a.parquet"})
    assert message.startswith("sources.a: a.parquet: damaged, or not Parquet: ")
    assert message.endswith("; fetch the file again")


def test_parquet_of_zero_bytes_is_an_empty_file(yard: Yard):
    yard.write("a.parquet", b"")
    assert (
        failure(yard, {"parquet": "a.parquet"})
        == "sources.a: no row in 1 file; if that is right, say: allow_empty: true"
    )


def test_a_flipped_bit_in_a_parquet_page(yard: Yard):
    path = yard.root / "a.parquet"
    pq.write_table(
        pa.Table.from_pylist(pairs(100)), path, compression="none", use_dictionary=False, write_page_checksum=True
    )
    content = bytearray(path.read_bytes())
    content[content.index(b"What is 50 + 50?")] ^= 1
    path.write_bytes(content)
    message = failure(yard, {"parquet": "a.parquet"})
    assert "a.parquet: damaged, or not Parquet: " in message
    assert "CRC" in message


@pytest.mark.parametrize(
    ("name", "compress"), [("gz", gzip.compress), ("zst", lambda raw: pa.Codec("zstd").compress(raw, asbytes=True))]
)
def test_truncated_and_continued_compressed_files(yard: Yard, name: str, compress: Any):
    content = compress(b"".join(json.dumps(row).encode() + b"\n" for row in pairs(2000)))
    yard.write(f"a.{name}", content[:-20])
    message = failure(yard, {"jsonl": f"a.{name}"})
    assert message.startswith(f"sources.a: a.{name}: damaged after ")
    assert "truncated compressed stream" in message
    assert message.endswith("; fetch the file again")
    yard.write(f"b.{name}", content + b"trailing junk")
    assert f"b.{name}: damaged after " in failure(yard, {"jsonl": f"b.{name}"})
    assert not list((yard.root / "mixtures" / "mix").glob("[!.]*"))


def test_a_decompression_bomb_is_not_read(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "RATIO_FLOOR_BYTES", 1 << 20)
    zeros = pa.Codec("zstd").compress(b"\n" * (20 << 20), asbytes=True)
    yard.write("a.jsonl.zst", zeros)
    message = failure(yard, {"jsonl": "a.jsonl.zst"})
    assert "a.jsonl.zst: expands more than 1,000 times" in message
    assert message.endswith("a decompression bomb; it is not read")


def test_a_bomb_of_dictionary_pages_in_parquet(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tulu_data.readers.parquet_batches.RATIO_FLOOR_BYTES", 1 << 20)
    column = pa.array(["x" * 20_000] * 2_000)
    pq.write_table(pa.table({"prompt": column, "response": column}), yard.root / "a.parquet", compression="zstd")
    assert (yard.root / "a.parquet").stat().st_size < 10_000
    message = failure(yard, {"parquet": "a.parquet"})
    assert "a.parquet: expands more than 1,000 times" in message


def test_a_line_longer_than_a_record_may_be(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "MAX_RECORD_BYTES", 4000)
    yard.jsonl("a.jsonl", [GOOD, {"prompt": "x" * 5000, "response": "r"}, GOOD])
    assert [row[:2] for row in quarantined(yard, {"jsonl": "a.jsonl"})] == [(2, "too_long")]


def test_too_many_messages_and_too_deep_nesting(yard: Yard):
    turns = [{"role": "user", "content": "x"}] * 10_001
    deep = b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    good = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}
    yard.jsonl("a.jsonl", [good, {"messages": turns}, deep])
    assert quarantined(yard, {"jsonl": "a.jsonl"}, 2) == [
        (2, "too_many_messages", "messages has 10,001 messages; at most 10,000 are read"),
        (3, "too_deep", "nested deeper than 64"),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_told_with_the_option_that_reads_it(yard: Yard, encoding: str):
    text = json.dumps(GOOD)
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    yard.write("a.jsonl", (mark + text).encode(encoding))
    assert failure(yard, {"jsonl": "a.jsonl"}) == (
        "sources.a: a.jsonl: is UTF-16 text; say: encoding: utf-16, or convert it: iconv -f UTF-16 -t UTF-8"
    )


def test_byte_order_mark_and_crlf_do_not_matter(yard: Yard):
    yard.write(
        "a.jsonl", b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n" + json.dumps({**GOOD, "prompt": "q"}).encode()
    )
    assert yard.mix(sources={"a": {"jsonl": "a.jsonl"}}).mixture.rows["a"]["kept"] == 2


@pytest.mark.parametrize(
    ("bad", "code", "detail"),
    [
        (b'{"prompt": "\xff", "response": "r"}', "invalid_utf8", "byte 0xff at byte 12 of the record is not UTF-8"),
        (b'{"prompt": "\\ud800", "response": "r"}', "invalid_json", "no low surrogate in string at character 12"),
        (
            b'{"prompt": NaN, "response": "r"}',
            "not_a_number",
            "NaN at character 11 is not JSON: write null, a text or a number in its place, as json.dumps(…, allow_nan=False) makes sure",
        ),
        (b'{"prompt": "a", "prompt": "b", "response": "r"}', "duplicate_key", "key 'prompt' stands twice"),
        (
            b'{"prompt": "a", "response": "r", "n": 99999999999999999999}',
            "integer_range",
            "99999999999999999999 does not fit into 64 bits",
        ),
        (b'"prompt"', "not_an_object", "is a text"),
        (b'{"prompt": null, "response": "r"}', "null_content", "prompt is null"),
        (b'{"prompt": ["a"], "response": "r"}', "not_text", "prompt is an array"),
        (b'{"prompt": 1.5, "response": "r"}', "not_text", "prompt is the number 1.5"),
        (b'{"response": "r"}', "missing_column", "no 'prompt'"),
    ],
)
def test_one_bad_row_is_set_aside_alone_and_only_when_the_recipe_allows_it(
    yard: Yard, bad: bytes, code: str, detail: str
):
    yard.jsonl("a.jsonl", [*pairs(2), bad, *pairs(2, start=2)])
    assert quarantined(yard, {"jsonl": "a.jsonl"}) == [(3, code, detail)]
    rows = yard.mix(sources={"a": {"jsonl": "a.jsonl", "max_quarantined": 1}}).mixture.rows["a"]
    assert rows == {"read": 5, "quarantined": 1, "removed": {}, "kept": 4, "written": 4}


def test_the_failure_names_file_row_and_byte(yard: Yard):
    yard.jsonl("a.jsonl", [GOOD, b'{"prompt": \xff}'])
    assert failure(yard, {"jsonl": "a.jsonl"}) == (
        "sources.a: 1 record can't become rows, and max_quarantined is 0:\n"
        "  a.jsonl:2: invalid_utf8: byte 0xff at byte 11 of the record is not UTF-8 (byte 33)\n"
        "If the text is in another encoding, name it, as: encoding: cp1252, or convert the file: iconv -f CP1252 -t UTF-8\n"
        "Mend the file, or set these records aside with: max_quarantined: 1"
    )


def test_what_is_unprintable_is_kept_in_rows_and_escaped_in_messages(yard: Yard):
    wild = "nul \u0000 bell \u0007 bidi \u202e zero \u200b"
    yard.jsonl("a.jsonl", [{"prompt": wild, "response": "r"}])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    (messages,) = pl.read_parquet(built.mixture.data[0])["messages"].to_list()
    assert messages[0]["content"] == wild
    yard.jsonl("b.jsonl", [{"messages": [{"role": "\x1b]0;title\x07\u202e", "content": "x"}]}])
    message = failure(yard, {"jsonl": "b.jsonl"})
    assert r"the role is '\x1b]0;title\x07\u202e'" in message


@pytest.mark.parametrize(
    ("messages", "code", "detail"),
    [
        ([], "no_answer", "messages has no message"),
        (
            [{"role": "user", "content": "x"}],
            "no_answer",
            "messages has no message of the assistant, which every row of kind sft has",
        ),
        ([{"role": "narrator", "content": "x"}], "unknown_role", "messages[0]: the role is 'narrator'"),
        (
            [{"role": "asistant", "content": "x"}],
            "unknown_role",
            "messages[0]: the role is 'asistant'; did you mean 'assistant'?",
        ),
        ([{"content": "x"}], "unknown_role", "messages[0]: the role is null"),
        ([{"role": "assistant", "content": None}], "null_content", "messages[0]: the content is null"),
        ([{"role": "assistant", "content": {"a": 1}}], "not_text", "messages[0]: the content is an object"),
        (
            [{"role": "assistant", "content": [{"type": "image_url"}]}],
            "not_text",
            (
                "messages[0], part 0 is of type 'image_url', not text; "
                "to leave such parts out, give the source: drop_parts: [image]"
            ),
        ),
        ("hello", "not_a_list", "messages is a text, but not the JSON text of an array of messages"),
        ("[{'role': 'user'}]", "invalid_json", "messages: unexpected character, expected a string key at character 2"),
        (["hello"], "not_an_object", "messages[0] is a text"),
    ],
)
def test_messages_that_are_none(yard: Yard, messages: Any, code: str, detail: str):
    good = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}
    yard.jsonl("a.jsonl", [good, {"messages": messages}])
    assert quarantined(yard, {"jsonl": "a.jsonl"}) == [(2, code, detail)]


def test_files_of_one_source_that_disagree(yard: Yard):
    yard.jsonl("a.jsonl", [{"question": "q", "answer": "a"}])
    yard.jsonl("b.jsonl", [{"question": "q", "output": "a"}])
    assert failure(yard, {"jsonl": "[ab].jsonl"}) == (
        "sources.a: its files disagree: a.jsonl has the column 'answer', b.jsonl has not "
        "(its columns are question, output); make two sources of them"
    )


def test_extra_keys_of_single_rows_are_no_disagreement(yard: Yard):
    yard.jsonl("a.jsonl", [GOOD, {**GOOD, "prompt": "q", "score": 3}])
    yard.jsonl("b.jsonl", [{**GOOD, "prompt": "s", "note": None}])
    assert yard.mix(sources={"a": {"jsonl": "*.jsonl"}}).mixture.rows["a"]["kept"] == 3


def test_plain_text_is_no_conversation(yard: Yard):
    yard.jsonl("a.jsonl", [{"text": "once upon a time"}])
    assert failure(yard, {"jsonl": "a.jsonl"}) == (
        "sources.a: a.jsonl: its only column is 'text', and a row of kind sft has more than one text; "
        "say which columns hold them: format: {prompt: …, response: …}"
    )


def test_unknown_columns_are_listed(yard: Yard):
    yard.jsonl("a.jsonl", [{"frage": "q", "antwort": "a"}])
    assert failure(yard, {"jsonl": "a.jsonl"}) == (
        "sources.a: a.jsonl: no known format has these columns (its columns are frage, antwort); "
        "say: format: {prompt: …, response: …}"
    )
    assert failure(yard, {"jsonl": "a.jsonl", "format": {"prompt": "fragen", "response": "antwort"}}) == (
        "sources.a: a.jsonl: no column 'fragen', which the format reads; its columns are frage, antwort; did you mean 'frage'?"
    )


def test_one_object_for_a_whole_file_asks_where_its_rows_are(yard: Yard):
    yard.write("a.json", json.dumps({"canary": "x", "examples": [GOOD]}))
    message = failure(yard, {"jsonl": "a.json"})
    assert message.endswith(
        "is one JSON object (its columns are canary, examples); say where its rows are: records: examples[]"
    )
    yard.write("b.json", json.dumps({"examples": [GOOD]}, indent=2))
    assert failure(yard, {"jsonl": "b.json"}).endswith(
        "if the file is one JSON document, say where its rows are: records: name[]; if it is CSV, say: csv: …"
    )
    assert yard.mix(sources={"a": {"jsonl": "b.json", "records": "examples[]"}}).mixture.rows["a"]["kept"] == 1


def test_empty_files_count_and_an_empty_source_is_an_error(yard: Yard):
    yard.jsonl("a.jsonl", [GOOD])
    yard.write("b.jsonl", b"")
    yard.write("c.jsonl", b"\n\n")
    built = yard.mix(sources={"a": {"jsonl": "*.jsonl"}})
    assert sum(entry["files"] for entry in built.mixture.manifest["sources"]["a"]["inputs"]) == 3
    assert (
        failure(yard, {"jsonl": "[bc].jsonl"})
        == "sources.a: no row in 2 files; if that is right, say: allow_empty: true"
    )
    empty = yard.mix(
        name="empty", sources={"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "[bc].jsonl", "allow_empty": True}}
    )
    assert empty.mixture.rows["b"] == {"read": 0, "quarantined": 0, "removed": {}, "kept": 0, "written": 0}


def test_a_source_with_quarantined_rows_only(yard: Yard):
    yard.jsonl("a.jsonl", [b"\xff", b"{"])
    assert failure(yard, {"jsonl": "a.jsonl", "max_quarantined": 2}) == (
        "sources.a: a.jsonl:1: none of the first rows can be read: "
        "invalid_utf8: byte 0xff at byte 0 of the record is not UTF-8; if the text is in another "
        "encoding, name it, as: encoding: cp1252, or convert the file: iconv -f CP1252 -t UTF-8"
    )
    said = {"jsonl": "a.jsonl", "max_quarantined": 2, "format": "prompt_response"}
    assert failure(yard, said) == "sources.a: no record of it became a row; if that is right, say: allow_empty: true"


def test_paths_that_lead_nowhere(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    assert failure(yard, {"jsonl": "none-*.jsonl"}) == "sources.a: 'none-*.jsonl' matches no file"
    assert failure(yard, {"jsonl": "none.jsonl"}) == "sources.a: none.jsonl: no such file"
    monkeypatch.delenv("NOWHERE", raising=False)
    assert "${NOWHERE} is not set; set it with: export NOWHERE=…" in failure(
        yard, {"jsonl": "${NOWHERE}/a"}, UsageError
    )


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/x", "file:///etc/passwd", "s3://bucket/x", "hf://datasets/x"]
)
def test_addresses_are_not_read(address: str):
    from tulu_data.sources.paths import find_files

    with pytest.raises(UsageError, match="addresses are not read; a source's paths are local files"):
        find_files(address)


def test_links_that_lead_out_of_a_pattern_are_refused(yard: Yard, tmp_path_factory: pytest.TempPathFactory):
    outside = tmp_path_factory.mktemp("outside") / "secret.jsonl"
    outside.write_text(json.dumps(GOOD))
    yard.jsonl("data/a.jsonl", pairs(1))
    (yard.root / "data" / "b.jsonl").symlink_to(outside)
    message = failure(yard, {"jsonl": "data/*.jsonl"})
    assert "data/b.jsonl: is a link to " in message
    assert message.endswith("name that file itself if it is meant")
    assert yard.mix(sources={"a": {"jsonl": "data/b.jsonl"}}).mixture.rows["a"]["kept"] == 1


def test_a_folder_is_named_by_its_files(yard: Yard):
    (yard.root / "folder" / "below").mkdir(parents=True)
    for name in ("a.jsonl.gz", "b.jsonl.gz", "README.md"):
        (yard.root / "folder" / name).touch()
    assert failure(yard, {"jsonl": "folder"}) == "sources.a: folder: is a folder; name its files, as: folder/*.jsonl.gz"
    assert failure(yard, {"csv": "folder/below"}).endswith("is a folder; name its files, as: folder/below/*")


CP1252 = 'prompt;response\nGröße?;"10 € – «viel»"\n'.encode("cp1252")


def test_text_in_another_encoding_is_refused_with_the_way_out_and_read_when_it_is_named(yard: Yard):
    yard.write("a.csv", CP1252)
    source = {"csv": "a.csv", "delimiter": ";"}
    assert failure(yard, source) == (
        "sources.a: a.csv:1: none of the first rows can be read: invalid_utf8: byte 0xf6 at byte 2 is not UTF-8; "
        "if the text is in another encoding, name it, as: encoding: cp1252, or convert the file: "
        "iconv -f CP1252 -t UTF-8"
    )
    assert read_all(yard, {**source, "encoding": "cp1252"}) == [("Größe?", "10 € – «viel»")]
    yard.write("a.csv", b"prompt;response\na;b\n" * 2 + "ß;b\n".encode("cp1252"))
    assert "\nIf the text is in another encoding, name it, as: encoding: cp1252" in failure(yard, source)
    yard.write("a.csv", "prüfung;response\na;b\n".encode("latin-1"))
    assert "the header can't be read: byte 0xfc at byte 2 is not UTF-8; if the text is in" in failure(yard, source)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-16-le", "utf-8", "utf_8_sig"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv"])
def test_every_text_file_can_be_read_in_its_encoding(yard: Yard, encoding: str, kind: str):
    rows = [(f"Straße {n}?", "ä" * n) for n in range(3_000)]
    delimiter = {"csv": ",", "tsv": "\t"}.get(kind)
    lines = [json.dumps({"prompt": q, "response": r}, ensure_ascii=False) for q, r in rows]
    if delimiter:
        lines = [delimiter.join(row) for row in [("prompt", "response"), *rows]]
    yard.write(f"a.{kind}", ("\n".join(lines) + "\n").encode(encoding))
    assert read_all(yard, {kind: f"a.{kind}", "encoding": encoding}) == rows


def test_a_byte_that_an_encoding_does_not_have_costs_its_record_alone(yard: Yard):
    yard.write("a.jsonl", b'{"prompt": "a\xdf", "response": "b"}\n{"prompt": "c\x81", "response": "d"}\n')
    source = {"jsonl": "a.jsonl", "encoding": "cp1252", "max_quarantined": 1}
    assert read_all(yard, source) == [("aß", "b")]


def test_text_that_is_not_in_the_encoding_that_is_named_is_an_error(yard: Yard):
    yard.write("a.jsonl", json.dumps(GOOD).encode() + b"\n")
    assert failure(yard, {"jsonl": "a.jsonl", "encoding": "utf-16"}) == (
        "sources.a: a.jsonl: is not in the encoding that is named: UTF-16 stream does not start with BOM; "
        "name another, or leave `encoding:` out"
    )
    with pytest.raises(RecipeError, match=r"sources\.a\.encoding: no encoding 'cp1225'; did you mean 'cp1252'\?"):
        yard.recipe(sources={"a": {"jsonl": "a.jsonl", "encoding": "cp1225"}})
    with pytest.raises(RecipeError, match="no encoding 'base64'"):
        yard.recipe(sources={"a": {"jsonl": "a.jsonl", "encoding": "base64"}})


def test_what_is_no_regular_file_is_never_opened(yard: Yard):
    os.mkfifo(yard.root / "pipe")
    assert failure(yard, {"jsonl": "pipe"}) == "sources.a: pipe: is a pipe, not a regular file"
    os.chdir(yard.root)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert failure(yard, {"jsonl": "socket"}) == "sources.a: socket: is a socket, not a regular file"
    assert failure(yard, {"jsonl": "/dev/zero"}) == "sources.a: /dev/zero: is a device, not a regular file"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PAR1", "a Parquet file; name it with: parquet: …"),
        (b"\x80\x04\x95", "a pickle, which can run code; it is never opened"),
        (b"PK\x03\x04", "a zip archive; unpack it first"),
        (b"BZh91AY", "bzip2; decompress it, or use gzip or zstd"),
    ],
)
def test_foreign_files_are_named(yard: Yard, content: bytes, what: str):
    yard.write("a.jsonl", content)
    assert failure(yard, {"jsonl": "a.jsonl"}) == f"sources.a: a.jsonl: is {what}"


def test_an_input_that_changes_while_it_is_read(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    path = yard.jsonl("a.jsonl", pairs(3))
    with monkeypatch.context() as patch:
        patch.setattr(stream.Stream, "sha256", lambda self: "0" * 64)
        message = failure(yard, {"jsonl": "a.jsonl"})
    assert message == "sources.a: a.jsonl: changed while it was read; run the command again"
    assert yard.mix(sources={"a": {"jsonl": str(path)}}).mixture.run()["units"]["found"]["ingest"] == 0


def test_names_that_would_lead_elsewhere(yard: Yard):
    for name in ("../../x", "/etc", "a\0b", "", "A", "x" * 65, ".hidden", "a/b"):
        with pytest.raises(TuluDataError) as caught:
            yard.recipe(name=name, sources={"a": {"jsonl": "a"}})
        assert caught.value.exit_code == 2
        assert re.search("is not a name: small letters, digits|nothing|no NUL character", str(caught.value))
        with pytest.raises(TuluDataError):
            yard.recipe(version=name, sources={"a": {"jsonl": "a"}})


def test_an_output_folder_that_is_a_link(yard: Yard, tmp_path_factory: pytest.TempPathFactory):
    yard.jsonl("a.jsonl", pairs(1))
    (yard.root / "mixtures").mkdir()
    (yard.root / "mixtures" / "mix").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    message = failure(yard, {"jsonl": "a.jsonl"}, UsageError)
    assert message.startswith("mixtures/mix: is a symbolic link to ")
    assert message.endswith("outputs are written to real folders only")


def test_file_names_of_every_kind_are_read(yard: Yard):
    for index, name in enumerate(
        ["cafe\u0301.jsonl", "caf\u00e9.jsonl", "原始数据.jsonl", "a b.jsonl", "x" * 240 + ".jsonl"]
    ):
        yard.jsonl(f"data/{name}", pairs(1, start=index))
    assert yard.mix(sources={"a": {"jsonl": "data/*.jsonl"}}).mixture.rows["a"]["kept"] == 5


def test_two_columns_of_one_name_in_parquet(yard: Yard):
    columns = [pa.array(["p"]), pa.array(["c"]), pa.array(["e"])]
    pq.write_table(pa.table(columns, names=["prompt", "response", "response"]), yard.root / "a.parquet")
    assert (
        failure(yard, {"parquet": "a.parquet"}) == "sources.a: a.parquet: two columns are named 'response'; rename one"
    )


def test_hints_lead_to_the_rows(yard: Yard):
    nested = {"version": 1, "data": {"rows": [GOOD]}}
    yard.write("a.json", json.dumps(nested))
    assert failure(yard, {"jsonl": "a.json", "records": "data"}).endswith(
        "say where its rows are: records: data.rows[]"
    )
    assert failure(yard, {"jsonl": "a.json", "records": "data.rows"}).endswith("say: records: data.rows[]")
    assert yard.mix(sources={"a": {"jsonl": "a.json", "records": "data.rows[]"}}).mixture.rows["a"]["kept"] == 1
    yard.write("a.tsv", "q0\ta0\nq1\ta1\n")
    assert failure(yard, {"tsv": "a.tsv"}).endswith("if the first line is a row and not a header, say: header: false")
    assert failure(yard, {"tsv": "a.tsv", "format": {"prompt": 0, "response": 1}}).endswith("say: header: false")
    yard.write("a.csv", "prompt;response\np;r\n")
    assert failure(yard, {"csv": "a.csv"}).endswith("if fields are parted by ';', say: delimiter: \";\"")
    assert failure(yard, {"jsonl": "a.csv"}).endswith("if it is CSV, say: csv: …")


def test_paths_of_a_shell_are_not_expanded_and_say_so():
    from tulu_data.sources.paths import find_files

    with pytest.raises(InputError, match="'~' is not expanded: write the path in full"):
        find_files("~/a.jsonl")
    with pytest.raises(InputError, match=r"a variable is written \$\{NAME\}"):
        find_files("$DATA/a.jsonl")


def test_files_can_be_left_out_of_a_pattern(yard: Yard):
    yard.jsonl("a.jsonl", pairs(2))
    yard.write("b.jsonl", b"\x1f\x8b\x08broken")
    sources = {"a": {"jsonl": "*.jsonl", "exclude": str(yard.root / "b.*")}}
    assert yard.mix(sources=sources).mixture.rows["a"]["read"] == 2
    assert failure(yard, {"jsonl": "a.jsonl", "exclude": [str(yard.root / "b.*")]}) == (
        "sources.a: exclude: 'b.*' matches none of its files; mend it, or leave it out"
    )


def damaged_files(yard: Yard) -> None:
    """Two good files, one that is cut off after its first rows, one that is no gzip from the start."""
    yard.jsonl("a.jsonl", pairs(3))
    yard.jsonl("b.jsonl", pairs(2, 10))
    cut = gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in varied(3_000)))
    yard.write("c.jsonl", cut[: len(cut) * 3 // 4])
    yard.write("d.jsonl", b"\x1f\x8b\x08broken")


def test_files_that_can_not_be_read_are_set_aside_whole_when_the_recipe_allows_them(yard: Yard):
    damaged_files(yard)
    allowed = {"a": {"jsonl": "*.jsonl", "max_quarantined_files": 2}}
    built = yard.mix(sources=allowed)
    assert built.mixture.rows["a"] == {"read": 5, "quarantined": 0, "removed": {}, "kept": 5, "written": 5}
    inputs = built.mixture.manifest["sources"]["a"]["inputs"]
    reasons = sorted(file["unreadable"].partition(":")[0] for file in inputs if "unreadable" in file)
    assert len(reasons) == 2
    assert all(reason.startswith("damaged after ") for reason in reasons)
    assert sum(file["read"] for file in inputs) == 5
    assert yard.mix(sources=allowed).status == "unchanged"
    assert Verification(built.mixture.folder).run().holds


def test_more_unreadable_files_than_the_recipe_allows_stop_the_build(yard: Yard):
    damaged_files(yard)
    message = failure(yard, {"jsonl": "*.jsonl", "max_quarantined_files": 1})
    assert message.startswith(
        "sources.a: 2 files can't be read, and max_quarantined_files is 1:\n  c.jsonl: damaged after "
    )
    alone = failure(yard, {"jsonl": "[abc].jsonl"})
    assert alone.endswith('; to go on without it say: exclude: "c.jsonl", or: max_quarantined_files: 1')
    assert failure(yard, {"jsonl": "c.jsonl"}).endswith("; fetch the file again")
    assert message.endswith("or set them aside with: max_quarantined_files: 2")


def test_a_large_file_that_is_damaged_is_set_aside_with_all_its_parts(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingest, "LARGE_BYTES", 1)
    path = yard.root / "b.parquet"
    pq.write_table(
        pa.Table.from_pylist(pairs(400)), path, row_group_size=50, write_page_checksum=True, use_dictionary=False
    )
    pq.write_table(pa.Table.from_pylist(pairs(3)), yard.root / "a.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    recipe = yard.recipe(sources={"a": {"parquet": "*.parquet", "max_quarantined_files": 1}})
    monkeypatch.setattr(Inline, "workers", 2)
    assert yard.build(recipe, shard_rows=50).mixture.rows["a"]["read"] == 3


def test_files_that_are_set_aside_are_shown_with_the_reason(yard: Yard, capsys: pytest.CaptureFixture[str]):
    damaged_files(yard)
    sources = {
        "one": {"jsonl": "[ad].jsonl", "max_quarantined_files": 1},
        "two": {"jsonl": "[bcd].jsonl", "max_quarantined_files": 2},
        "whole": {"jsonl": "b.jsonl"},
    }
    built = yard.mix(sources=sources)
    show_built(built)
    digest = sha256_file(yard.root / "d.jsonl")[:12]
    told = [line for line in capsys.readouterr().err.splitlines() if "set aside" in line]
    assert told[0].startswith(f"one: 1 file was set aside (sha256 {digest}): damaged after ")
    first, _ = sorted(sha256_file(yard.root / f"{name}.jsonl")[:12] for name in "cd")
    assert told[1].startswith(f"two: 2 files were set aside (sha256 {first}): damaged after ")
    assert told[1].endswith("; and 1 more")
    assert len(told) == 2


def test_prompts_that_nobody_answers_are_refused_and_told_what_is_wanted(yard: Yard):
    yard.jsonl("a.jsonl", [{"question": "Two?"}])
    assert failure(yard, {"jsonl": "a.jsonl"}) == (
        "sources.a: a.jsonl: 'question' may be the prompt, and no column is known for the answer, which every row of "
        "kind sft has (its columns are question); say which it is: format: {prompt: question, response: …}"
    )


def test_a_delimiter_that_is_another_is_named_wherever_it_shows(yard: Yard):
    hint = """; if fields are parted by ';', say: delimiter: ";\""""
    yard.write("a.csv", "prompt;response\na;b\n")
    assert failure(yard, {"csv": "a.csv"}).endswith(hint)
    assert failure(yard, {"csv": "a.csv", "format": {"prompt": "prompt", "response": "response"}}).endswith(hint)
    yard.write("a.csv", "prompt;response\na;b, c\n")
    assert failure(yard, {"csv": "a.csv"}) == (
        "sources.a: a.csv:1: none of the first rows can be read: "
        f"field_count: 2 fields where the first line has 1{hint}"
    )
    assert read_all(yard, {"csv": "a.csv", "delimiter": ";"}) == [("a", "b, c")]
