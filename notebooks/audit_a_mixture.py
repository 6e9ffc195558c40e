# %% [markdown]
# # Audit a mixture
#
# `tulu_data.audit` has a function for each question; it returns a polars frame, from the mixture's own folder. The
# page `report.html` in the mixture shows the same frames.

# %%
import polars as pl

from tulu_data import audit, build
from tulu_data.recipe import reading
from tulu_data.report.pictures import bars, histogram

recipe = reading.read("""
name: audited
kind: sft
seed: 42
sources:
  math: {sample: math, rows: 600, seed: 7, max_quarantined: 1, license: apache-2.0}
  chat: {sample: chat, rows: 500, seed: 7, max_quarantined: 1, license: apache-2.0}
  tools: {sample: tools, rows: 300, seed: 7}
stages:
  - tokens: {}
  - ngram_decontamination:
      at_least: 0.7
      against:
        math_test: {sample: math_test, rows: 25, seed: 7, id: id, question: question, answer: answer}
        facts_test: {sample: facts_test, rows: 20, seed: 7, id: id, question: question, answer: answer}
  - exact_dedup: {}
  - minhash_dedup: {preset: fineweb, threshold: 0.8}
""")
mixture = build(recipe).mixture

# %% [markdown]
# ## What is in it?

# %%
bars(audit.composition(mixture), "source", "share", title="Share of rows by source")

# %%
histogram(audit.length_bins(mixture), title="How long are the rows?", unit="tokens")

# %%
audit.lengths(mixture)

# %% [markdown]
# ## What was thrown away, and why?

# %%
bars(audit.reasons(mixture), "reason", "rows", title="Rows removed, by reason")

# %% [markdown]
# ## Is it contaminated?
#
# How much of each evaluation set each source contained before rows were removed.

# %%
audit.contamination(mixture).filter(pl.col("contaminated") > 0)

# %% [markdown]
# ## Were there duplicates?

# %%
audit.overlap(mixture)

# %% [markdown]
# ## Read some rows
#
# A near-duplicate and the row that was kept instead. Rows that contain evaluation items are listed without their text.

# %%
near = audit.excerpts(mixture).filter(pl.col("fate") == "minhash_dedup").row(0, named=True)
print("removed:", near["messages"][0]["content"])
print("kept:   ", near["twin_messages"][0]["content"])

# %% [markdown]
# ## May I use it?

# %%
audit.licenses(mixture)
