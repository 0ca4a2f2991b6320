"""URL deduplication: one of every group of documents that come from the same address."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from workbench_plugins.filters.document_dedup import META, DocumentDedup, Keep
from workbench_plugins.filters.exact_dedup import digest_texts, drops_of_equal
from workbench_plugins.filters.url_normal_form import UrlOptions, normal_form

from workbench.api import DataError, Field

REASON = "duplicate-url"
# Parameters that say where a reader came from, or which session it is, and never which page: those of analytics, of
# advertisements (Google, Microsoft, Meta, TikTok, Yandex, X), of mailings and of shops and video sites that tag shared links.
TRACKING = (
    "utm_*",
    "fbclid",
    "gclid",
    "dclid",
    "gbraid",
    "wbraid",
    "gad_source",
    "srsltid",
    "msclkid",
    "yclid",
    "ysclid",
    "twclid",
    "ttclid",
    "igshid",
    "igsh",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "vero_id",
    "oly_anon_id",
    "oly_enc_id",
    "spm",
    "scm",
    "vd_source",
    "share_source",
    "share_medium",
    "share_token",
    "phpsessid",
    "jsessionid",
)


class UrlDedup(DocumentDedup):
    """Keep one of every group of documents whose URLs have the same normal form.

    The normal form follows RFC 3986, section 6.2: case of scheme and host, default ports, percent-encoding, `.` and
    `..`, internationalised hosts. The settings say what else does not count. Documents without a URL stay. `keep`
    chooses the document that stays: the `first` by id, the `longest` text, or the best by a column or signal (`by`).
    """

    version: ClassVar[int] = 1
    keep: Keep = Field("first", description="which document of a group stays")
    url: str = Field("meta.url", min_length=1, description="where the URL stands: a column, or meta.KEY")
    ignore_scheme: bool = Field(True, description="http and https are the same")
    ignore_www: bool = Field(True, description="`www.` before the host does not count")
    ignore_fragment: bool = Field(True, description="what stands behind `#` does not count, but for `#!`")
    ignore_trailing_slash: bool = Field(True, description="slashes at the end of the path do not count")
    ignore_index: bool = Field(False, description="`index.html` and its like at the end of the path do not count")
    ignore_query: bool = Field(False, description="no parameter counts")
    ignore_parameters: tuple[str, ...] = Field(
        TRACKING, description="names of parameters that do not count, without case; `*` stands for anything"
    )
    ignore_parameter_order: bool = Field(True, description="the order of parameters does not count")
    ignore_path_case: bool = Field(False, description="case in the path and the parameters does not count")

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, what decides which one stays, and a digest of the URL; documents without a URL have no row."""
        forms = normal_form(self._urls(batch), self._options())
        digests = digest_texts(forms)
        columns = {**self.deciding(batch), "digest_high": digests[:, 0], "digest_low": digests[:, 1]}
        return pl.DataFrame(columns).filter(forms.is_not_null())

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return all but one document of every group of equal URLs."""
        return drops_of_equal(sketches, self.order).with_columns(reason=pl.lit(REASON))

    def _urls(self, batch: pl.DataFrame) -> pl.Series:
        if self.url in batch.columns and batch.schema[self.url] == pl.String:
            return batch[self.url]
        if self.url.startswith(META):
            path = "$['" + self.url.removeprefix(META).replace("'", "\\'") + "']"
            return batch["meta"].str.json_path_match(path)
        texts = [name for name, kind in batch.schema.items() if kind == pl.String and name not in {"id", "text"}]
        raise DataError(
            f"the corpus has no text column {self.url!r}",
            expected=f"one of {', '.join(texts)}, or meta.KEY",
            advice="name the column that holds the URL in `url`",
        )

    def _options(self) -> UrlOptions:
        return UrlOptions(
            scheme=self.ignore_scheme,
            www=self.ignore_www,
            fragment=self.ignore_fragment,
            trailing_slash=self.ignore_trailing_slash,
            index=self.ignore_index,
            query=self.ignore_query,
            parameters=self.ignore_parameters,
            parameter_order=self.ignore_parameter_order,
            path_case=self.ignore_path_case,
        )
