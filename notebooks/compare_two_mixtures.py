# %% [markdown]
# # Compare two mixtures
#
# Two versions of a recipe: which rows entered, which left, why, and how the composition changed. The command
# `tulu-data diff A B --html FILE` writes the same as a page.

# %%
import polars as pl

from tulu_data import audit, build
from tulu_data.mixture.difference import Difference
from tulu_data.recipe import reading
from tulu_data.report.pictures import bars

RECIPE = """
name: compared
kind: sft
seed: 42
sources:
  math: {{sample: math, rows: 600, seed: 7, max_quarantined: 1}}
  chat: {{sample: chat, rows: 500, seed: 7, max_quarantined: 1}}
stages:
  - tokens: {{}}
  - length_filter: {{max_tokens: {max_tokens}}}
  - weighted_mix: {{by: domain, rows: 600, weights: {{math: {math}, chat: {chat}}}}}
"""
before = build(reading.read(RECIPE.format(max_tokens=400, math=0.5, chat=0.5))).mixture
after = build(reading.read(RECIPE.format(max_tokens=220, math=0.7, chat=0.3))).mixture
difference = Difference.between(before, after)
print("\n".join(difference.recipe[2:]))

# %% [markdown]
# ## Which rows entered and left, and why

# %%
moved = pl.DataFrame(
    [{"why": f"{move.direction}, {move.source}: {move.why}", "rows": move.rows} for move in difference.moved]
)
for line in moved.iter_rows(named=True):
    print(f"{line['rows']:5} {line['why']}")

# %% [markdown]
# ## How the composition changed

# %%
bars(audit.composition(before, "domain"), "domain", "share", target="target", title="Before: share of rows by domain")

# %%
bars(audit.composition(after, "domain"), "domain", "share", target="target", title="After: share of rows by domain")

# %%
audit.lengths(before).join(audit.lengths(after), on=["source", "unit"], suffix="_after").select(
    "source", "rows", "rows_after", "median", "median_after", "most", "most_after"
)
