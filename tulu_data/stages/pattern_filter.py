"""Drop or keep conversations in which an expression is found."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal

import polars as pl
import re2
from pydantic import Field, model_validator

from tulu_data.options import one_or_many
from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows
from tulu_data.stage import Decides, Filter
from tulu_data.text.expressions import Expression, options
from tulu_data.verdicts import Evidence, drop

Preset = Literal["provider_identity", "knowledge_cutoff"]
SHOWN_CHARACTERS: Final = 80

_MODELS: Final = (
    r"(?:chat ?gpt|gpt-? ?[345](?:\.5|o)?(?:[- ]turbo)?|claude|gemini|(?:google )?bard|bing chat|copilot|deepseek|qwen|"
    r"llama(?:[- ]?[234])?|mistral|mixtral|grok|chatglm|ernie bot|kimi|vicuna|open ?assistant|"
    r"通义千问|文心一言|豆包|智谱清言|讯飞星火)"
)
_PROVIDERS: Final = (
    r"(?:open ?ai|anthropic|google(?: deepmind)?|deepmind|microsoft|meta(?: ai)?|alibaba(?: cloud)?|deepseek|"
    r"mistral(?: ai)?|xai|baidu|zhipu(?: ai)?|moonshot(?: ai)?|laion|cohere|01\.ai|"
    r"阿里(?:云|巴巴)|百度|深度求索|月之暗面|智谱)"
)
_KIND: Final = r"(?:language model|model|assistant|ai|chat ?bot|chat assistant)"
_MADE: Final = r"(?:trained|developed|created|made|built|designed)"
# Phrases in which the speaker says who made it: "I am …", "as a model trained by …".
_IDENTITY: Final = (
    rf"\b(?:i am|i['’]m|my name is|you can call me) (?:called |named )?{_MODELS}\b",
    rf"\b(?:i am|i['’]m|i was|i have been|i['’]ve been) (?:[\w-]+ ){{0,3}}?{_MADE} by {_PROVIDERS}\b",
    rf"\b(?:as|i am|i['’]m) (?:an?|the) (?:[\w-]+,? ){{0,5}}?{_KIND},? (?:[\w-]+ ){{0,4}}?(?:by|from) {_PROVIDERS}\b",
    rf"\b(?:as|i am|i['’]m) {_PROVIDERS}['’]s (?:[\w-]+ ){{0,4}}?{_KIND}\b",
    rf"\b(?:je suis|je m['’]appelle) {_MODELS}\b",
    rf"\b(?:je suis|j['’]ai été)[^.!?\n]{{0,60}}(?:développé|créé|entraîné|conçu)e? par {_PROVIDERS}\b",
    rf"\b(?:ich bin|ich heiße|mein name ist) {_MODELS}\b",
    rf"\b(?:ich bin|ich wurde)[^.!?\n]{{0,60}}von {_PROVIDERS} (?:entwickelt|trainiert|erstellt|geschaffen)",
    rf"\b(?:soy|me llamo) {_MODELS}\b",
    rf"\b(?:soy|fui|he sido)[^.!?\n]{{0,60}}(?:desarrollado|creado|entrenado)a? por {_PROVIDERS}\b",
    rf"\b(?:sono|mi chiamo) {_MODELS}\b",
    rf"\b(?:sono|fui)[^.!?\n]{{0,60}}(?:sviluppato|creato|addestrato) da {_PROVIDERS}\b",
    rf"\b(?:eu sou|sou o|me chamo) {_MODELS}\b",
    rf"\b(?:sou|fui)[^.!?\n]{{0,60}}(?:desenvolvido|criado|treinado)a? (?:pela|pelo|por) {_PROVIDERS}\b",
    rf"(?:я —|я -|я|меня зовут) {_MODELS}",
    rf"(?:я|меня)[^.!?\n]{{0,60}}(?:создал|разработал|обучил|создан|разработан|обучен)\S*(?: компани\S+)? {_PROVIDERS}",
    rf"我(?:是|叫)(?:一个|一款)?[^。！？\n]{{0,12}}?{_MODELS}",
    rf"我(?:是|由)[^。！？\n]{{0,12}}?{_PROVIDERS}[^。！？\n]{{0,8}}?(?:开发|训练|创建|研发|推出|打造)",
    rf"(?:私は|わたしは)[^。！？\n]{{0,12}}?{_MODELS}",
    rf"(?:私は|わたしは)[^。！？\n]{{0,20}}?{_PROVIDERS}(?:によって|が|に)[^。！？\n]{{0,8}}?(?:開発|訓練|作成|作ら)",
)
# Phrases in which the speaker says when its knowledge ends.
_YEAR: Final = r"(?:19|20)\d\d"
_CUTOFF: Final = (
    r"\bknowledge cut-? ?off\b",
    r"\b(?:my|as of my) (?:last|latest|most recent) (?:knowledge |training |data )?(?:update|training|cut-? ?off)\b",
    r"\bmy (?:knowledge|training|(?:training )?data)(?: base)? (?:was last updated|is (?:current|limited))\b",
    r"\bmy (?:knowledge|training|(?:training )?data)(?: base)? (?:only )?(?:goes|extends|reaches|ends|stops?)\b",
    rf"\bi (?:was|am) (?:last |only )?(?:trained|updated) (?:on data )?(?:up to|until|through) (?:\w+ )?{_YEAR}",
    rf"\b(?:ma dernière mise à jour|mes (?:connaissances|données))[^.!?\n]{{0,30}}(?:arrêt|jusqu|limit|{_YEAR})",
    rf"\bmein(?:e|es)? (?:wissen|wissensstand|trainingsdaten)[^.!?\n]{{0,40}}(?:reich|end|bis|stand|{_YEAR})",
    rf"\bmi (?:conocimiento|última actualización|fecha de corte)[^.!?\n]{{0,40}}(?:hasta|lleg|{_YEAR})",
    r"(?:我的)?(?:知识|训练数据)(?:库)?(?:的)?(?:截止|截至|更新(?:到|至|于))",
    r"(?:私の|わたしの)(?:知識|学習データ|訓練データ)[^。！？\n]{0,12}(?:まで|時点)",
    rf"(?:мои|моих) (?:знания|знаний|данные|данных)[^.!?\n]{{0,40}}(?:до|по|{_YEAR})",
)
PRESETS: Final[dict[str, tuple[str, ...]]] = {"provider_identity": _IDENTITY, "knowledge_cutoff": _CUTOFF}


Expressions = Annotated[
    tuple[Expression, ...],
    one_or_many(str),
]


class PatternFilter(Filter):
    r"""Drop or keep conversations in which an expression is found.

        - pattern_filter: {presets: [provider_identity, knowledge_cutoff]}
        - pattern_filter: {patterns: ['(?i)\bas an ai language model\b'], on: response}
        - pattern_filter: {patterns: ['\b(def|class|import)\b'], action: keep}

    Expressions are those of RE2, which always take time linear in the text; write `(?i)` to
    ignore case. `provider_identity` finds assistants that say they are, or were made by, a
    known model or provider, but not other text about these; `knowledge_cutoff` finds those
    that say when their knowledge ends. Both know about ten languages.
    Evidence: the expression, and the text that it found.
    """

    requires: ClassVar = ("google-re2",)
    evidence: ClassVar[Evidence] = {"pattern": pl.String, "found": pl.String}

    patterns: Expressions = Field((), description="RE2 expressions")
    presets: tuple[Preset, ...] = Field((), description="Sets of expressions that come with the program")
    on: On = Field("response", description="Which messages are searched")
    action: Decides[Literal["keep", "drop"]] = Field(
        "drop", description="Keep or drop rows in which an expression is found"
    )

    @model_validator(mode="after")
    def _something(self) -> PatternFilter:
        if not self.patterns and not self.presets:
            raise ValueError("give 'patterns' or 'presets'; there is nothing to search for")
        return self

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Columns `pattern` (the expression, or the preset's name) and `found`, String; null if none is found."""
        names, expressions, search = _compiled(self.patterns, self.presets)
        patterns: list[str | None] = []
        found: list[str | None] = []
        for texts in rows.texts(self.on).by_row():
            hit = next(((text, min(hits)) for text in texts if (hits := search.Match(text))), None)
            match = expressions[hit[1]].search(hit[0]) if hit else None
            patterns.append(names[hit[1]] if hit else None)
            found.append(match.group()[:SHOWN_CHARACTERS] if match else None)
        return pl.DataFrame({"pattern": patterns, "found": found}, schema=dict(self.evidence))

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        is_found = pl.col("pattern").is_not_null()
        if self.action == "keep":
            return drop(measures, ~is_found, reason="no pattern found", evidence=["pattern", "found"])
        return drop(measures, is_found, reason="pattern found", evidence=["pattern", "found"])


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...], presets: tuple[str, ...]) -> tuple[list[str], list[Any], Any]:
    """Names, expressions, and a set that searches for all of them in one pass."""
    of_presets = [(preset, f"(?i){text}") for preset in presets for text in PRESETS[preset]]
    named = [*((text, text) for text in patterns), *of_presets]
    search = re2.Set.SearchSet(options())
    for _, text in named:
        search.Add(text)
    search.Compile()
    return [name for name, _ in named], [re2.compile(text, options()) for _, text in named], search
