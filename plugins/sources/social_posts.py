"""What a line of a social media dump is, and what it says: Reddit-style objects, tweets of API v1.1 and v2.

Sources: Pushshift's dumps (Baumgartner et al. 2020, tables 1 and 2) for submissions and comments; the data dictionaries
of the tweet object (v1.1, extended mode) and of API v2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from workbench_plugins.sources.json_records import NotARecord, name_of_type

Kind = Literal["submission", "comment", "tweet"]
KINDS: tuple[Kind, ...] = ("submission", "comment", "tweet")
Record = dict[str, Any]

_GONE = {
    "[deleted]": "deleted",
    "[deleted by user]": "deleted",
    "[removed]": "removed",
    "[ removed by reddit ]": "removed",
    "[removed by reddit]": "removed",
}
_NOTICES = ("limit", "scrub_geo", "status_withheld", "user_withheld", "disconnect", "warning")  # of streams
_OF_TWEETS = (
    "full_text",
    "extended_tweet",
    "retweeted_status",
    "id_str",
    "author_id",
    "edit_history_tweet_ids",
    "public_metrics",
    "conversation_id",
    "in_reply_to_status_id",
    "referenced_tweets",
    "note_tweet",
    "favorite_count",
)


@dataclass(frozen=True, slots=True)
class Post:
    """One post.

    Attributes:
        kind: What it is.
        text: Its text, None where there is none.
        meta: What else is known.
        title: Of a submission.
        author: The name of the account; never written as it is.
        gone: `deleted` or `removed` for a post that was taken back, `notice` for what is no post.
        is_retweet: Whether it repeats another.
    """

    kind: Kind
    text: str | None
    meta: Record = field(default_factory=dict)
    title: str = ""
    author: str = ""
    gone: str | None = None
    is_retweet: bool = False


def posts_of(record: Record) -> list[Post]:
    """Return the posts of one line. Raises `NotARecord` for what is no post of a known kind."""
    if "selftext" in record or ("title" in record and "subreddit" in record):
        return [_submission(record)]
    if "body" in record:
        return [_comment(record)]
    if "delete" in record and isinstance(record["delete"], dict):
        status = record["delete"].get("status")
        return [Post("tweet", None, {"post_id": _id(status if isinstance(status, dict) else {})}, gone="deleted")]
    if len(record) == 1 and next(iter(record)) in _NOTICES:
        return [Post("tweet", None, gone="notice")]
    if "data" in record and isinstance(record["data"], (dict, list)):
        return _page(record)
    if isinstance(record.get("meta"), dict) and record["meta"].get("result_count") == 0:
        return []
    if any(name in record for name in _OF_TWEETS) and ("full_text" in record or "text" in record):
        is_v2 = "author_id" in record or "edit_history_tweet_ids" in record or "public_metrics" in record
        return [_tweet_v2(record, {}, {}) if is_v2 else _tweet(record)]
    raise NotARecord(
        "not-a-post", f"neither submission, comment nor tweet: its fields are {', '.join(list(record)[:8]) or 'none'}"
    )


def _submission(record: Record) -> Post:
    title, text = _text(record, "title") or "", _text(record, "selftext")
    by = record.get("removed_by_category")
    gone = _marker(text) or _marker(title) or (("deleted" if by == "deleted" else "removed") if by else None)
    meta = {
        "post_id": _id(record),
        "created": _seconds(record.get("created_utc")),
        "score": _number(record.get("score")),
        "subreddit": _string(record.get("subreddit")),
        "num_comments": _number(record.get("num_comments")),
        "url": "" if record.get("is_self") else _string(record.get("url")),
        "flair": _string(record.get("link_flair_text")),
        "nsfw": record.get("over_18") is True or None,
    }
    return Post("submission", _unescaped(text), meta, _unescaped(title) or "", _author(record.get("author")), gone)


def _comment(record: Record) -> Post:
    text = _text(record, "body")
    meta = {
        "post_id": _id(record),
        "created": _seconds(record.get("created_utc")),
        "score": _number(record.get("score")),
        "subreddit": _string(record.get("subreddit")),
        "reply_to": _string(record.get("parent_id")),
        "thread": _string(record.get("link_id")),
    }
    return Post("comment", _unescaped(text), meta, "", _author(record.get("author")), _marker(text))


def _tweet(record: Record) -> Post:
    """Return a tweet of the classic form; a retweet has the whole text of what it repeats."""
    repeated = record.get("retweeted_status")
    user = record.get("user")
    meta = {
        "post_id": _id(record),
        "created": _classic_time(record.get("created_at")),
        "score": _number(record.get("favorite_count")),
        "retweets": _number(record.get("retweet_count")),
        "language": _language(record.get("lang")),
        "reply_to": _string(record.get("in_reply_to_status_id_str")),
        "quotes": _string(record.get("quoted_status_id_str")),
        "nsfw": record.get("possibly_sensitive") is True or None,
    }
    is_retweet = isinstance(repeated, dict)
    text = _classic_text(repeated if isinstance(repeated, dict) else record)
    author = _author(user.get("screen_name")) if isinstance(user, dict) else ""
    return Post("tweet", _unescaped(text), meta, "", author, None, is_retweet)


def _classic_text(record: Record) -> str | None:
    extended = record.get("extended_tweet")
    if isinstance(extended, dict) and "full_text" in extended:
        return _text(extended, "full_text")
    return _text(record, "full_text" if "full_text" in record else "text")


def _page(record: Record) -> list[Post]:
    """Return the tweets of an answer of API v2, one or many."""
    data = record["data"]
    included = record.get("includes")
    included = included if isinstance(included, dict) else {}
    users = _by_id(included.get("users"))
    tweets = _by_id(included.get("tweets"))
    found = data if isinstance(data, list) else [data]
    if not all(isinstance(tweet, dict) and "text" in tweet for tweet in found):
        raise NotARecord("not-a-post", "`data` holds something that is no tweet with a text")
    return [_tweet_v2(tweet, users, tweets) for tweet in found]


def _tweet_v2(record: Record, users: dict[str, Record], tweets: dict[str, Record]) -> Post:
    listed = record.get("referenced_tweets")
    referenced = {
        _string(item.get("type")): _string(item.get("id"))
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    }
    metrics = record.get("public_metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    author = _string(record.get("author_id"))
    meta = {
        "post_id": _id(record),
        "created": _iso_time(record.get("created_at")),
        "score": _number(metrics.get("like_count")),
        "retweets": _number(metrics.get("retweet_count")),
        "language": _language(record.get("lang")),
        "thread": _string(record.get("conversation_id")),
        "reply_to": referenced.get("replied_to", ""),
        "quotes": referenced.get("quoted", ""),
        "nsfw": record.get("possibly_sensitive") is True or None,
    }
    whole = tweets.get(referenced.get("retweeted", ""), record)
    note = whole.get("note_tweet")
    text = _text(note, "text") if isinstance(note, dict) and "text" in note else _text(whole, "text")
    name = _author(users.get(author, {}).get("username")) or author
    return Post("tweet", _unescaped(text), meta, "", name, None, "retweeted" in referenced)


def _by_id(listed: Any) -> dict[str, Record]:
    found = listed if isinstance(listed, list) else []
    return {_id(item): item for item in found if isinstance(item, dict) and _id(item)}


def _text(record: Record, name: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise NotARecord("text-not-string", f"the field {name!r} is {name_of_type(value)}")
    return value


def _unescaped(text: str | None) -> str | None:
    """Undo the three escapes that both services write into texts."""
    if text is None or "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _marker(text: str | None) -> str | None:
    return _GONE.get((text or "").strip().lower()) if text and len(text) < 40 else None  # noqa: PLR2004  # longest mark


def _id(record: Record) -> str:
    return _string(record.get("id_str")) or _string(record.get("id"))


def _string(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _author(value: Any) -> str:
    return value if isinstance(value, str) and value and _marker(value) is None else ""


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _language(value: Any) -> str:
    return "" if value in ("und", "zxx", None) else _string(value)


def _seconds(value: Any) -> str:
    """Return seconds since 1970 as ISO 8601, empty for what is no time."""
    try:
        return datetime.fromtimestamp(int(float(value)), UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _classic_time(value: Any) -> str:
    """Return `Wed Oct 10 20:19:24 +0000 2018` as ISO 8601, whatever the language of this machine."""
    parts = _string(value).split()
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    try:
        _, month, day, clock, zone, year = parts
        text = f"{int(year):04}-{months.index(month) + 1:02}-{int(day):02}T{clock}{zone}"
    except ValueError:
        text = _string(value)
    return _iso_time(text)


def _iso_time(value: Any) -> str:
    """Return a time of ISO 8601 as one of UTC, which it is taken for where it names no zone; empty for what is none."""
    try:
        time = datetime.fromisoformat(_string(value))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""
