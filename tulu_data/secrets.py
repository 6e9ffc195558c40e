"""Secrets that look live: tokens that their issuers' scanners know by how they begin.

A rule finds what has an issuer's prefix, length and alphabet. What is plainly made up (the
word EXAMPLE in it, or few different signs) is left out: texts about code are full of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

RULES: Final[dict[str, str]] = {
    # https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b",
    "Hugging Face token": r"\b(?:hf|api_org)_[A-Za-z]{34}\b",
    "OpenAI key": r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}|\bsk-[A-Za-z0-9]{48}\b",
    "Anthropic key": r"\bsk-ant-[a-z0-9]{3,8}-[A-Za-z0-9_-]{80,120}",
    # The first four letters say what kind of id it is: a long-lived key, a temporary one.
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "Slack token": r"\bxox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{10,200}|\bxapp-[0-9]-[A-Za-z0-9-]{20,200}",
    "private key": r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\]{64}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
}
"""Expressions that Python and RE2 read alike, by what they find."""

ANY: Final = "|".join(RULES.values())
"""One expression for all: what a fast engine looks for before `find` is asked."""

_RULES: Final = {kind: re.compile(rule, re.ASCII) for kind, rule in RULES.items()}
_HEADS: Final = re.compile(r"[A-Za-z]+[_-]|-----[A-Z ]+-----|AKIA|ASIA|AIza")
LEAST_SIGNS: Final = 8


class Secret(NamedTuple):
    """Where one stands in a text, and of which kind it is; itself it is told to nobody."""

    kind: str
    start: int
    end: int


def find(text: str) -> Iterator[Secret]:
    """The secrets of a text, in order of their kinds.

    >>> [secret.kind for secret in find("key: AKIA" + "Q3EGWL5TZ7XKPM2R")]
    ['AWS access key']
    >>> list(find("key: AKIA" + "IOSFODNN7EXAMPLE"))
    []
    """
    for kind, rule in _RULES.items():
        for found in rule.finditer(text):
            if _is_live(found.group()):
                yield Secret(kind, found.start(), found.end())


def _is_live(text: str) -> bool:
    """Whether nothing says that it is made up."""
    body = _HEADS.sub("", text, count=1)
    return "example" not in text.lower() and len(set(body)) >= LEAST_SIGNS
