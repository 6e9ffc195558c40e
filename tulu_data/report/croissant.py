"""The mixture in Croissant 1.1: its files with their sha256, its columns, and how it was made.

The properties of Croissant RAI are filled from facts of the manifest alone; those that ask
for opinions (biases, use cases) are left out. See https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data.report.licenses import OTHER, UNSAID, hub_name, strictest
from tulu_data.rows import kind as kinds
from tulu_data.store.durable import write_text

NAME: Final = "croissant.json"
CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES: Final = {
    pa.string(): "sc:Text",
    pa.bool_(): "sc:Boolean",
    pa.int32(): "cr:Int32",
    pa.int64(): "cr:Int64",
    pa.float64(): "cr:Float64",
}
ROWS: Final = "rows"
MATCHED: Final = "files-of-rows"


def write(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write croissant.json beside the tables that it describes."""
    write_text(folder / NAME, text(folder, facts))


def text(folder: Path, facts: Mapping[str, Any]) -> str:
    """The description as the text of its file. `facts` are those of the manifest."""
    return json.dumps(describe(folder, facts), indent=1, ensure_ascii=False) + "\n"


def describe(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The description as plain values. `facts` are those of the manifest."""
    sources = facts["sources"]
    license, asks = strictest(source["license"] for source in sources.values())
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": facts["name"],
        "description": f"{facts['rows']:,} {kinds.find(facts['kind']).rows} of {len(sources)} sources, mixed by tulu-data.",
        # Croissant's versions follow semver.org; our version name goes into the build part.
        "version": f"0.0.0+{facts['version'].replace('_', '-')}",
        **({} if license in (OTHER, UNSAID) else {"license": license}),
        "usageInfo": f"{license}: {asks}",
        "rai:dataCollection": "; ".join(_told(name, source) for name, source in sources.items()),
        "rai:dataPreprocessingProtocol": [_step(stage, sources) for stage in facts["stages"]],
        "rai:dataLimitations": _limits(facts),
        "distribution": [*_files(facts), _file_set()],
        "recordSet": [_records(pq.read_schema(min((folder / "data").glob("*.parquet"))))],
    }


def _told(name: str, source: Mapping[str, Any]) -> str:
    files = ", ".join(f"sha256 {file['sha256']}" for file in source["inputs"])
    return f"{name}: {source['read']:,} records read ({files}), {source['written']:,} rows written"


def _step(stage: Mapping[str, Any], sources: Mapping[str, Any]) -> str:
    removed = sum(source["removed"].get(stage["name"], 0) for source in sources.values())
    return f"{stage['name']}: {removed:,} rows removed"


def _limits(facts: Mapping[str, Any]) -> list[str]:
    quarantined = sum(source["quarantined"] for source in facts["sources"].values())
    unsaid = [name for name, source in facts["sources"].items() if hub_name(source["license"]) == UNSAID]
    against = sorted({name for stage in facts["stages"] for name in stage.get("evaluations", {})})
    return [
        f"{quarantined:,} records could not be read and are left out.",
        f"Compared with the evaluation sets: {', '.join(against) or 'none'}.",
        *([f"The licence is unknown for: {', '.join(unsaid)}."] if unsaid else []),
    ]


def _files(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, entry in sorted(facts["files"].items()):
        if path.startswith("data/"):
            yield {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "contentUrl": path,
                "contentSize": f"{entry['bytes']} B",
                "encodingFormat": "application/x-parquet",
                "sha256": entry["sha256"],
            }


def _file_set() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": MATCHED,
        "name": MATCHED,
        "encodingFormat": "application/x-parquet",
        "includes": "data/*.parquet",
    }


def _records(schema: pa.Schema) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": ROWS,
        "name": ROWS,
        "key": {"@id": f"{ROWS}/id"},
        "field": [_field(field) for field in schema],
    }


def _field(field: pa.Field) -> dict[str, Any]:
    own = {"@type": "cr:Field", "@id": f"{ROWS}/{field.name}", "name": f"{ROWS}/{field.name}"}
    read = {"source": {"fileSet": {"@id": MATCHED}, "extract": {"column": field.name}}}
    if not pa.types.is_list(field.type):
        return {**own, "dataType": TYPES[field.type], **read}
    inner = field.type.value_type
    if not pa.types.is_struct(inner):
        return {**own, "repeated": True, "dataType": TYPES[inner], **read}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{ROWS}/{field.name}/{part.name}",
            "name": f"{ROWS}/{field.name}/{part.name}",
            "dataType": TYPES[part.type],
            "source": {
                "fileSet": {"@id": MATCHED},
                "extract": {"column": field.name},
                "transform": {"jsonPath": part.name},
            },
        }
        for part in (inner.field(place) for place in range(inner.num_fields))
    ]
    return {**own, "repeated": True, **read, "subField": parts}
