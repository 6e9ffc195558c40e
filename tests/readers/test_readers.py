"""From bytes to records: any chunking, any damage, and nothing is lost but what is broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tulu_data.errors import InputError, RecordError
from tulu_data.readers import json_elements as elements_module
from tulu_data.readers import json_record, stream
from tulu_data.readers.json_elements import elements, split_path
from tulu_data.readers.stream import Stream, lines
from tulu_data.sources.csv import Csv, Tsv
from tulu_data.sources.jsonl import Jsonl

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=4), children, max_size=4),
    max_leaves=12,
)


@given(json_values, st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " \t: ")]))
@example({'a":': ':b"', "\\": '":'}, (",", ":"))
def test_the_json_reader_reads_what_json_writes(value: Any, separators: tuple[str, str]):
    for is_ascii in (True, False):
        raw = json.dumps(value, ensure_ascii=is_ascii, separators=separators)
        try:
            encoded = raw.encode()
        except UnicodeEncodeError:
            return
        assert json_record.parse(encoded) == value


def naive_duplicate(raw: str) -> bool:
    found = False

    def see(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found |= len({key for key, _ in pairs}) < len(pairs)

    json.loads(raw, object_pairs_hook=see)
    return found


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", 'q"', "\\", ":", '":']), st.sampled_from(["1", '":"', '"\\":"', "{}", '{"a":1}'])
        ),
        max_size=5,
    ),
    st.sampled_from([":", " :", ":\t"]),
)
def test_duplicate_keys_are_seen_whatever_stands_around_them(pairs: list[tuple[str, str]], colon: str):
    raw = "{" + ",".join(f"{json.dumps(key)}{colon}{value}" for key, value in pairs) + "}"
    try:
        json_record.parse(raw.encode())
        is_duplicate = False
    except RecordError as error:
        assert error.code == "duplicate_key"
        is_duplicate = True
    assert is_duplicate == naive_duplicate(raw)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            b'{"a": NaN}',
            "not_a_number: NaN at character 6 is not JSON: write null, a text or a number in its place, as json.dumps(…, allow_nan=False) makes sure",
        ),
        (
            b"[1, -Infinity]",
            "not_a_number: -Infinity at character 5 is not JSON: write null, a text or a number in its place, as json.dumps(…, allow_nan=False) makes sure",
        ),
        (b'{"a": Never}', "invalid_json: unexpected character, expected a JSON value at character 6"),
        (b'{"a": "\xff"}', "invalid_utf8: byte 0xff at byte 7 of the record is not UTF-8"),
        (b'{"a": "\\ud800"}', "invalid_json: no low surrogate in string at character 7"),
        (b'{"a": 1, "a": 2}', "duplicate_key: key 'a' stands twice"),
        (
            b'{"a": 123456789012345678901234567890}',
            "integer_range: 123456789012345678901234567890 does not fit into 64 bits",
        ),
        (b'{"a": -9223372036854775809}', "integer_range: -9223372036854775809 does not fit into 64 bits"),
        (b"[" * 100_000, "too_deep: nested deeper than 64"),
        (b"[" * 65 + b"1" + b"]" * 65, "too_deep: nested deeper than 64"),
        (b'{"a": 1', "invalid_json: unexpected end of data at character 7"),
    ],
)
def test_the_json_reader_says_what_is_wrong(raw: bytes, message: str):
    with pytest.raises(RecordError) as caught:
        json_record.parse(raw)
    assert str(caught.value) == message


def test_what_looks_like_a_bent_integer_may_be_a_float():
    assert json_record.parse(b'{"a": 1e300, "b": 18446744073709551615}') == {"a": 1e300, "b": 2**64 - 1}


@given(
    st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=8),
    st.booleans(),
    st.integers(1, 7),
)
def test_lines_are_those_of_split_whatever_the_chunks(
    tmp_path_factory: Any, pieces: list[bytes], is_ended: bool, chunk: int
):
    content = b"#" + b"\n".join(pieces) + b"\n" * is_ended
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(content)
    expected = content.split(b"\n")
    with pytest.MonkeyPatch.context() as patch, Stream(path) as opened:
        original = Stream._read
        patch.setattr(Stream, "_read", lambda self, size: original(self, chunk))
        found = list(lines(opened))
    assert [line.content for line in found] == (expected[:-1] if expected[-1] == b"" else expected)
    for line in found:
        assert line.content is not None
        assert content[line.offset :].startswith(line.content)


def test_an_overlong_line_is_skipped_and_its_neighbours_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "MAX_RECORD_BYTES", 10)
    monkeypatch.setattr(stream, "CHUNK_BYTES", 4)
    path = tmp_path / "file"
    path.write_bytes(b"one\n" + b"x" * 37 + b"\ntwo\n" + b"y" * 11)
    with Stream(path) as opened:
        found = [(line.offset, line.content) for line in lines(opened)]
    assert found == [(0, b"one"), (4, None), (42, b"two"), (46, None)]


def read_elements(path: Path, records: str, chunk: int = 1 << 20) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch, Stream(path) as opened:
        original = Stream._read
        patch.setattr(Stream, "_read", lambda self, size: original(self, chunk))
        return [json.loads(element.content or b"null") for element in elements(opened, split_path(records))]


@given(st.lists(json_values, max_size=5), st.integers(1, 9), st.sampled_from([None, 1]))
def test_elements_of_an_array_are_those_of_json(
    tmp_path_factory: Any, values: list[Any], chunk: int, indent: int | None
):
    path = tmp_path_factory.mktemp("elements") / "file"
    document = {"before": [{"rows": [1]}, '"]}'], "rows": values, "after": {"rows": {}}}
    try:
        path.write_text(json.dumps(document, indent=indent, ensure_ascii=False), encoding="utf-8")
    except UnicodeEncodeError:
        return
    assert read_elements(path, "rows[]", chunk) == values


def test_paths_lead_to_nested_records(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text('{"data": [{"paragraphs": [{"a": 1}, {"a": 2}]}, {"paragraphs": []}, {"paragraphs": [{"a": 3}]}]}')
    assert read_elements(path, "data[].paragraphs[]") == [{"a": 1}, {"a": 2}, {"a": 3}]
    path.write_text('{"k1": "prompt", "k2": {"x": 1}}')
    assert read_elements(path, "entries") == [{"key": "k1", "value": "prompt"}, {"key": "k2", "value": {"x": 1}}]


@pytest.mark.parametrize(
    ("content", "records", "message"),
    [
        ('{"rows": [1, 2', "rows[]", "byte 14: ',' was expected"),
        ('{"rows": [1, "a', "rows[]", "byte 13: a text that never ends"),
        ('{"rows": [{"a": 1', "rows[]", "byte 17: an array or object that never ends"),
        ('{"rows": [1]} x', "rows[]", "byte 14: more text after the end of the document"),
        (
            '{"row": [1], "other": 2}',
            "rows[]",
            "no key 'rows' in the document; its keys are row, other; did you mean 'row'?",
        ),
        ('{"rows": {"a": 1}}', "rows[]", "records: rows should be an array"),
        ("[1]", "rows[]", "records: the document should be an object"),
        ('{"rows": [1], "rows": [2]}', "rows[]", "key 'rows' stands twice"),
        ('{"rows" [1]}', "rows[]", "byte 8: ':' was expected"),
    ],
)
def test_a_broken_document_is_an_error_with_its_byte(tmp_path: Path, content: str, records: str, message: str):
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_elements(path, records)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_overlong_element_is_skipped_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(elements_module, "MAX_RECORD_BYTES", 50)
    path = tmp_path / "file.json"
    path.write_text('[{"a": 1}, {"b": [' + "1, " * 100 + "1]}, " + '{"c": 2}]')
    assert read_elements(path, "[]", chunk=8) == [{"a": 1}, None, {"c": 2}]


def records(source: Any, path: Path) -> list[Any]:
    with source.read(path) as reading:
        return [record.value if record.error is None else record.error.code for record in reading.records]


@pytest.mark.parametrize(
    "compress", [lambda raw: raw, gzip.compress, lambda raw: pa.Codec("zstd").compress(raw, asbytes=True)]
)
def test_json_is_read_by_what_it_holds_not_by_its_name(tmp_path: Path, compress: Any):
    rows = [{"a": 1}, {"a": 2}]
    for content in (
        b'{"a": 1}\n{"a": 2}',
        b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n',
        b'[{"a": 1},\n {"a": 2}]',
        b' [\n{"a":1},{"a":2}]\n',
    ):
        path = tmp_path / "file.json"
        path.write_bytes(compress(content))
        assert records(Jsonl(jsonl="x"), path) == rows


def test_several_members_of_one_compressed_file_are_all_read(tmp_path: Path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n') + gzip.compress(b'{"a": 2}\n'))
    assert records(Jsonl(jsonl="x"), path) == [{"a": 1}, {"a": 2}]


def test_a_bad_byte_costs_its_own_row_and_no_other(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b'{"a": 1}\n{"a": "\xff"}\n{"a": 3}\n')
    assert records(Jsonl(jsonl="x"), path) == [{"a": 1}, "invalid_utf8", {"a": 3}]
    path.write_bytes(b'[{"a": 1}, {"a": "\xff"}, {"a": 3}]')
    assert records(Jsonl(jsonl="x"), path) == [{"a": 1}, "invalid_utf8", {"a": 3}]
    path.write_bytes(b"a,b\n1,2\n\xff,4\n5,6\n")
    assert records(Csv(csv="x"), path) == [{"a": "1", "b": "2"}, "invalid_utf8", {"a": "5", "b": "6"}]
    path.write_bytes(b"1\t2\n\xff\t4\n5\t6\n")
    assert records(Tsv(tsv="x", header=False), path) == [{"0": "1", "1": "2"}, "invalid_utf8", {"0": "5", "1": "6"}]


cells = st.text(st.sampled_from('ab ,\t"\n;é😀'), max_size=6)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5), st.sampled_from([",", ";"]))
def test_quoted_csv_round_trips(tmp_path_factory: Any, table: list[list[str]], delimiter: str):
    import csv
    import io

    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["p", "q"], *table])
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    assert records(Csv(csv="x", delimiter=delimiter), path) == [{"p": row[0], "q": row[1]} for row in table]


def test_tsv_without_quoting_splits_at_tabs_alone(tmp_path: Path):
    path = tmp_path / "file.tsv"
    path.write_bytes(b'He said "hi\tyes, "no"\r\nnext\tone\n\n')
    assert records(Tsv(tsv="x", header=False), path) == [
        {"0": 'He said "hi', "1": 'yes, "no"'},
        {"0": "next", "1": "one"},
    ]


def test_csv_rows_that_do_not_fit_are_told(tmp_path: Path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n1\n3,4\n")
    assert records(Csv(csv="x"), path) == ["field_count", {"a": "3", "b": "4"}]
    path.write_bytes(b'a,b\n1,2\n"he said "hi", ok","one\nx,I am no row\ny"\n3,4\n')
    with pytest.raises(InputError, match="byte 8: ',' expected after '\"'; what follows can't be told apart"):
        records(Csv(csv="x"), path)
    path.write_bytes(b'a,b\n1,2\n"3,4\n5,6\n')
    with pytest.raises(InputError, match="byte 8: a quote that opens here is never closed"):
        records(Csv(csv="x"), path)
    path.write_bytes(b"a,a\n1,2\n")
    with pytest.raises(InputError, match="two columns of the header are named 'a'"):
        records(Csv(csv="x"), path)
