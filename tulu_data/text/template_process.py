"""A process that renders chat templates, which are strangers' programs and may take any time and memory.

`python template_process.py` reads one JSON value a line and answers with one. The first is
`{templates, special}`, answered by `{generation}`: whether the templates mark the text to train on.
Then comes `{messages, tools}` of a conversation, which is not answered, and for it any number of
`{template, upto, invites}`: how many of its messages to render, and whether to invite the next
one; each is answered by `{text, trained}`. An answer `{refused}` has the template's error.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn

SECONDS: Final = 20
"""Seconds of processor time for one rendering."""
MEMORY: Final = 2 << 30
"""Bytes of address space."""
LONGEST: Final = 1 << 26
"""Characters of a rendered conversation."""
TODAY: Final = datetime(2024, 7, 26, tzinfo=UTC)
"""The date that `strftime_now` always gives: the default of Llama 3's template."""


class Templates:
    """Chat templates by name, compiled as transformers does."""

    def __init__(self, templates: dict[str, str], special: dict[str, str]) -> None:
        self.has_generation = False
        self._marks = (f"\ufdd0{secrets.token_hex(8)}", f"\ufdd1{secrets.token_hex(8)}")
        self._special = special
        environment = self._environment()
        self._compiled = {name: environment.from_string(text) for name, text in templates.items()}

    def render(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """The text of a conversation, and its parts within generation tags, by their characters."""
        random.seed(0)
        text = self._compiled[name].render(documents=None, **{**self._special, **values})
        if len(text) > LONGEST:
            return {"refused": f"it makes more than {LONGEST:,} characters of it"}
        return self._unmarked(text)

    def _environment(self) -> Any:
        from jinja2 import nodes
        from jinja2.exceptions import TemplateError
        from jinja2.ext import Extension
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        templates = self

        class Generation(Extension):
            """`{% generation %}…{% endgeneration %}`: the text that the model learns to write."""

            tags = {"generation"}  # noqa: RUF012 (Jinja's own form)

            def parse(self, parser: Any) -> Any:
                templates.has_generation = True
                line = next(parser.stream).lineno
                body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
                return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

            def _marked(self, caller: Callable[[], str]) -> str:
                first, last = templates._marks
                return f"{first}{caller()}{last}"

        def refuse(message: str) -> NoReturn:
            raise TemplateError(message)

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _as_json
        environment.globals["raise_exception"] = refuse
        environment.globals["strftime_now"] = TODAY.strftime
        return environment

    def _unmarked(self, text: str) -> dict[str, Any]:
        first, last = self._marks
        plain, trained, start, length = [], [], 0, 0
        for piece in re.split(f"({first}|{last})", text):
            if piece == first:
                start = length
            elif piece == last:
                trained.append((start, length))
            else:
                plain.append(piece)
                length += len(piece)
        return {"text": "".join(plain), "trained": trained}


def _as_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@contextmanager
def _bounded() -> Iterator[None]:
    """Let the system end this process if the block takes too long."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _answer(question: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    from jinja2.exceptions import TemplateError, TemplateSyntaxError

    try:
        with _bounded():
            return question()
    except TemplateSyntaxError as error:
        return {"refused": f"line {error.lineno}: {error.message}"}
    except MemoryError:
        return {"refused": f"it takes more than {MEMORY >> 30} GiB of memory"}
    except TemplateError as error:
        return {"refused": error.message or type(error).__name__}
    except Exception as error:  # noqa: BLE001 (a stranger's program raises what it likes)
        return {"refused": f"{type(error).__name__}: {error}"}


def serve() -> None:
    """Answer the requests on stdin, until it ends."""
    # An interrupt by hand is left to the parent process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # Text that a template writes to stdout would be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    asked = map(json.loads, sys.stdin)
    first = next(asked)
    templates: list[Templates] = []

    def opened() -> dict[str, Any]:
        templates.append(Templates(**first))
        return {"generation": templates[0].has_generation}

    def rendered(one: dict[str, Any]) -> dict[str, Any]:
        values = {"messages": messages[: one["upto"]], "tools": tools, "add_generation_prompt": one["invites"]}
        return templates[0].render(one["template"], values)

    say(_answer(opened))
    messages: list[Any] = []
    tools: Any = None
    for one in asked:
        if "messages" in one:
            messages, tools = one["messages"], one["tools"]
        else:
            say(_answer(partial(rendered, one)))


if __name__ == "__main__":
    serve()
