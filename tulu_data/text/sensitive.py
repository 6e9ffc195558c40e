"""Personal data and secrets in texts, found by rules that can be read.

A pattern finds candidates, and a check decides: the digits of cards and IBANs, the ranges
of addresses, the lengths and checksums of keys. Examples from documentation (reserved names
and ranges, test cards, AWS's EXAMPLE key) belong to nobody and are not found.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import string
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.rows.rows import Rows
from tulu_data.text import code_lines, json_text
from tulu_data.text.json_text import Leaf

Kind = Literal["email", "phone", "card", "iban", "ip", "secret"]
KINDS: Final[tuple[Kind, ...]] = ("secret", "email", "iban", "card", "ip", "phone")
"""All kinds; if findings of two kinds overlap, the first kind wins."""


Code = Literal["secrets", "all"]
"""Which kinds count in code and in texts of tools."""


class Finding(NamedTuple):
    """A finding: characters from `start` to before `end`, and its kind."""

    start: int
    end: int
    kind: Kind


class _Rule(NamedTuple):
    kind: Kind
    pattern: re.Pattern[str]
    length: Callable[[str], int]
    """The length of the value within the pattern's match; 0 if there is none."""


# --- e-mail -----------------------------------------------------------------------------

_LETTER: Final = r"A-Za-z0-9À-ɏЀ-ӿ"
_EMAIL: Final = re.compile(
    rf"(?<![{_LETTER}])[{_LETTER}_][{_LETTER}.%+_-]{{0,63}}@"
    rf"(?:[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?\.)+(?:xn--[a-z0-9-]{{2,59}}|[A-Za-z]{{2,24}}|рф)"
    rf"(?![A-Za-z0-9])"
)
# RFC 2606 and 6761: reserved names, which nobody has.
_RESERVED: Final = re.compile(r"(?i)(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost)$")
# `logo@2x.png` is a file.
_FILES: Final = re.compile("png|jpg|jpeg|gif|svg|webp|css|js|ts|json|py|txt|md|html|pdf")


def _email(text: str) -> int:
    local, _, host = text.rpartition("@")
    if _RESERVED.search(host) or _FILES.fullmatch(host.rpartition(".")[2].lower()) or local in {"git", "hg"}:
        return 0
    return len(text)


def _cut(length: Callable[[str], int]) -> Callable[[str], int]:
    """The same, for a pattern whose match may end in numbers that are not part of the value."""

    def longest(text: str) -> int:
        while text and not length(text):
            text = text[: max(text.rfind(separator) for separator in " \u00a0.-/") + 1].rstrip(" \u00a0.-/")
        return len(text)

    return longest


# --- phone ------------------------------------------------------------------------------

_SEPARATED: Final = r"[ \u00a0.\-/]"
_PHONE: Final = re.compile(
    r"(?<![\w.,+$€£%^*/=-])(?:"
    # +49 (0)30 1234567, 0033 6 12 34 56 78: a country's code, then the number.
    rf"(?:\+|(?<!\d[ -])00)[1-9]\d{{0,2}}(?:{_SEPARATED}{{0,2}}(?:\(\d{{1,5}}\)|\d{{1,5}}+)){{2,6}}"
    # (415) 555-2671, 1-415-555-2671: North America.
    r"|(?<!\d[ -])(?:(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}"
    # 06 12 34 56 78: France. 612 34 56 78, 612 345 678, 93 425 78 87: Spain.
    r"|0[1-9](?:[ .-]\d\d){4}|[6-9]\d\d(?:[ .-]\d\d){3}|[679]\d\d[ .-]\d{3}[ .-]\d{3}|[89]\d[ .-]\d{3}(?:[ .-]\d\d){2}"
    # 030 1234567, 0171/1234567, 020 7946 1958: an area's code, then the number; 02110-1301 is a ZIP code.
    r"|(?!0\d{4}-\d{4}(?!\d))(?:\(0[1-9]\d{1,4}\)|0[1-9]\d{1,4})[ /-]\d{3,8}(?:[ -]\d{2,5}){0,2}"
    # 138 0013 8000: Chinese mobiles, whole or in groups.
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4})"
    r")(?![\w%^*/]|[.,-]\d| ?=)",
    re.ASCII,
)
# Numbers set aside for films and manuals: 555-01xx (NANPA), 020 7946 0xxx and 07700 900xxx (Ofcom).
_FICTION: Final = re.compile(r"(?:^|1)[2-9]\d\d55501\d\d$|(?:0|44)(?:2079460\d{3}|7700900\d{3})$")


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _phone(text: str) -> int:
    digits = _digits(text)
    least, most = (11, 17) if text.startswith("00") else (9, 15) if text.startswith("+") else (9, 12)
    is_one = least <= len(digits) <= most and len(set(digits)) > 3 and not _FICTION.search(digits)
    return len(text) if is_one else 0


# --- card -------------------------------------------------------------------------------

_CARD: Final = re.compile(r"(?<![\w.,+-])[2-6](?:[ -]?\d){12,18}(?!\w|[.,]\d)", re.ASCII)
# ISO/IEC 7812, by issuer: Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay.
_ISSUERS: Final = re.compile(
    r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
# Test numbers that payment providers publish.
_TEST_CARDS: Final = re.compile(
    "4111111111111111|4242424242424242|4012888888881881|4000056655665556|5555555555554444|5105105105105100|"
    "2223003122003222|5200828282828210|378282246310005|371449635398431|6011111111111117|6011000990139424|"
    "30569309025904|38520000023237|3566002020360505|3530111333300000|6200000000000005"
)


def _card(text: str) -> int:
    digits = _digits(text)
    is_one = _ISSUERS.fullmatch(digits) and not _TEST_CARDS.fullmatch(digits) and is_luhn(digits)
    return len(text) if is_one else 0


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).

    >>> is_luhn("79927398713"), is_luhn("79927398710")
    (True, False)
    """
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


# --- IBAN -------------------------------------------------------------------------------

# Lengths by country: SWIFT's IBAN registry.
_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC",
        32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?:[ \u00a0-]?[A-Z0-9]){11,30}")
_EXAMPLE_IBANS: Final = re.compile(
    "DE89370400440532013000|GB82WEST12345698765432|GB29NWBK60161331926819|FR1420041010050500013M02606|"
    "ES9121000418450200051332|NL91ABNA0417164300|CH9300762011623852957|AT611904300234573201|BE68539007547034|"
    "IT60X0542811101000000123456|PL61109010140000071219812874|SE4550000000058398257466|IE29AIBK93115212345678"
)


def _iban(text: str) -> int:
    length = _LENGTHS.get(text[:2], 0)
    code = ""
    for place, character in enumerate(text):
        code += character if character.isalnum() else ""
        if length and len(code) == length:
            is_whole = place + 1 == len(text) or not text[place + 1].isalnum()
            return place + 1 if is_whole and not _EXAMPLE_IBANS.fullmatch(code) and is_mod_97(code) else 0
    return 0


def is_mod_97(code: str) -> bool:
    """Whether an IBAN's check digits are right (ISO 13616, ISO 7064 MOD 97-10).

    >>> is_mod_97("GB82WEST12345698765432"), is_mod_97("GB83WEST12345698765432")
    (True, False)
    """
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97 == 1


# --- IP ---------------------------------------------------------------------------------

_IP: Final = re.compile(
    r"(?<![\w.:/-])(?<!ersion )\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)"
    # 2000::/3 is all of public IPv6 (RFC 4291).
    r"|(?<![\w:.])[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{3,34}(?![\w:])",
    re.ASCII,
)
# Well-known public resolvers.
_RESOLVERS: Final = re.compile(
    r"8\.8\.8\.8|8\.8\.4\.4|1\.1\.1\.1|1\.0\.0\.1|9\.9\.9\.9|149\.112\.112\.112|208\.67\.222\.222|"
    r"208\.67\.220\.220|2001:4860:4860::8888|2001:4860:4860::8844|2606:4700:4700::1111|2606:4700:4700::1001"
)


def _ip(text: str) -> int:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return 0
    # 3.1.2.4 is a section or a version; one in 650,000 random addresses looks like it.
    is_section = address.version == 4 and all(part < 10 for part in address.packed)
    is_one = (
        address.is_global and not address.is_multicast and not is_section and not _RESOLVERS.fullmatch(str(address))
    )
    return len(text) if is_one else 0


# --- secrets ----------------------------------------------------------------------------


def _varied(text: str) -> int:
    """No `xxxx` and no EXAMPLE: random keys, also in hex, have eight different characters in their last 32."""
    return len(text) if len(set(text[-32:])) >= 8 and "EXAMPLE" not in text else 0


_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase


def checksum_62(body: str) -> str:
    """The last six characters of a token of GitHub or npm: CRC-32 of the rest, in base 62.

    Source: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/

    >>> checksum_62("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")
    '0mLq17'
    """
    number = zlib.crc32(body.encode())
    found = ""
    while number:
        number, digit = divmod(number, 62)
        found = _BASE62[digit] + found
    return found.rjust(6, "0")


def _checked(text: str) -> int:
    body = text.partition("_")[2]
    return len(text) if body[-6:] == checksum_62(body[:-6]) else 0


def _jwt(text: str) -> int:
    head = text.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError):
        return 0
    # The example of jwt.io.
    is_shown = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c" in text
    return len(text) if isinstance(header, dict) and "alg" in header and not is_shown else 0


def _secret(pattern: str, length: Callable[[str], int] = _varied) -> _Rule:
    # A key may follow an escape, as in the JSON text "key:\\nhf_…".
    return _Rule("secret", re.compile(rf"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:{pattern})", re.ASCII), length)


_END: Final = r"(?![A-Za-z0-9])"
_NAMED: Final = re.compile(r"(?i:secret_?access_?key)")
_SECRETS: Final = (
    # A whole private key, whether its lines are broken or their breaks are written \n.
    _Rule(
        "secret",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[^-]{0,9000}?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\s|\\+[nr])*[A-Za-z0-9+/=]{20,76}){1,200})"
        ),
        len,
    ),
    _secret(r"eyJ[\w-]{10,2000}\.eyJ[\w-]{10,8000}\.[\w-]{16,1400}", _jwt),
    _secret(rf"gh[pousr]_[A-Za-z0-9]{{36}}{_END}|npm_[A-Za-z0-9]{{36}}{_END}", _checked),
    _secret(
        # Hugging Face; AWS; GitHub's fine-grained; GitLab; Slack; Google.
        rf"(?:hf_|api_org_)[A-Za-z0-9]{{34,40}}{_END}|(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}{_END}"
        rf"|github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}{_END}|glpat-[\w-]{{20,40}}"
        rf"|xox[abeoprs]-(?:\d+-)*[A-Za-z0-9-]{{20,160}}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{{32,80}}"
        rf"|AIza[\w-]{{35}}(?![\w-])|GOCSPX-[\w-]{{28}}(?![\w-])"
        # Anthropic, OpenAI and others that begin so; OpenRouter; Stripe; SendGrid; PyPI; Docker; Telegram.
        rf"|sk-ant-[a-z0-9]{{3,12}}-[\w-]{{32,160}}|sk-(?:proj|svcacct|admin)-[\w-]{{32,200}}"
        rf"|sk-or-v1-[0-9a-f]{{64}}{_END}|sk-[A-Za-z0-9]{{32,64}}{_END}|[rs]k_(?:live|test)_[A-Za-z0-9]{{24,107}}{_END}"
        rf"|SG\.[\w-]{{22}}\.[\w-]{{43}}(?![\w-])|pypi-AgE[\w-]{{50,400}}|dckr_pat_[\w-]{{27}}(?![\w-])"
        rf"|\d{{8,10}}:AA[\w-]{{33}}(?![\w-])"
    ),
    # The secret half of an AWS key has no prefix; it is found by the name before it.
    _Rule(
        "secret",
        re.compile(
            rf"{_NAMED.pattern}[\"'\\]{{0,3}}\s?[:=]\s?[\"'\\]{{0,3}}(?P<value>[A-Za-z0-9/+]{{40}})(?![A-Za-z0-9/+=])",
            re.ASCII,
        ),
        _varied,
    ),
    _Rule("secret", re.compile(r"https://hooks\.slack\.com/services/T\w{8,12}/B\w{8,12}/\w{24}", re.ASCII), _varied),
)  # fmt: skip
_RULES: Final = (
    *_SECRETS,
    _Rule("email", _EMAIL, _email),
    _Rule("iban", _IBAN, _iban),
    _Rule("card", _CARD, _cut(_card)),
    _Rule("ip", _IP, _ip),
    _Rule("phone", _PHONE, _cut(_phone)),
)

_BREAK: Final = re.compile(r"\\[nrt]")

# Signs that a text may contain a finding: one pass of RE2 over a whole column, for all kinds.
_SUSPECT: Final = (
    r"[^\s]@[^\s]|hf_|api_org_|A[KSBC][IC]A[A-Z2-7]|gh[pousr]_|github_pat_|glpat-|npm_|xox[abeoprs]-|xapp-|AIza|GOCSPX-"
    r"|sk-|[rs]k_(?:live|test)_|SG\.|pypi-|dckr_pat_|:AA|(?i:secret_?access_?key)|hooks\.slack|eyJ|-----BEGIN "
    r"|\d(?:[ \x{a0}().\-/]{0,3}\d){6}|[A-Z]{2}\d\d[ \x{a0}-]?[A-Z0-9]|[23][0-9a-fA-F]{3}:[0-9a-fA-F:]"
    # A character that JSON escapes though it need not.
    r"|\\u00[0-9a-fA-F]{2}"
)
# The same for one text, by Python.
_SUSPECT_TEXT: Final = re.compile(_SUSPECT.replace(r"\x{a0}", r"\xa0"))


def suspects(texts: pa.StringArray) -> list[bool]:
    """The texts that `find` must search; it would find nothing in the others."""
    found: list[bool] = pc.fill_null(pc.match_substring_regex(texts, _SUSPECT), fill_value=False).to_pylist()
    return found


def find(text: str, kinds: Iterable[Kind] = KINDS, *, code: Code = "secrets", is_tool: bool = False) -> list[Finding]:
    """The findings of some kinds in a text, in order and without overlaps.

    In code (`code_lines.spans`), and in all of a text of tools, only secrets count unless
    `code` is `all`.

    >>> find("Write to ada@lovelace.org, or call +44 20 7123 4567.")
    [Finding(start=9, end=25, kind='email'), Finding(start=35, end=51, kind='phone')]
    """
    wanted = set(kinds)
    # A line break may be an escape, as in code, or in JSON within other text.
    unescaped = _BREAK.sub("\n ", text)
    if is_tool and code == "secrets":
        wanted &= {"secret"}
    found: list[Finding] = []
    taken = bytearray(len(text))
    is_shielded = is_tool or code == "all"
    for rule in _RULES:
        if rule.kind not in wanted:
            continue
        for match in rule.pattern.finditer(text if rule.kind == "secret" else unescaped):
            start = match.start("value" if "value" in rule.pattern.groupindex else 0)
            end = start + rule.length(text[start : match.end()])
            if rule.kind != "secret" and not is_shielded and end > start:
                for first, last in code_lines.spans(text):
                    taken[first:last] = b"\1" * (last - first)
                is_shielded = True
            if end > start and not any(taken[start:end]):
                found.append(Finding(start, end, rule.kind))
                taken[start:end] = b"\1" * (end - start)
    return sorted(found)


class Text(NamedTuple):
    """One text of a row: a field of a message, by its number in its column, or a column such as `tools`."""

    column: str
    text: str
    is_tool: bool
    message: int | None = None
    field: str = ""

    @property
    def place(self) -> str:
        """Its place as written in evidence: `messages[0]`, `messages[1].reasoning_content`, `tools`."""
        if self.message is None:
            return self.column
        return f"{self.column}[{self.message}]" + (f".{self.field}" if self.field != "content" else "")

    def said(self) -> list[str]:
        """The parts to search: the text itself, or the strings and numbers of a JSON text."""
        leaves = json_text.leaves(self.text)
        return [self.text] if leaves is None else [leaf.text for leaf in leaves]


def beside(rows: Rows) -> list[str]:
    """The columns of text beside the messages: calls, tools, and those that the recipe keeps."""
    schema = rows.batch.schema
    return [field.name for field in schema if field.type == pa.string()]


class Found(NamedTuple):
    """A finding in a text of a row, which is written there from `start` to before `end`.

    `value` is the finding without escapes; `quotes` go around a text that replaces a number in
    JSON; `key` is the key of the object that it is in, if it is in one.
    """

    start: int
    end: int
    kind: Kind
    value: str
    quotes: str = ""
    key: str = ""


def search(given: Text, kinds: Iterable[Kind] = KINDS, code: Code = "secrets") -> list[Found]:
    r"""The findings in a text of a row, in order; in JSON, those in its strings and numbers, decoded.

    >>> search(Text("tools", '["to:\\nada\\u0040lovelace.org"]', is_tool=True), code="all")
    [Found(start=7, end=28, kind='email', value='ada@lovelace.org', quotes='', key='')]
    """
    text, kinds = given.text, tuple(kinds)
    if not _SUSPECT_TEXT.search(text):
        return []
    leaves = json_text.leaves(text)
    if leaves is None:
        found = find(text, kinds, code=code, is_tool=given.is_tool)
        return [Found(*one, text[one.start : one.end]) for one in found]
    of_leaves = [one for leaf in leaves for one in _search_leaf(leaf, kinds, code, is_tool=given.is_tool)]
    if given.is_tool or code == "all":
        return of_leaves
    shielded = code_lines.spans(text)
    return [
        one
        for one in of_leaves
        if one.kind == "secret" or not any(one.start < end and start < one.end for start, end in shielded)
    ]


def _search_leaf(leaf: Leaf, kinds: Sequence[Kind], code: Code, *, is_tool: bool) -> Iterator[Found]:
    # Some keys are found by their name, as in `secret_access_key: …`.
    called = f"{leaf.key}: " if _NAMED.search(leaf.key) else ""
    text = called + leaf.text
    for one in find(text, kinds, code=code, is_tool=is_tool) if _SUSPECT_TEXT.search(text) else ():
        start, end = one.start - len(called), one.end - len(called)
        if start < 0:
            continue
        value, key = leaf.text[start:end], leaf.text if leaf.is_key else ""
        if leaf.quotes:
            start, end = 0, len(leaf.text)
        yield Found(leaf.places[start], leaf.places[end], one.kind, value, leaf.quotes, key)


FIELDS: Final = ("content", "reasoning_content")
"""The fields of a message that are separate texts."""


def suspect_rows(rows: Rows) -> list[int]:
    """The rows that `find` must search."""
    looked = np.zeros(len(rows), dtype=bool)
    for column in rows.message_columns().values():
        suspected = np.array(suspects(column.flat.field("content")), dtype=bool)
        if (reasoning := column.rare("reasoning_content")) is not None:
            suspected |= np.array(suspects(reasoning), dtype=bool)
        before = np.concatenate([[0], np.cumsum(suspected)])
        looked |= before[column.bounds[1:]] > before[column.bounds[:-1]]
    for name in beside(rows):
        looked = looked | np.array(suspects(rows.column(name)), dtype=bool)
    found: list[int] = np.flatnonzero(looked).tolist()
    return found


def texts_of(rows: Rows, row: int) -> list[Text]:
    """All texts of a row: its messages, then its calls, tools and kept columns."""
    texts = [
        Text(column.name, text, message["role"] == "tool", number, field)
        for column in rows.message_columns().values()
        for number, message in enumerate(column.lists[row].as_py())
        for field in FIELDS
        if (text := message.get(field)) is not None
    ]
    others = ((name, rows.column(name)[row].as_py()) for name in beside(rows))
    return texts + [Text(name, text, is_tool=True) for name, text in others if text is not None]


def plain(kind: Kind, value: str) -> str:
    """A form of a value that is the same for all its spellings.

    >>> plain("phone", "+44 20 7123-4567")
    '442071234567'
    """
    if kind == "email":
        return value.lower()
    return "".join(filter(str.isalnum, value)) if kind in ("phone", "card", "iban") else value
