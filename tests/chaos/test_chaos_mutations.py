"""Every mutation still finds its place in the sources, and leaves sources that compile."""

import py_compile
import shutil
from pathlib import Path

import pytest

from tests.chaos.mutations import MUTATIONS, ROOT, mutate


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_finds_its_place(name: str, tmp_path: Path) -> None:
    for folder in ("activities", "workflows"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    mutate(tmp_path, name)
    for change in MUTATIONS[name]:
        changed = tmp_path / change.file
        assert changed.read_text() != (ROOT / change.file).read_text()
        py_compile.compile(str(changed), doraise=True)
