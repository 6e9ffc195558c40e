"""Drop rows in languages that are not wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from tulu_data.errors import UsageError, did_you_mean, printable
from tulu_data.stage import Decides, Share
from tulu_data.text import language_id
from tulu_data.text.language_id import UNDETERMINED
from tulu_data.text.languages import Identifying
from tulu_data.verdicts import Evidence, drop

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace

_NAMES: Final = {
    "arabic": "ar", "bengali": "bn", "bulgarian": "bg", "catalan": "ca", "chinese": "zh", "croatian": "hr",
    "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi",
    "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu",
    "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko", "mandarin": "zh", "norwegian": "no",
    "persian": "fa", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "serbian": "sr",
    "slovak": "sk", "spanish": "es", "swahili": "sw", "swedish": "sv", "thai": "th", "turkish": "tr",
    "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi",
}  # fmt: skip


class LanguageFilter(Identifying):
    """Keep rows in some languages, and write the column `language`.

        - language_filter: {keep: [en]}
        - language_filter: {keep: [en, de, zh], min_share: 0.8, undetermined: drop}
        - language_filter: {drop: [zh]}

    Languages are found as by the stage `language`, with the same options. Rows whose language
    is unknown (`und`: little or no prose, such as bare code) are kept unless
    `undetermined: drop`; `reports/language_filter-languages.parquet` counts them separately.
    Evidence: the language, its score, and the part of the letters in that language.
    """

    evidence: ClassVar[Evidence] = {"language": pl.String, "score": pl.Float64, "share": pl.Float64}

    keep: Decides[tuple[str, ...]] = Field((), description="The languages that are kept; others are dropped")
    drop: Decides[tuple[str, ...]] = Field((), description="The languages that are dropped; others are kept")
    min_share: Decides[Share | None] = Field(
        None, description="Drop rows with less than this part of their letters in the row's language"
    )
    undetermined: Decides[Literal["keep", "drop"]] = Field("keep", description="Keep or drop rows that are `und`")

    @model_validator(mode="after")
    def _something(self) -> LanguageFilter:
        if self.keep and self.drop:
            raise ValueError("give 'keep' or 'drop', not both")
        if not self.keep and not self.drop and self.min_share is None and self.undetermined == "keep":
            raise ValueError("nothing would be dropped; give the languages that are kept, as: keep: [en]")
        if UNDETERMINED in (*self.keep, *self.drop):
            raise ValueError("und is not a language; choose what happens to such rows with: undetermined: drop")
        return self

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """Find the model, and check that it knows all languages of the options.

        Raises `UsageError` (exit 2) for a language that it does not know: no row would match it.
        """
        for option in ("keep", "drop"):
            for name in getattr(self, option):
                if name not in language_id.labels():
                    raise UsageError(
                        f"{option}: '{printable(name, 40)}' is not a language of the model{_meant(name)}; "
                        "languages go by their ISO 639-1 codes, such as en, de, zh"
                    )
        return super().prepare(workspace, digest)

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        shown = measures.with_columns(self.label().alias("language"))
        language, is_known = pl.col("language"), pl.col("language") != UNDETERMINED
        others = ~language.is_in(self.keep) if self.keep else language.is_in(self.drop)
        mixed = pl.lit(False) if self.min_share is None else pl.col("share") < float(self.min_share)
        reason = (
            pl.when(~is_known)
            .then(pl.lit("language can't be told"))
            .when(others)
            .then(pl.format("language {}", language))
            .otherwise(pl.lit("in several languages"))
        )
        is_dropped = (is_known & (others | mixed)) | (~is_known & pl.lit(self.undetermined == "drop"))
        evidence = ("language", pl.col("score", "share").cast(pl.Float64).round(4))
        return drop(shown, is_dropped, reason=reason, evidence=evidence)


def _meant(name: str) -> str:
    """The code meant by a name such as `English`, `EN`, `zh-cn` or `eng`, as the end of a message."""
    plain = name.lower().replace("_", "-")
    code = _NAMES.get(plain, plain.partition("-")[0])
    if code in language_id.labels():
        return f"; did you mean '{code}'?"
    return did_you_mean(plain, [*_NAMES]) or did_you_mean(plain, sorted(language_id.labels()))
