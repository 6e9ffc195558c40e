# %% [markdown]
# # Choose thresholds from stored measures
#
# Stages measure every row once, and thresholds are compared with the stored measures. So the effect of another
# threshold is known without reading a row again, and a rebuild with it scans nothing.

# %%
import polars as pl

from tulu_data import audit, build
from tulu_data.recipe import reading
from tulu_data.report.pictures import bars, histogram

RECIPE = """
name: thresholds
kind: sft
seed: 42
sources:
  math: {{sample: math, rows: 600, seed: 7, max_quarantined: 1}}
  chat: {{sample: chat, rows: 500, seed: 7, max_quarantined: 1}}
stages:
  - tokens: {{}}
  - length_filter: {{max_tokens: {max_tokens}}}
"""
first = build(reading.read(RECIPE.format(max_tokens=2048))).mixture

# %% [markdown]
# The threshold is compared with the tokens of a row. These are the tokens of all rows; the limit of 2,048 is far off.

# %%
histogram(audit.scores(first), cut=2048, title="Rows by tokens", unit="tokens")

# %% [markdown]
# How many rows other limits would remove:

# %%
others = audit.thresholds(first).group_by("value", maintain_order=True).agg(pl.col("rows").sum())
bars(others.with_columns(pl.col("value").cast(pl.Int64)), "value", "rows", title="Rows removed, by max_tokens")

# %% [markdown]
# If at most a twentieth of the rows may be removed, this is the lowest possible limit:

# %%
rows = sum(counts["read"] - counts["quarantined"] for counts in first.rows.values())
chosen = others.filter(pl.col("rows") <= rows / 20).sort("value").row(0, named=True)
print(f"max_tokens: {chosen['value']:.0f} would remove {chosen['rows']} of {rows} rows")

# %%
second = build(reading.read(RECIPE.format(max_tokens=int(chosen["value"])))).mixture
removed = sum(counts["removed"].get("length_filter", 0) for counts in second.rows.values())
print(f"removed: {removed}")
print(f"measures found: {second.run()['units']['found']['scan']}, made anew: {second.run()['units']['done']['scan']}")

# %%
histogram(audit.scores(second), cut=chosen["value"], title="Rows by tokens", unit="tokens")
