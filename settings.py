"""Typed settings, read from the environment (prefix STEADYHAND_). There is no module-level instance.

Where Temporal is, is not a setting of ours; see temporal_client.py.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]
LogFormat = Literal["console", "json"]


class Settings(BaseSettings):
    """Everything a process of Steadyhand may be told from outside. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="STEADYHAND_", frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql://user:password@host:port/name of the bots' database; the embedded one when unset.",
    )
    data_dir: Path = Field(
        default=Path.home() / ".steadyhand",
        description="Where the embedded stack keeps its databases, sockets and logs, and a worker its memory.",
    )
    secret_keys: SecretStr | None = Field(
        default=None,
        description="Keys that stored credentials are encrypted under, comma-separated, the newest first.",
    )
    log_level: LogLevel = Field(default="INFO", description="Level of the root logger.")
    log_format: LogFormat = Field(default="json", description="json for machines, console for people.")
    health_host: str = Field(default="127.0.0.1", description="Where a worker serves /metrics and /health.")
    health_port: int = Field(default=9464, ge=0, le=65535, description="Port of /metrics and /health; 0 takes any.")
    segment_seconds: float = Field(
        default=1800, gt=0, description="Length of one watch segment, after which a watch returns to its workflow."
    )
    heartbeat_timeout_seconds: float = Field(
        default=60, ge=2, description="A watch that is silent for so long is taken to be dead and is started anew."
    )
    flush_seconds: float = Field(
        default=30, gt=0, description="How often a worker writes the liveness and balances of all its bots."
    )
    sole_worker: bool = Field(
        default=False,
        description="This is the only worker: when it starts, every watch still pending belongs to a dead process.",
    )
    max_watches: int = Field(default=10_000, ge=1, description="Watches that one worker process takes at once.")
    plugin_modules: str | None = Field(
        default=None, description="Modules whose classes a bot may name as module:Class, comma-separated."
    )
    plugin_memory_mb: int = Field(default=512, ge=128, description="Memory that the process of a plugin may use.")
    plugin_seconds: float = Field(default=2, gt=0, description="How long a plugin may take for one answer.")
    plugin_start_seconds: float = Field(
        default=20, gt=0, description="How long the process of a plugin may take to begin, and a module to be imported."
    )

    @property
    def plugin_paths(self) -> tuple[str, ...]:
        """The modules whose classes a bot may name."""
        return tuple(name.strip() for name in (self.plugin_modules or "").split(",") if name.strip())

    @property
    def credentials_cache_dir(self) -> Path:
        """Where a worker keeps the ciphertext of the credentials that it has used."""
        return self.data_dir.expanduser() / "credentials"

    @property
    def halt_file(self) -> Path:
        """Where a worker keeps the halt that it has last heard of."""
        return self.data_dir.expanduser() / "halt.json"

    @property
    def budgets_dir(self) -> Path:
        """Where the processes of a machine share what they use of each exchange's patience."""
        return self.data_dir.expanduser() / "budgets"


def wrong_settings(error: ValidationError) -> str:
    """Return what is wrong with the settings of the environment, each named by its variable."""
    return "; ".join(
        f"STEADYHAND_{'_'.join(map(str, detail['loc'])).upper()}: {detail['msg']}; was {detail['input']!r}"
        for detail in error.errors()
    )
