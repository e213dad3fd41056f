import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from security.errors import BadSecretKeys
from security.files import write_private
from security.key_file import key_file, load_ring, make_key_file

# The keys of tests/security/test_key_ring.py, and their ids.
OLD_TEXT, NEW_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
OLD_ID, NEW_ID = "9c2200da", "6344478a"


def test_a_made_key_is_for_its_owner_alone_and_stays_the_same(tmp_path: Path) -> None:
    make_key_file(tmp_path)
    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600
    first, second = (load_ring(None, tmp_path).key_ids for _ in range(2))
    assert first == second
    assert len(first) == 1


def test_the_keys_of_the_environment_come_first(tmp_path: Path) -> None:
    key_file(tmp_path).write_text(f"{OLD_TEXT}\n")
    assert load_ring(SecretStr(NEW_TEXT), tmp_path).key_ids == (NEW_ID, OLD_ID)
    assert load_ring(SecretStr(OLD_TEXT), tmp_path).key_ids == (OLD_ID,)


def test_without_a_data_directory_the_environment_alone_counts(tmp_path: Path) -> None:
    assert load_ring(SecretStr(NEW_TEXT), None).key_ids == (NEW_ID,)
    assert load_ring(None, None).key_ids == ()


def test_neither_variable_nor_file_is_an_empty_ring(tmp_path: Path) -> None:
    assert load_ring(None, tmp_path).key_ids == ()
    assert load_ring(SecretStr(""), tmp_path).key_ids == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"canary", "key 1 of 1 must be 32 bytes", id="short"),
        pytest.param("canäry".encode(), "holds other characters", id="no-text"),
    ],
)
def test_a_bad_file_is_named_and_not_shown(tmp_path: Path, content: bytes, message: str) -> None:
    key_file(tmp_path).write_bytes(content)
    with pytest.raises(BadSecretKeys, match=message) as caught:
        load_ring(None, tmp_path)
    assert str(key_file(tmp_path)) in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_file_that_cannot_be_read_or_written_is_one_sentence(tmp_path: Path) -> None:
    key_file(tmp_path).mkdir()
    with pytest.raises(BadSecretKeys, match=r"secret.keys cannot be read: Is a directory"):
        load_ring(None, tmp_path)
    with pytest.raises(BadSecretKeys, match=r"secret.keys cannot be written: "):
        make_key_file(tmp_path)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_private(path, "before")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, "after")
    assert path.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
