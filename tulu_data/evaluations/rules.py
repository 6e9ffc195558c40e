"""Published rules of decontamination, as settings, and the statistics that they decide on."""

from __future__ import annotations

from typing import Any, Final, Literal

import polars as pl

Statistic = Literal["coverage", "ngrams", "ngram_share", "longest_run", "idf_overlap", "overlap"]
Rule = Literal["tulu_data", "tulu3", "gpt3", "palm", "llama3", "longest", "decon", "exact"]

RULES: Final[dict[Rule, dict[str, Any]]] = {
    # Ours: docs/decontamination_quality.md explains how it was chosen, and measures what it finds.
    "tulu_data": {
        "n": 3,
        "normaliser": "math_code",
        "on": "conversation",
        "max_item_df": 5,
        "noted_from": "0.1",
        "short_below": 8,
        "statistic": "overlap",
        "at_least": "0.5",
        "full_below": 8,
        "relaxed_from": 20,
        "max_numbers_missing": "0.25",
        "answered_from": "0.5",
        "beginning_from": "0.4",
        "run_of_signs": "0.35",
    },
    # Lambert et al. 2024 (arXiv 2411.15124), section 3.2: more than half of the tokens in shared 8-grams, prompts only.
    "tulu3": {"n": 8, "normaliser": "words", "on": "prompt", "statistic": "coverage", "above": "0.5"},
    # Brown et al. 2020 (arXiv 2005.14165), appendix C: any shared 13-gram.
    "gpt3": {"n": 13, "normaliser": "gpt3", "on": "conversation", "statistic": "ngrams", "at_least": "1"},
    # Chowdhery et al. 2022 (arXiv 2204.02311), section 8: 70 % of the 8-grams.
    "palm": {"n": 8, "normaliser": "words", "on": "conversation", "statistic": "ngram_share", "at_least": "0.7"},
    # Llama Team 2024 (arXiv 2407.21783), section 5.1.4: covered tokens, with a threshold that is chosen for each set.
    "llama3": {"n": 8, "normaliser": "words", "on": "conversation", "statistic": "coverage", "at_least": "0.8"},
    # Singh et al. 2024 (arXiv 2411.03923): the longest run tells more than the union.
    "longest": {"n": 8, "normaliser": "words", "on": "conversation", "statistic": "longest_run", "at_least": "0.5"},
    # allenai/decon: 5-grams by idf; shorter items must match more closely, from 20 tokens down in full.
    "decon": {
        "n": 5,
        "normaliser": "words",
        "on": "conversation",
        "statistic": "idf_overlap",
        "at_least": "0.8",
        "full_below": 20,
        "relaxed_from": 50,
    },
    "exact": {"n": 8, "normaliser": "words", "on": "conversation", "statistic": "longest_run", "at_least": "1"},
}
"""The settings of our rule and of published ones."""

# If all n-grams are shared the statistic is exactly 1, whatever the order in which idf was summed.
_IDF_OVERLAP = pl.when(pl.col("grams") == pl.col("grams_all")).then(1.0).otherwise(pl.col("idf") / pl.col("idf_all"))
VALUES: Final[dict[Statistic, pl.Expr]] = {
    "coverage": pl.col("covered") / pl.col("tokens"),
    "ngrams": pl.col("grams").cast(pl.Float64),
    "ngram_share": pl.col("grams") / pl.col("grams_all"),
    "longest_run": pl.col("longest") / pl.col("coverable"),
    "idf_overlap": _IDF_OVERLAP,
    # The row must have the item's rare n-grams, and also most of its words.
    "overlap": pl.min_horizontal(_IDF_OVERLAP, pl.col("covered_all") / pl.col("words")),
}
"""A statistic of a row and an item, from counts of a scan (`covered`, `grams`, `run`, `idf`) and of the item."""
