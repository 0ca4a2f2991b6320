"""The language of a text."""

import polars as pl
import pytest
from pydantic import ValidationError
from workbench_plugins.filters.language import LANGUAGES, Language, LanguageModel, LanguageTag, identifier

TEXTS = {
    "en": "The committee met on Tuesday and agreed that the bridge should be repaired before winter.",
    "zh": "委员会星期二开会，决定在冬天之前修好这座桥，并且把费用控制在预算之内。",
    "de": "Der Ausschuss trat am Dienstag zusammen und beschloss, die Brücke vor dem Winter zu reparieren.",
    "fr": "Le comité s'est réuni mardi et a décidé que le pont serait réparé avant l'hiver.",
    "es": "El comité se reunió el martes y decidió que el puente debía repararse antes del invierno.",
    "ru": "Комитет собрался во вторник и решил, что мост нужно починить до зимы.",
    "ja": "委員会は火曜日に開かれ、冬になる前に橋を修理することを決めました。",
    "ko": "위원회는 화요일에 모여 겨울이 오기 전에 다리를 고치기로 결정했다.",
    "ar": "اجتمعت اللجنة يوم الثلاثاء وقررت إصلاح الجسر قبل حلول الشتاء.",
    "hi": "समिति की बैठक मंगलवार को हुई और यह तय हुआ कि सर्दियों से पहले पुल की मरम्मत होगी।",
    "th": "คณะกรรมการประชุมเมื่อวันอังคารและตัดสินใจซ่อมสะพานก่อนฤดูหนาว",
    "he": "הוועדה התכנסה ביום שלישי והחליטה לתקן את הגשר לפני החורף.",
}


def measured(texts, **options):
    return LanguageModel(**options).compute(pl.DataFrame({"text": texts}, schema={"text": pl.String}))


def test_languages_of_many_scripts():
    """A sentence of each is told, surely."""
    found = measured(list(TEXTS.values()))
    assert found["language"].to_list() == list(TEXTS)
    assert found["language_probability"].min() > 0.5


def test_the_list_of_languages_is_the_model_s():
    """So that a setting can be checked without reading it."""
    assert set(identifier().labels) == LANGUAGES
    assert len(LANGUAGES) >= 29


def test_a_text_without_letters_shows_no_language():
    """Numbers, signs, nothing, null."""
    assert measured(["12 345.67 %", "!!!", "", None])["language"].to_list() == ["und"] * 4


def test_only_the_beginning_is_looked_at():
    """So that a page of ten megabytes costs what a page of one kilobyte costs."""
    text = TEXTS["de"] * 3 + TEXTS["zh"] * 500
    assert measured([text], characters=200)["language"].to_list() == ["de"]


def test_rules():
    """Other languages go under their reason; null rules keep everything."""
    signals = measured([TEXTS["en"], TEXTS["zh"], "ok"])
    rules = Language(keep=("zh", "en"), min_probability=0.9).rules()
    assert signals.select(rules["other-language"]).to_series().to_list()[:2] == [False, False]
    assert signals.select(Language(keep=("fr",)).rules()["other-language"]).to_series().to_list()[:2] == [True, True]
    assert "other-language" not in Language().rules()


def test_a_language_that_is_none_is_refused():
    """With what a code looks like."""
    with pytest.raises(ValidationError, match="unknown language 'english'"):
        Language(keep=("english",))


def test_the_tag_is_a_column():
    """Texts stay as they are; what is not sure is `und` and counted."""
    batch = pl.DataFrame({"id": ["a", "b"], "text": [TEXTS["fr"], "123"], "source": "s", "meta": "{}"})
    result = LanguageTag().rewrite(batch)
    assert result.batch["language"].to_list() == ["fr", "und"]
    assert result.batch["text"].equals(batch["text"])
    assert result.edits["undetermined"].to_list() == [0, 1]
