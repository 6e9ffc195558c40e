"""Write the language of each row."""

from __future__ import annotations

from tulu_data.stage import Annotator
from tulu_data.text.languages import Identifying


class Language(Identifying, Annotator):
    """Write the language of each row into the column `language`: ISO 639-1, or `und`.

        - language: {}
        - language: {on: prompt, min_score: 0.6}

    fastText's lid.176 reads the prose of each message, without code, formulas, addresses,
    digits and markup; the row gets the language with the most letters. With fewer letters than
    `min_letters`, or a score under `min_score`, it is `und` (undetermined). Measures: the
    language, its score, the number of letters, and `share`, the part of them in that language.
    `reports/language-languages.parquet` counts rows by source and language. Method: Joulin
    et al. 2016 (arXiv 1607.01759).
    """
