"""Chat templates: how a conversation becomes one text.

A template is jinja, kept in `tokenizer_config.json` and rendered by transformers' `apply_chat_template` in a sandbox
that reaches neither files nor attributes of objects. `messages` is a list of `{"role", "content"}`, and
`add_generation_prompt` says that an answer is to follow.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ChatTemplate:
    """A template by name.

    Attributes:
        text: The jinja.
        marks: The special tokens it writes.
    """

    text: str
    marks: tuple[str, ...]


CHATML = ChatTemplate(
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    ("<|im_start|>", "<|im_end|>"),
)
"""Each message between two marks, its role in the first line: what Qwen and many others read. `generation` tells
transformers which tokens the assistant wrote (`return_assistant_tokens_mask`)."""

TEMPLATES = {"chatml": CHATML}


def check_template(template: str) -> None:
    """Raise `ValueError` unless `template` is jinja that says something of `messages`."""
    from jinja2 import TemplateSyntaxError, meta, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}`, which transformers adds to jinja."""

        tags = {"generation"}  # noqa: RUF012  # as jinja declares it

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    environment = ImmutableSandboxedEnvironment(extensions=[Generation, loopcontrols])
    try:
        names = meta.find_undeclared_variables(environment.parse(template))
    except TemplateSyntaxError as error:
        raise ValueError(f"no jinja template: line {error.lineno}: {error.message}") from error
    if "messages" not in names:
        raise ValueError("the template does not use `messages`; it is the name of a template, or jinja")
