"""docker-compose.yml, as far as it can be judged without Docker: what it names must exist."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
CONDITIONS = {"service_healthy", "service_completed_successfully", "service_started"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_services_that_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        if how["condition"] == "service_completed_successfully":
            assert "restart" not in SERVICES[other], "what is restarted never completes"


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_file_and_no_image_floats(name: str) -> None:
    service = SERVICES[name]
    assert ":" in service["image"], "an image without a tag changes by itself"
    assert not service["image"].endswith(":latest")
    for key, value in service.get("environment", {}).items():
        if "PASSWORD" in key or "SECRET" in key or key.endswith("PWD"):
            assert str(value).startswith("${")


@pytest.mark.parametrize("name", ["migrate", "worker"])
def test_our_services_run_files_that_exist(name: str) -> None:
    program, script = SERVICES[name]["command"][:2]
    assert program == "python"
    assert (ROOT / script).is_file()


def test_a_worker_keeps_the_ciphertext_that_it_uses_beyond_its_container() -> None:
    worker = SERVICES["worker"]
    assert f"worker:{worker['environment']['STEADYHAND_DATA_DIR']}" in worker["volumes"]


def test_the_two_databases_are_two() -> None:
    assert SERVICES["temporal"]["environment"]["POSTGRES_SEEDS"] == "temporal-database"
    assert "@database:" in SERVICES["worker"]["environment"]["STEADYHAND_DATABASE_URL"]


def test_only_the_loopback_address_is_opened() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
