"""Made-up personal data and secrets in sentences of five languages, and sentences that only look so.

`python tests/sensitive_values.py` prints the table of docs/privacy.md.
"""

from __future__ import annotations

import base64
import random
import string
import sys
from collections import Counter
from typing import NamedTuple

from tulu_data.text import sensitive
from tulu_data.text.sensitive import KINDS

PLANTED = 200
"""Values of each kind in each language."""

SENTENCES = {
    "en": [
        "Please send it to {} by Friday.",
        "My details: {}",
        "I keep it in my notes ({}), as you know.",
        'He wrote "{}" on the form.',
        "It used to be {}; that has changed.",
    ],
    "de": [
        "Bitte nimm {} dafür.",
        "Meine Angaben: {}",
        "Auf dem Zettel stand {}, mehr nicht.",
        "Gilt „{}“ noch?",
        "Das Feld lautet nun {}.",
    ],
    "fr": [
        "Merci d'utiliser {} pour cela.",
        "Mes coordonnées : {}",
        "Il a noté {}, rien d'autre.",
        "Est-ce que « {} » est encore valable ?",
        "La valeur est {}.",
    ],
    "es": [
        "Por favor, usa {} para eso.",
        "Mis datos: {}",
        "¿Sigue siendo válido {}?",
        "Anotó {}, nada más.",
        "El valor correcto es {}.",
    ],
    "zh": ["请用{}联系我。", "我的信息：{}", "他写的是{}，没有别的。", "“{}”还有效吗？", "现在改成了 {} 。"],
}
NAMES = {
    "en": ["olivia.parker", "jsmith", "h_turner+news", "Emma-Clarke"],
    "de": ["jürgen.müller", "k.weiß", "anna-lena", "schröder2"],
    "fr": ["hélène.dubois", "jp.martin", "francois", "c_lefevre"],
    "es": ["maría.núñez", "jgarcia", "pablo.r", "lopez_88"],
    "zh": ["zhangwei", "li.na", "wangfang2020", "chen_jie"],
}
HOSTS = ["mailbox.org", "web.de", "orange.fr", "correo.es", "qq.com", "mail.cs.uni-bonn.de", "163.com", "acme.co.uk"]
BANKS = {
    "en": ("GB", "LHBK", 14),
    "de": ("DE", "", 18),
    "fr": ("FR", "", 23),
    "es": ("ES", "", 20),
    "zh": ("CH", "", 17),
}
LOOKALIKES = [
    "The answer is 4539148803436466, not 4539148803436468.",
    "Version 10.12.1.14 of the driver replaced 9.18.2.",
    "Use 192.168.1.{a} or 10.0.{b}.{a} at home.",
    "The range 203.0.113.{b} is for documentation.",
    "Mail user{a}@example.com or admin@localhost.",
    "Open logo@2x.png, then import react@17.0.{b}.",
    "3.14159265358979323846 × {a} = ?",
    "In 1998-2004 there were 1,234,567,{a} of them.",
    "{a}/{b} = 0.{a}{b}{a}",
    "Order 2024-10-{b}, item 00{a}-{b}-77.",
    "Call (212) 555-0{a} in the film.",
    "Add 123 456 789 and {a} 000 000.",
    "ISBN 978-3-16-148410-0, page {a}.",
    "sk-learn and hf_hub_download are names; so is ghp_tool_{a}.",
    "export TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "AKIAIOSFODNN7EXAMPLE is in the manual.",
    "GB82 WEST 1234 5698 7654 33 has a wrong check digit.",
    "It is 12:{b}:45 on 2024-10-{b} in std::vector<int>.",
    "The hash is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b.",
    "pi-{a}, task-{b}, disk-{a}-{b}, risk-{a}{a}{a}{b}.",
]


class Planted(NamedTuple):
    """A text, and the value that was put into it."""

    language: str
    kind: str
    value: str
    text: str


def planted(seed: int, count: int = PLANTED) -> list[Planted]:
    """Values of all kinds in all languages."""
    draw = random.Random(seed)
    found = []
    for language, sentences in SENTENCES.items():
        for kind in KINDS:
            for _ in range(count):
                value = made(draw, kind, language)
                found.append(Planted(language, kind, value, draw.choice(sentences).format(value)))
    return found


def lookalikes(seed: int, count: int) -> list[str]:
    """Sentences without any value."""
    draw = random.Random(seed)
    return [draw.choice(LOOKALIKES).format(a=draw.randint(100, 199), b=draw.randint(10, 28)) for _ in range(count)]


def made(draw: random.Random, kind: str, language: str) -> str:
    """A value of a kind, as it is written where the language is spoken."""
    return {"email": _email, "phone": _phone, "card": _card, "iban": _iban, "ip": _ip, "secret": _secret}[kind](
        draw, language
    )


def _some(draw: random.Random, letters: str, count: int) -> str:
    return "".join(draw.choices(letters, k=count))


def _number(draw: random.Random, pattern: str) -> str:
    """`#` is any digit."""
    return "".join(str(draw.randint(0, 9)) if letter == "#" else letter for letter in pattern)


def _email(draw: random.Random, language: str) -> str:
    return f"{draw.choice(NAMES[language])}{draw.randint(1, 999)}@{draw.choice(HOSTS)}"


PHONES = {
    "en": ["(415) 7#6-####", "617-9#4-####", "+1 312 8#7 ####", "+44 20 8### ####", "01632 96####", "+1-503-4##-####"],
    "de": ["+49 30 4######", "030 4######", "0171/6######", "+49 (0)89 3#####", "0049 221 7######", "(0511) 3####-##"],
    "fr": ["06 1# 3# 5# 7#", "+33 6 1# 2# 8# 4#", "01.4#.6#.3#.7#", "0033 1 42 6# 7# 8#", "+33 (0)4 72 1# 3# 9#"],
    "es": ["612 34 5# 7#", "+34 91 4## 8# ##", "698 1## 7##", "93 4## 7# 8#", "+34 655 1## 9##"],
    "zh": ["138####76##", "+86 139 #### 47##", "010-6#4#27##", "186 3### 59##", "021 5#6#38##"],
}


def _phone(draw: random.Random, language: str) -> str:
    return _number(draw, draw.choice(PHONES[language]))


def _card(draw: random.Random, language: str) -> str:
    body = _number(
        draw,
        draw.choice(["4##############", "53#############", "37############", "6011###########", "62#############"]),
    )
    digits = next(body + last for last in string.digits if _luhn(body + last))
    groups = [digits[place : place + 4] for place in range(0, len(digits), 4)]
    return draw.choice(["", " ", "-"]).join(groups if len(digits) == 16 else [digits])


def _luhn(digits: str) -> bool:
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(sum(map(int, str(2 * int(digit)))) for digit in even)) % 10 == 0


def _iban(draw: random.Random, language: str) -> str:
    country, bank, count = BANKS[language]
    account = bank + _some(draw, string.digits, count)
    number = "".join(str(int(letter, 36)) for letter in account + country + "00")
    code = f"{country}{98 - int(number) % 97:02}{account}"
    return draw.choice([code, " ".join(code[place : place + 4] for place in range(0, len(code), 4))])


def _ip(draw: random.Random, language: str) -> str:
    if draw.random() < 0.2:
        return "2a01:4f8:" + ":".join(f"{draw.randint(1, 0xFFFF):x}" for _ in range(6))
    return f"{draw.choice([5, 46, 62, 81, 91, 109, 151, 185, 212])}." + ".".join(
        str(draw.randint(1, 254)) for _ in range(3)
    )


WORD = string.ascii_letters + string.digits


def _github(draw: random.Random) -> str:
    body = _some(draw, WORD, 30)
    return f"gh{draw.choice('pousr')}_{body}{sensitive.checksum_62(body)}"


def _jwt(draw: random.Random) -> str:
    parts = [b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"%d"}' % draw.randint(10**9, 10**10), draw.randbytes(32)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _pem(draw: random.Random) -> str:
    lines = [base64.b64encode(draw.randbytes(48)).decode() for _ in range(5)]
    return "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"])


def _secret(draw: random.Random, language: str) -> str:
    upper = string.ascii_uppercase + "234567"
    makers = [
        lambda: "hf_" + _some(draw, string.ascii_letters, 34),
        lambda: "sk-proj-" + _some(draw, WORD + "_-", 155) + "A",
        lambda: "sk-ant-api03-" + _some(draw, WORD + "_-", 93) + "AA",
        lambda: "sk-" + _some(draw, WORD, 48),
        lambda: "sk-" + _some(draw, "0123456789abcdef", 32),
        lambda: "sk-or-v1-" + _some(draw, "0123456789abcdef", 64),
        lambda: "AKIA" + _some(draw, upper, 16),
        lambda: "aws_secret_access_key = " + _some(draw, WORD + "/+", 40),
        lambda: _github(draw),
        lambda: f"github_pat_{_some(draw, WORD, 22)}_{_some(draw, WORD, 59)}",
        lambda: f"xoxb-{draw.randint(10**11, 10**12)}-{draw.randint(10**11, 10**12)}-{_some(draw, WORD, 24)}",
        lambda: "AIza" + _some(draw, WORD + "_-", 35),
        lambda: "glpat-" + _some(draw, WORD, 20),
        lambda: "sk" + "_live_" + _some(draw, WORD, 24),
        lambda: _jwt(draw),
        lambda: _pem(draw),
    ]
    return draw.choice(makers)()


def secret_part(value: str) -> str:
    """The part of a planted value that must not be left."""
    return value.rpartition("= ")[2] if value.startswith("aws_") else value


class Score(NamedTuple):
    """Of a kind: values planted, found, and findings in all."""

    planted: int
    found: int
    findings: int


def scores(seed: int) -> dict[tuple[str, str], Score]:
    """How well each kind is found in each language; a value is found where nothing of it is left."""
    planted_, found, findings = Counter(), Counter(), Counter()
    for one in planted(seed):
        planted_[one.kind, one.language] += 1
        got = sensitive.find(one.text)
        wanted = secret_part(one.value)
        for finding in got:
            findings[finding.kind, one.language] += 1
            shown = one.text[finding.start : finding.end]
            found[one.kind, one.language] += finding.kind == one.kind and shown == wanted
    return {key: Score(planted_[key], found[key], findings[key]) for key in planted_}


def rows_of_table(seed: int = 7) -> list[str]:
    """The table of docs/privacy.md."""
    by = scores(seed)
    head = "| kind | " + " | ".join(SENTENCES) + " | recall | precision |"
    lines = [head, "|---|" + "--:|" * (len(SENTENCES) + 2)]
    for kind in KINDS:
        own = [by[kind, language] for language in SENTENCES]
        each = " | ".join(f"{one.found}" for one in own)
        found, count = sum(one.found for one in own), sum(one.planted for one in own)
        precision = found / sum(one.findings for one in own)
        lines.append(f"| {kind} | {each} | {found / count:.1%} | {precision:.1%} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(rows_of_table()) + "\n")
