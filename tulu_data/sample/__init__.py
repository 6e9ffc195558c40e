"""Conversations out of grammars, the same for ever, with planted faults that are known.

It knows nothing of the rest of the project. `lines` gives the records of a part, `planted`
the truth of them; `texts_id` says which texts they are made of.
"""

from __future__ import annotations

from tulu_data.sample.planting import DOMAIN, FILE_RECORDS, lines, planted, records
from tulu_data.sample.texts import texts_id

__all__ = ["DOMAIN", "FILE_RECORDS", "lines", "planted", "records", "texts_id"]
