"""What the server is told: every setting with its type, its default and its meaning, read once at the start.

Owns where a value comes from - command line, `TRUELINE_*`, TOML file, default, in that order - and one clear line for each bad
one. Must not know what the settings are used for.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from handlers.model_settings import ModelSettings, ModelTable
from handlers.setting_types import AliasSettings, File, Seconds, Several
from handlers.wire.openai.reasoning import ReasoningField

ENV_PREFIX = "TRUELINE_"
_CONFIG_VARIABLE = f"{ENV_PREFIX}CONFIG"


class ConfigError(Exception):
    """A setting that cannot be used. The text is one line for the person who set it."""


def _default_data_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME", "~/.local/share")).expanduser() / "trueline"


class ServerSettings(BaseSettings):
    """The settings of the server itself."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=False)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    allow_open: bool = Field(False, description="Serve other addresses than loopback without any API key.")
    api_key_file: File | None = Field(None, description="File of API keys, one a line; # begins a comment.")
    api_keys: Annotated[SecretStr | None, Field(description="API keys, separated by commas; environment only.")] = None
    open_metrics: bool = Field(False, description="Serve /metrics without a key although there are keys.")
    cors_origin: Several = Field(
        (), description="Web origin whose pages may call this server, besides this machine's own; * is any."
    )
    allowed_host: Several = Field((), description="Further name that clients may call this server by (Host header).")

    model: Several = Field((), description="GGUF file, NAME=FILE, or a directory of them. None: the bundled demo.")
    models_dir: File | None = Field(None, description="Directory of GGUF files that are loaded when asked for.")
    alias: AliasSettings = Field((), description="Another name for a model: NAME=MODEL or NAME=MODEL:ADAPTER.")
    data_dir: File = Field(default_factory=_default_data_dir, description="Where this server keeps its own files.")
    keep_alive: Seconds = Field(
        300.0, description="How long a model loaded on demand stays after its last request (5m); negative: for ever."
    )
    max_loaded_models: int | None = Field(
        None, ge=1, description="Models in memory at once; unset: three, or as many as are loaded at start."
    )
    share_prefixes: bool = Field(
        False, description="Let API keys share computed prompts; how fast an answer comes then tells what others asked."
    )
    max_queue: int = Field(512, ge=0, description="Requests that may wait for a model; one more is answered 429.")
    max_queue_mib: int = Field(
        256, ge=1, description="MiB that waiting requests may take in all; one more is answered 429."
    )
    queue_timeout: Seconds = Field(
        300.0, gt=0, description="How long a request may wait for its turn (5m) before it is answered 503."
    )

    max_media: int = Field(64, ge=0, description="Pictures and sounds in one request.")
    max_image_pixels: int = Field(50_000_000, ge=1, description="Pixels of one picture.")
    max_audio_seconds: Seconds = Field(600.0, gt=0, description="How long one sound may last (10m).")
    remote_media: Several = Field(
        (),
        description="Host from which pictures are fetched that a request names by URL; * is any on the public internet.",
    )
    remote_media_max_bytes: int = Field(16 * 1024 * 1024, ge=1, description="The largest picture that is fetched.")
    remote_media_timeout: Seconds = Field(10.0, gt=0, description="How long fetching a picture may take.")

    worker_silence_seconds: Seconds = Field(
        30.0, gt=0, description="How long a model's process with work may give no sign of life before it is ended."
    )
    max_step_seconds: Seconds = Field(
        600.0,
        gt=0,
        description="How long one step of computing, or encoding one picture, may take before the model's process is ended.",
    )

    reasoning_field: ReasoningField = Field(
        "reasoning_content",
        description="What /v1 calls a model's thinking in answers: reasoning_content or reasoning; history may have either.",
    )

    strict: bool = Field(False, description="Refuse keys that no document knows, instead of naming them in a header.")
    validate_responses: bool = Field(False, description="Check every answer against the documents.")
    max_body_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="The largest request body.")
    body_timeout_seconds: Seconds = Field(30.0, gt=0, description="How long a request may take to arrive.")
    write_timeout_seconds: Seconds = Field(60.0, gt=0, description="How long a client may take nothing of a stream.")
    sse_keep_alive_seconds: Seconds = Field(15.0, gt=0, description="Silence before a stream sends a comment.")
    shutdown_timeout_seconds: Seconds = Field(5.0, gt=0, description="How long open requests get to end at the end.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed: `load` gathers the other sources, to know where each value came from."""
        return (init_settings,)


class ServerConfig(ModelSettings, ServerSettings):
    """Every setting. Constructing it reads no environment; `load` does."""

    models: dict[str, ModelTable] = Field({}, description="Models with settings of their own.")

    @field_validator("models", mode="before")
    @classmethod
    def _on_top_of_the_common(cls, value: Any, others: ValidationInfo) -> Any:
        """Each table with what is set for every model where it says nothing itself."""
        if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
            raise ValueError("expected tables, such as [models.chat]")
        common = {name: others.data[name] for name in ModelSettings.model_fields if name in others.data}
        return {name: {**common, **table} for name, table in value.items()}


SECRET = frozenset({"api_keys"})
"""Set by the environment only: a command line is visible to all users, and files get shared."""
TABLES = frozenset({"models"})
"""Set by the file only."""
NOT_ON_COMMAND_LINE = SECRET | TABLES


def own_values(config: ServerConfig) -> list[tuple[str, Any]]:
    """What models' tables set otherwise than it is set for every model, as `models.NAME.SETTING` and value."""
    return [
        (f"models.{model}.{name}", value)
        for model, table in config.models.items()
        for name, value in table
        if value != getattr(config, name, ModelTable.model_fields[name].default)
    ]


class Loaded(NamedTuple):
    """The settings, and for each its origin: `--port`, `TRUELINE_PORT`, the TOML file, or `default`."""

    config: ServerConfig
    origins: Mapping[str, str]


def load(command_line: Mapping[str, Any], config_file: Path | None = None) -> Loaded:
    """The effective settings. Raises ConfigError naming the first bad one."""
    if config_file is None and os.environ.get(_CONFIG_VARIABLE):
        config_file = Path(os.environ[_CONFIG_VARIABLE])
    values: dict[str, Any] = {}
    origins = dict.fromkeys(ServerConfig.model_fields, "default")
    for source, origin in (
        (_from_file(config_file), str(config_file)),
        (_from_environment(), f"{ENV_PREFIX}{{}}"),
        (command_line, "--{}"),
    ):
        values |= source
        origins |= {name: _origin(origin, name) for name in source}
    try:
        return Loaded(ServerConfig(**values), origins)
    except ValidationError as error:
        raise ConfigError(_complaint(error, origins)) from None


def _origin(pattern: str, name: str) -> str:
    if pattern.startswith("--"):
        return f"--{name.replace('_', '-')}"
    return f"{ENV_PREFIX}{name.upper()}" if pattern.startswith(ENV_PREFIX) else pattern


def _from_environment() -> dict[str, Any]:
    known = {
        _CONFIG_VARIABLE,
        *(f"{ENV_PREFIX}{name.upper()}" for name in ServerConfig.model_fields if name not in TABLES),
    }
    unknown = sorted(name for name in os.environ if name.upper().startswith(ENV_PREFIX) and name.upper() not in known)
    if unknown:
        raise ConfigError(f"there is no setting for the variable {unknown[0]}; `trueline config` lists them")
    return EnvSettingsSource(ServerConfig, env_prefix=ENV_PREFIX, env_ignore_empty=True)()


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    for name in values:
        if name not in ServerConfig.model_fields or name in SECRET:
            raise ConfigError(f"{path}: there is no setting {name!r}; `trueline config` lists them")
    return values


def _complaint(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    place = ".".join(map(str, first["loc"])) if name in TABLES else name
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"{place} (from {origins.get(name, 'default')}): there is no such setting"
    return f"{place} (from {origins.get(name, 'default')}): {reason}; got {first['input']!r}"
