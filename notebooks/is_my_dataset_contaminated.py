# %% [markdown]
# # Is my dataset contaminated?
#
# Files are compared with evaluation sets without a recipe, as by `tulu-data decontaminate`. Here both are generated;
# with real data, `mine` is the path of a file, and the sets are those of `catalogue.members(["gsm8k", "tulu3"])`.

# %%
import json
from pathlib import Path

import polars as pl

from tulu_data import decontaminate
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.report.pictures import bars
from tulu_data.sources.sample import Sample
from tulu_data.store.workspace import Workspace
from tulu_data.without_recipe import files

# %%
workspace = Workspace(Path("workspace"))
(made,) = Sample(sample="math", rows=500, seed=7).files(workspace.sources)
mine = Path("mine.jsonl")
mine.write_bytes(made.read_bytes())
print(json.loads(mine.read_text().splitlines()[0])["messages"][0]["content"])

# %%
math_test = EvaluationSet.model_validate(
    {"sample": "math_test", "rows": 25, "seed": 7, "id": "id", "question": "question", "answer": "answer"}
)
sources = files.sources_of([str(mine)], hub={}, options={"max_quarantined": 10})


def found_at(threshold: str) -> int:
    """How many rows contain this much of an item, or more. Only the first call reads the rows."""
    return len(decontaminate(sources, {"math_test": math_test}, threshold=threshold, workspace=workspace.root).rows)


# %% [markdown]
# How many rows are contaminated, at which threshold? The evaluation items and the rows come from the same templates, so
# a low threshold also finds siblings: rows with other numbers.

# %%
values = ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]
counts = pl.DataFrame({"threshold": values, "rows": [found_at(value) for value in values]})
bars(counts, "threshold", "rows", title="Rows that contain an item of math_test")

# %%
found = decontaminate(sources, {"math_test": math_test}, threshold="0.7", workspace=workspace.root)
found.evaluations

# %% [markdown]
# The worst row and the item that it contains; the run of words that they share is in brackets.

# %%
(worst,) = found.worst(1)
of = worst.evidence
text = worst.turns[of["message"]].text
print("row: ", f"{text[: of['start']]}[{text[of['start'] : of['end']]}]{text[of['end'] :]}"[:400])
item = worst.item[of["item_text"]]
print("item:", f"{item[: of['item_start']]}[{item[of['item_start'] : of['item_end']]}]{item[of['item_end'] :]}")
