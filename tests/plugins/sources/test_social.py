"""Social media: what a line is, what of it becomes text, who is never named, what is turned away."""

import gzip
import json
import time

import pytest
import zstandard
from pydantic import ValidationError
from workbench_plugins.sources.social import Social

from workbench.errors import DataError, EnvironmentProblem
from workbench.files.digest import digest_file
from workbench.testing.trials import trial

SUBMISSION = {
    "id": "abc",
    "title": "Ask: is 5 &lt; 6?",
    "selftext": "I think so &amp; hope.",
    "subreddit": "math",
    "score": -3,
    "author": "Gauss",
    "created_utc": 1136214245,
    "is_self": True,
    "url": "https://www.example.org/r/math/abc",
    "over_18": False,
    "num_comments": 2,
}
COMMENT = {
    "id": "c1",
    "body": "是的，5小于6。",
    "subreddit": "math",
    "author": "Gauss",
    "created_utc": "1136214245",
    "parent_id": "t3_abc",
    "link_id": "t3_abc",
    "score": 7,
}
CLASSIC = {
    "id": 1050118621198921728,
    "id_str": "1050118621198921728",
    "created_at": "Wed Oct 10 20:19:24 +0000 2018",
    "text": "Beginning of a long tw…",
    "truncated": True,
    "extended_tweet": {"full_text": "Beginning of a long tweet &amp; its end"},
    "user": {"screen_name": "TwitterDev"},
    "lang": "en",
    "favorite_count": 5,
    "retweet_count": 2,
}
RETWEET = {
    "id_str": "9",
    "text": "RT @a: cut…",
    "user": {"screen_name": "b"},
    "retweeted_status": {"id_str": "8", "full_text": "the whole text"},
}
PAGE = {
    "data": [
        {
            "id": "1",
            "text": "short…",
            "note_tweet": {"text": "long, whole"},
            "author_id": "7",
            "created_at": "2023-04-01T12:00:00.000Z",
            "lang": "zxx",
            "public_metrics": {"like_count": 4, "retweet_count": 1},
            "conversation_id": "1",
        },
        {"id": "2", "text": "RT @x: cut…", "referenced_tweets": [{"type": "retweeted", "id": "5"}]},
    ],
    "includes": {"users": [{"id": "7", "username": "gauss"}], "tweets": [{"id": "5", "text": "what was repeated"}]},
}


def read(folder, *records, name="data.jsonl", pack=lambda content: content, **settings):
    folder.mkdir(exist_ok=True)
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    (folder / name).write_bytes(pack(b"\n".join(lines) + b"\n"))
    corpus = trial(Social(paths=(name,), **{"max_bad_share": 1.0, **settings}), {}, folder)
    assert corpus.ledger.read == corpus.ledger.kept + corpus.ledger.rejected.total() + corpus.ledger.quarantined
    return corpus


def texts(corpus):
    return corpus.scan().collect()["text"].to_list()


def meta(corpus):
    return [json.loads(value) for value in corpus.scan().collect()["meta"]]


def test_a_submission_is_its_title_and_its_text(tmp_path):
    """The three escapes are undone; time is UTC, 1136214245 is 2006-01-02 15:04:05; a text post has no url."""
    corpus = read(tmp_path, SUBMISSION)
    assert texts(corpus) == ["Ask: is 5 < 6?\n\nI think so & hope."]
    assert meta(corpus) == [
        {
            "kind": "submission",
            "post_id": "abc",
            "created": "2006-01-02T15:04:05+00:00",
            "score": -3,
            "subreddit": "math",
            "num_comments": 2,
        }
    ]


def test_a_title_can_stay_beside_the_text(tmp_path):
    """A link without a text is its title, or, without titles, a document with nothing in it."""
    link = {**SUBMISSION, "selftext": "", "is_self": False}
    assert texts(read(tmp_path / "joined", link)) == ["Ask: is 5 < 6?"]
    apart = read(tmp_path / "apart", SUBMISSION, link, join_title=False)
    assert texts(apart) == ["I think so & hope."]
    assert meta(apart)[0]["title"] == "Ask: is 5 < 6?"
    assert dict(apart.ledger.rejected) == {"empty": 1}


def test_a_comment_knows_its_thread(tmp_path):
    """Seconds may be text."""
    corpus = read(tmp_path, COMMENT)
    assert texts(corpus) == ["是的，5小于6。"]
    assert meta(corpus)[0]["created"] == "2006-01-02T15:04:05+00:00"
    assert (meta(corpus)[0]["reply_to"], meta(corpus)[0]["thread"]) == ("t3_abc", "t3_abc")


@pytest.mark.parametrize(
    "tweet, text",
    [
        (CLASSIC, "Beginning of a long tweet & its end"),
        ({"id_str": "1", "full_text": "extended mode", "text": "x"}, "extended mode"),
        ({"id_str": "1", "text": "短推文"}, "短推文"),
        ({"data": {"id": "1", "text": "one by itself"}}, "one by itself"),
        ({"id": "1", "text": "bare", "edit_history_tweet_ids": ["1"]}, "bare"),
    ],
)
def test_tweets_give_their_longest_text(tmp_path, tweet, text):
    """Whatever the form."""
    assert texts(read(tmp_path, tweet)) == [text]


def test_a_classic_tweet_has_its_numbers_and_time(tmp_path):
    """In ISO 8601, and no name."""
    assert meta(read(tmp_path, CLASSIC)) == [
        {
            "kind": "tweet",
            "post_id": "1050118621198921728",
            "created": "2018-10-10T20:19:24+00:00",
            "score": 5,
            "retweets": 2,
            "language": "en",
        }
    ]


def test_a_page_of_api_v2_is_many_tweets(tmp_path):
    """Each with its place in the line; a retweet is turned away or read with the text it repeats."""
    corpus = read(tmp_path / "without", PAGE)
    frame = corpus.scan().collect()
    assert (texts(corpus), frame["source"].to_list()) == (["long, whole"], ["data.jsonl:1.1"])
    assert "language" not in meta(corpus)[0]
    assert dict(corpus.ledger.rejected) == {"retweet": 1}
    assert texts(read(tmp_path / "with", PAGE, RETWEET, retweets=True)) == [
        "long, whole",
        "what was repeated",
        "the whole text",
    ]


GONE = {
    "comment-deleted": ({**COMMENT, "body": "[deleted]"}, "deleted"),
    "comment-removed": ({**COMMENT, "body": "[removed]"}, "removed"),
    "by-the-site": ({**COMMENT, "body": "[ Removed by Reddit ]"}, "removed"),
    "submission": ({**SUBMISSION, "selftext": "[removed]"}, "removed"),
    "title": ({**SUBMISSION, "title": "[deleted by user]"}, "deleted"),
    "text-left-by-moderators": ({**SUBMISSION, "removed_by_category": "moderator"}, "removed"),
    "text-left-by-author": ({**SUBMISSION, "removed_by_category": "deleted"}, "deleted"),
    "tweet": ({"delete": {"status": {"id": 5, "id_str": "5", "user_id": 3}}}, "deleted"),
    "notice": ({"limit": {"track": 5}}, "notice"),
    "other-kind": (CLASSIC, "other-kind"),
}


@pytest.mark.parametrize("case", GONE)
def test_what_was_taken_back_is_rejected_with_its_reason(tmp_path, case):
    """Also where a dump still has the text."""
    record, reason = GONE[case]
    kinds = ("submission", "comment") if case == "other-kind" else ("submission", "comment", "tweet")
    corpus = read(tmp_path, record, COMMENT, kinds=kinds)
    assert (corpus.ledger.kept, dict(corpus.ledger.rejected)) == (1, {reason: 1})
    assert corpus.rejects().collect()["reason"].to_list() == [reason]


BAD = {
    "no-post": ({"name": "x"}, "not-a-post"),
    "empty": ({}, "not-a-post"),
    "plain-text": ({"text": "a line of some other set"}, "not-a-post"),
    "number": ({**COMMENT, "body": 5}, "text-not-string"),
    "tweet-list": ({"id_str": "1", "text": ["x"]}, "text-not-string"),
    "page-of-no-tweets": ({"data": [1, 2]}, "not-a-post"),
    "list": (b"[]", "not-an-object"),
    "cut": (b'{"body": "a', "invalid-json"),
    "byte": (b'{"body": "a\xff"}', "invalid-utf8"),
    "twice": (b'{"body": "a", "body": "b"}', "duplicate-key"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_post_is_a_bad_record(tmp_path, case):
    """At its line; the posts around it are kept."""
    record, reason = BAD[case]
    corpus = read(tmp_path, COMMENT, record, SUBMISSION)
    (row,) = corpus.quarantine().collect().to_dicts()
    assert (row["place"], row["reason"], corpus.ledger.kept) == ("line 2", reason, 2)


@pytest.mark.parametrize("value", [None, "soon", 1e300, -1e300, [], {}, True])
def test_odd_values_beside_the_text_cost_nothing(tmp_path, value):
    """They are left out."""
    odd = dict.fromkeys((*COMMENT, *SUBMISSION), value)
    corpus = read(
        tmp_path, {**odd, "body": "a", "title": None, "selftext": "b"}, {**dict.fromkeys(CLASSIC, value), "text": "c"}
    )
    assert corpus.ledger.read == 2
    assert corpus.ledger.quarantined == 0


def test_no_name_is_written_unless_asked_for(tmp_path):
    """Not even in the rejects."""
    corpus = read(tmp_path, SUBMISSION, COMMENT, CLASSIC, PAGE, {**COMMENT, "body": "[deleted]"})
    written = str(corpus.scan().collect().to_dicts()) + str(corpus.rejects().collect().to_dicts())
    assert not [name for name in ("Gauss", "gauss", "TwitterDev") if name in written]


def test_a_pseudonym_follows_from_name_and_key(tmp_path, monkeypatch):
    """The same for one author everywhere; another key gives another, and another fingerprint."""
    monkeypatch.setenv("SOCIAL_KEY", "one")
    settings = {"authors": "pseudonym", "salt": "${env:SOCIAL_KEY}"}
    corpus = read(tmp_path / "one", SUBMISSION, COMMENT, PAGE, {**COMMENT, "author": "[deleted]"}, **settings)
    first = [row.get("author") for row in meta(corpus)]
    assert len(set(first[:3])) == 1  # "Gauss" and "gauss" are one account
    assert len(first[0]) == 16
    assert first[3] is None
    source = Social(paths=("data.jsonl",), **settings)
    before = source.digests(tmp_path / "one", digest_file)
    monkeypatch.setenv("SOCIAL_KEY", "two")
    assert meta(read(tmp_path / "two", SUBMISSION, **settings))[0]["author"] != first[0]
    assert source.digests(tmp_path / "one", digest_file) != before
    monkeypatch.delenv("SOCIAL_KEY")
    with pytest.raises(EnvironmentProblem, match="SOCIAL_KEY"):
        read(tmp_path / "three", SUBMISSION, **settings)


@pytest.mark.parametrize(
    "settings", [{"authors": "pseudonym"}, {"salt": "${env:X}"}, {"authors": "pseudonym", "salt": "secret"}]
)
def test_a_key_is_never_written_into_a_pipeline(settings):
    """And pseudonyms need one."""
    with pytest.raises(ValidationError, match="salt"):
        Social(paths=("x",), **settings)


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress, zstandard.compress])
def test_dumps_are_read_compressed(tmp_path, pack):
    """Told by their bytes; one cut short is damaged."""
    assert read(tmp_path / "whole", COMMENT, SUBMISSION, name="dump", pack=pack).ledger.kept == 2
    if pack(b"") != b"":
        with pytest.raises(DataError, match="allow_damaged"):
            read(tmp_path / "cut", COMMENT, name="dump", pack=lambda content: pack(content * 50)[:-4])


def test_a_time_without_a_zone_is_utc(tmp_path, monkeypatch):
    """Wherever the machine stands."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    corpus = read(tmp_path, {"data": [{"id": "1", "text": "a", "created_at": "2020-01-01 00:00:00"}]})
    monkeypatch.undo()
    time.tzset()
    assert meta(corpus)[0]["created"] == "2020-01-01T00:00:00+00:00"


def test_a_tweet_that_repeats_none_keeps_its_text(tmp_path):
    """Even where something without an id comes with it."""
    record = {"data": [{"id": "1", "text": "own"}], "includes": {"tweets": [{"text": "of another"}]}}
    assert texts(read(tmp_path, record)) == ["own"]
