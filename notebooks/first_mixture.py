# %% [markdown]
# # A first mixture
#
# A recipe names sources and stages; a build makes a versioned mixture from it, with a ledger that records what
# happened to every row. The rows here are generated, without a network, with faults planted in them.

# %%
from tulu_data import audit, build
from tulu_data.mixture.explain import Explainer
from tulu_data.recipe import reading
from tulu_data.report.pictures import bars

# %%
recipe = reading.read("""
name: first_mix
kind: sft
seed: 42
sources:
  math: {sample: math, rows: 600, seed: 7, max_quarantined: 1}
  code: {sample: code, rows: 300, seed: 7}
  chat: {sample: chat, rows: 500, seed: 7, max_quarantined: 1}
stages:
  - tokens: {}
  - length_filter: {on: response, min_characters: 1, max_tokens: 280}
  - exact_dedup: {on: conversation}
  - weighted_mix: {by: domain, rows: 800, weights: {math: 0.5, code: 0.2, chat: 0.3}}
""")
built = build(recipe)
print(built.status, built.mixture.folder)

# %% [markdown]
# What happened to the records: in each line, read = quarantined + removed by each stage + kept.

# %%
audit.flow(built.mixture)

# %% [markdown]
# The composition of the mixture, with marks at the shares that the recipe asks for.

# %%
bars(audit.composition(built.mixture, "domain"), "domain", "share", target="target", title="Share of rows by domain")

# %% [markdown]
# Why one row was removed: its twin was kept instead.

# %%
(removed,), number = Explainer(built.mixture).removed("exact_dedup", source=None, limit=1)
print(
    f"{number} rows were removed by exact_dedup; the first by id is {removed.id} of {removed.source}: {removed.reason}"
)
print(f"its twin is {removed.twin.id}, which was {removed.twin.fate}")

# %% [markdown]
# The same recipe again: there is nothing to do.

# %%
build(recipe).status
