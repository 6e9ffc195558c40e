"""Conversations out of grammars, the same for ever, with planted faults that are known.

It knows nothing of the rest of the project. `lines` gives the records of a part, `planted`
the truth of them.
"""

from __future__ import annotations

from tulu_data.sample.planting import DOMAIN, FILE_RECORDS, Part, lines, planted, records

__all__ = ["DOMAIN", "FILE_RECORDS", "Part", "lines", "planted", "records"]
