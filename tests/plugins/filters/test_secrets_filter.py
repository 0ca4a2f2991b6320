"""Secrets are found whole; nothing that looks real stands in this file: every one is put together when it is needed."""

import random
import string
import time

import polars as pl
import pytest
from pydantic import ValidationError
from workbench_plugins.filters.secrets_filter import PATTERNS, SHAPES, Secrets, entropy

LETTERS = string.ascii_letters + string.digits


def made(count, signs=LETTERS):
    return "".join(random.Random(count).choices(signs, k=count))


B32 = string.ascii_uppercase + "234567"
EXAMPLES = {
    "AWS access key": "AK" + "IA" + made(16, B32),
    "Google API key": "AI" + "za" + made(35),
    "Google OAuth secret": "GOC" + "SPX-" + made(28),
    "Google OAuth token": "ya" + "29." + made(60),
    "Azure account key": "Account" + "Key=" + made(86) + "==",
    "GitHub token": "gh" + "p_" + made(36),
    "GitHub fine-grained token": "github" + "_pat_" + made(22) + "_" + made(59),
    "GitLab token": "gl" + "pat-" + made(20),
    "Slack token": "xo" + "xb-" + made(12, string.digits) + "-" + made(24),
    "Slack webhook": "hooks.slack" + ".com/services/T" + made(9, B32) + "/B" + made(10, B32) + "/" + made(24),
    "Stripe key": "sk" + "_live_" + made(24),
    "OpenAI key": "sk" + "-proj-" + made(64),
    "Anthropic key": "sk" + "-ant-api03-" + made(80),
    "Hugging Face token": "h" + "f_" + made(34),
    "npm token": "np" + "m_" + made(36),
    "PyPI token": "py" + "pi-AgE" + made(80),
    "SendGrid key": "S" + "G." + made(22) + "." + made(43),
    "Telegram bot token": "123456789" + ":AA" + made(33),
    "JSON web token": "ey" + "J" + made(30) + ".ey" + "J" + made(60) + "." + made(43),
}


def block(kind):
    lines = "\n".join(made(64) for _ in range(4))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("around", ["key: {} .", "密钥是{}，请保密。", '"{}"', "{}"])
def test_every_shape_is_found_whole_beside_any_script(name, around):
    text = around.format(EXAMPLES[name])
    start = text.index(EXAMPLES[name])
    [span] = Secrets(entities=["key", "token"]).find(text)
    assert (span.start, span.end) == (start, start + len(EXAMPLES[name]))
    assert span.entity == SHAPES[name][0]


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_private_keys_leave_nothing(kind):
    text = "前文\n" + block(kind) + "\nafter"
    assert run([text]).batch["text"][0] == "前文\n<PRIVATE_KEY>\nafter"
    cut = text.partition("-----END")[0]
    assert made(64) not in run([cut]).batch["text"][0]


def test_public_keys_and_plain_words_stay():
    plain = [
        block("PUBLIC KEY"),
        "sk-learn and hf_hub are packages",
        'password = "' + "example-" + 'password"',
        'password = "<your password>"',
        "password = os.environ['PASSWORD']",
        'token: "aaaaaaaaaaaa"',
        "https://user:password@example.com/",
        "https://example.com:8080/@home",
        "the token is a word",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    ]
    assert run(plain).batch["text"].to_list() == plain


def run(texts, **options):
    return Secrets(**options).rewrite(pl.DataFrame({"id": list(map(str, range(len(texts)))), "text": texts}))


def test_assigned_passwords_and_log_ins():
    value = "q7" + "Zp!t2W"
    assert run([f'db_password = "{value}"']).batch["text"][0] == 'db_password = "<PASSWORD>"'
    assert run([f"数据库密码：“{value}”"]).batch["text"][0] == "数据库密码：“<PASSWORD>”"
    assert run([f"ftp://bob:{value}@host.example/x"]).batch["text"][0] == "ftp://<URL_CREDENTIALS>@host.example/x"
    assert run([f'pwd="{value}"'], min_entropy=3.5).edits["password"][0] == 0


def test_actions_by_entity_and_counts_by_language(monkeypatch):
    monkeypatch.setenv("SECRETS_KEY", "one")
    token = EXAMPLES["GitHub token"]
    batch = pl.DataFrame({"id": ["a", "b"], "text": [token, token + " " + token], "language": ["zh", "xx"]})
    component = Secrets(actions={"token": "hash"}, salt="${env:SECRETS_KEY}", languages=["zh"])
    result = component.rewrite(batch)
    assert result.batch["text"][0].startswith("<TOKEN:")
    assert result.edits["token:zh"].to_list() == [1, 0]
    assert result.edits["token:other"].to_list() == [0, 2]
    dropping = Secrets(action="drop", languages=["zh"])
    rule = dropping.rules()["contains-token"]
    assert dropping.rewrite(batch).edits.select(rule).to_series().to_list() == [True, True]
    with pytest.raises(ValidationError, match="not looked for"):
        Secrets(entities=["key"], actions={"token": "mask"})


def test_empty_and_null_pass():
    assert run([None, ""]).batch["text"].to_list() == [None, ""]


def test_entropy_of_a_uniform_text():
    assert entropy("abcdefgh") == 3


UNITS = [*(example[: len(example) // 2] for example in EXAMPLES.values()), *EXAMPLES.values(), "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nab", "-----BEGIN ", "://a:", "://a:b@", "password = '", "token", "eyJ", "1:AA", "key" + " " * 5]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit):
    """Four times the text takes less than ten times as long, and no unit costs more than 30 µs a character."""

    def seconds(length):
        start = time.process_time()
        run([(unit * length)[:length]])
        return time.process_time() - start

    seconds(100)
    short, long = seconds(8_000), seconds(32_000)
    assert long < 10 * short + 0.05
    assert long < 32_000 * 30e-6


def test_every_pattern_has_an_example():
    assert set(PATTERNS) == set(SHAPES) == set(EXAMPLES)
