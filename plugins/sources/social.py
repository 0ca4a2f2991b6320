"""Social media: Reddit-style submissions and comments, and tweets of both APIs, as JSON Lines.

What a line is follows from its fields, so dumps of several kinds can be read together. Names of people are left out
unless they are asked for, and then replaced: a number that follows from the name and a key that only the user has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl
from pydantic import model_validator
from workbench_plugins.sources.frames import Document, framed
from workbench_plugins.sources.json_records import NotARecord, parse_object
from workbench_plugins.sources.pseudonyms import REFERENCE, Pseudonyms, key_digest
from workbench_plugins.sources.social_posts import KINDS, Kind, Post, posts_of

from workbench.api import BadRecord, Context, Field, FileSource, Line, document_id, read_lines

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

TEXT_KEYS = (b'"body"', b'"selftext"', b'"title"', b'"full_text"')


class Social(FileSource):
    """Read Reddit-style dumps (submissions: title and selftext; comments: body) and tweets, plain or compressed.

    Tweets come in the classic form (`full_text`, `extended_tweet`, `text`) and in that of API v2 (`data`, one or many
    to a line, `note_tweet` for long ones). `&lt; &gt; &amp;` become the signs they stand for. meta has `kind`,
    `post_id`, `created` (UTC, ISO 8601), `score`, `subreddit`, `reply_to`, `thread`, `language`, `url`, `nsfw` where
    they are known.

    Rejected with a reason: `deleted` and `removed` posts, `retweet` unless `retweets`, `other-kind` for what `kinds`
    leaves out. A line that is none of these posts is a bad record (`not-a-post`). Retweets are read with the whole
    text of the tweet they repeat, where it is there.

    Authors are left out. With `authors: pseudonym`, meta has `author`, 16 hexadecimal digits that follow from the
    name and from the key in the environment variable named by `salt`; names within texts are left to `filter/pii`.
    """

    version: ClassVar[int] = 1
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="kinds of posts to read")
    retweets: bool = Field(False, description="read retweets too")
    join_title: bool = Field(True, description="begin the text of a submission with its title, else it is in meta")
    authors: Literal["none", "pseudonym"] = Field("none", description="what meta says of authors")
    salt: str | None = Field(None, description="${env:NAME}: the variable that holds the key of pseudonyms")

    @model_validator(mode="after")
    def _has_a_key_for_pseudonyms(self) -> Self:
        if self.salt is not None and not REFERENCE.fullmatch(self.salt):
            raise ValueError("salt must be written ${env:NAME}; the key itself never stands in a pipeline")
        if (self.authors == "pseudonym") != (self.salt is not None):
            raise ValueError("authors: pseudonym needs salt: ${env:NAME}, and nothing else takes one")
        return self

    def digests(self, base: Path, digest: Any) -> dict[str, str]:
        """Return the name and digest of every file, and one of the key of pseudonyms."""
        key = {} if self.salt is None else {self.salt: key_digest(self.salt, self.component_id)}
        return {**super().digests(base, digest), **key}

    def read(self, ctx: Context) -> Iterator[pl.DataFrame | BadRecord]:
        """Yield the posts of every file, in the order of names and lines."""
        yield from framed(self._documents(ctx))

    def _documents(self, ctx: Context) -> Iterator[Document | BadRecord]:
        pseudonyms = None if self.salt is None else Pseudonyms(self.salt, self.component_id)
        for name, path, identity in self.identified_files(ctx.base):
            for line in read_lines(path, name):
                if isinstance(line, BadRecord):
                    yield line
                elif line.content and not line.content.isspace():
                    for mark, post in _posts(line, name):
                        if isinstance(post, BadRecord):
                            yield post
                        else:
                            yield self._document(post, document_id(identity, mark), f"{name}:{mark}", pseudonyms)

    def _document(self, post: Post, identity: str, source: str, pseudonyms: Pseudonyms | None) -> Document:
        meta = {"kind": post.kind, **post.meta}
        if pseudonyms is not None and post.author:
            meta["author"] = pseudonyms.of(post.author)
        text = post.text
        if post.title and self.join_title:
            text = f"{post.title}\n\n{text}" if text else post.title
        elif post.title:
            meta["title"] = post.title
        return Document(identity, text, source, meta, self._turned_away(post))

    def _turned_away(self, post: Post) -> str | None:
        if post.kind not in self.kinds:
            return "other-kind"
        if post.gone:
            return post.gone
        return "retweet" if post.is_retweet and not self.retweets else None


def _posts(line: Line, name: str) -> Iterator[tuple[str, Post | BadRecord]]:
    """Yield the posts of one line, each with its place; a line of several counts them from 1."""
    try:
        posts = posts_of(parse_object(line.content, TEXT_KEYS))
    except NotARecord as fault:
        place = f"line {line.number}"
        yield (
            place,
            BadRecord.of(line.content, file=name, place=place, reason=fault.reason, detail=fault.detail),
        )
        return
    for number, post in enumerate(posts, 1):
        yield (f"{line.number}" if len(posts) == 1 else f"{line.number}.{number}"), post
