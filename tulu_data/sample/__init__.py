"""Conversations generated from grammars, always the same, with planted faults that are known.

It does not depend on the rest of the project. `lines` gives the records of a part, `planted`
the faults in them; `texts_id` identifies the texts that they are made from.
"""

from __future__ import annotations

from tulu_data.sample.planting import DOMAIN, FILE_RECORDS, lines, planted, records
from tulu_data.sample.texts import texts_id

__all__ = ["DOMAIN", "FILE_RECORDS", "lines", "planted", "records", "texts_id"]
