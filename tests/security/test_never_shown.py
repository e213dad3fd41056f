"""However a secret is looked at, it is not shown."""

import base64
import copy
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.credentials import Credentials
from security.keyring import KeyRing
from tests.support.canary import holds

KEY, SECRET, PHRASE = "canary-api-key", "canary-secret", "canary phrase"
CREDENTIALS = Credentials(venue="okx", api_key=SecretStr(KEY), secret=SecretStr(SECRET), passphrase=SecretStr(PHRASE))


@pytest.mark.parametrize(
    "look",
    [
        repr,
        str,
        "{}".format,
        lambda it: repr(vars(it)),
        lambda it: str(it.model_dump()),
        lambda it: it.model_dump_json(),
        lambda it: str(dict(it)),
        lambda it: str(pydantic_data_converter.payload_converter.to_payloads([it])),
        lambda it: repr(copy.deepcopy(it)),
    ],
    ids=["repr", "str", "format", "vars", "dump", "json", "dict", "temporal", "copy"],
)
def test_credentials_show_asterisks(look: Callable[[Credentials], str]) -> None:
    shown = look(CREDENTIALS)
    assert "okx" in shown
    assert "canary" not in shown


def test_credentials_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="pass on their name instead"):
        pickle.dumps(CREDENTIALS)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"secret": "canary with spaces"}, id="spaces"),
        pytest.param({"secret": "canary\n"}, id="line-break"),
        pytest.param({"passphrase": " canary"}, id="passphrase"),
        pytest.param({"secret": ["canary"]}, id="type"),
    ],
)
def test_a_refusal_does_not_hold_what_it_refuses(fields: dict[str, object]) -> None:
    given = {"venue": "okx", "api_key": KEY, "secret": SECRET} | fields
    with pytest.raises(ValidationError) as caught:
        Credentials.model_validate(given)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A", "vmPU…Eh8A"),
        ("12345678", "12…78"),
        ("123", "…"),
    ],
)
def test_the_hint_of_an_api_key_shows_half_of_it_at_most(key: str, hint: str) -> None:
    assert CREDENTIALS.model_copy(update={"api_key": SecretStr(key)}).hint == hint


def test_a_ring_shows_the_ids_of_its_keys_only() -> None:
    ring = KeyRing([b"k" * 32])
    assert repr(ring) == str(ring) == "KeyRing(6344478a)"


@pytest.mark.parametrize("format_", ["console", "json"])
def test_a_traceback_in_the_log_shows_no_local_variables(format_: str) -> None:
    script = (
        "import logging, sys, structlog\n"
        "from telemetry.logs import set_up_logging\n"
        f"set_up_logging('DEBUG', {format_!r})\n"
        "def sign():\n"
        "    secret = sys.argv[1]\n"
        "    raise RuntimeError('refused')\n"
        "for log in (structlog.get_logger('a'), logging.getLogger('b')):\n"
        "    try:\n"
        "        sign()\n"
        "    except RuntimeError:\n"
        "        log.exception('failed')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "canary"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr.count("RuntimeError: refused") == 2
    assert "canary" not in ended.stderr


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_the_search_for_a_secret_finds_it_in_base64_wherever_it_begins(before: str) -> None:
    text = f"{before}canary-4711?>~ and more".encode()
    for content in (text, text.hex().encode(), base64.b64encode(text), base64.urlsafe_b64encode(text)):
        assert holds(content, "canary-4711?>~")
        assert not holds(content, "canary-4712?>~")
