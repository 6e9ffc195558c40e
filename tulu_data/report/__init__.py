"""The report: one page that shows what is in a mixture, what was removed, and why.

The page is self-contained: its policy (CSP) blocks all requests and all scripts but its own,
whatever the rows contain. Every figure comes from `tulu_data.audit`.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any, Final

from tulu_data.mixture.difference import Difference
from tulu_data.mixture.mixture import Mixture
from tulu_data.report import comparison, rows, sections
from tulu_data.report.html import Markup, join, tag
from tulu_data.report.style import CSS, SCRIPT
from tulu_data.store.durable import write_text

NAME: Final = "report.html"


def write(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the report into the folder of a version, before its manifest is sealed."""
    write_text(folder / NAME, page(Mixture(folder, manifest)))


def page(mixture: Mixture) -> str:
    """The report as HTML. It depends only on the files of the mixture, not on where they are."""
    parts = [section(mixture) for section in (*sections.ALL, rows.rows)]
    shown = [part for part in parts if part]
    title = f"{mixture.manifest['name']} {mixture.version}"
    body = (
        tag("a", "Skip to the content", class_="skip", href="#content"),
        sections.header(mixture, [(part.id, part.title) for part in shown]),
        tag("main", *(part.html() for part in shown), id="content"),
        tag("script", Markup(SCRIPT)),
    )
    return document(title, join(body))


def comparison_page(difference: Difference) -> str:
    """Two versions beside each other, as HTML."""
    title = " and ".join(f"{one.manifest['name']} {one.version}" for one in (difference.before, difference.after))
    return document(title, comparison.compared(difference))


def document(title: str, body: Markup) -> str:
    """A whole page around its body."""
    allowed = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; base-uri 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(CSS)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"
