"""What the server is told: every setting with its type, its default and its meaning, read once at the start.

Owns where a value comes from - command line, `TRUELINE_*`, TOML file, default, in that order - and one clear line for each bad
one. Must not know what the settings are used for.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

ENV_PREFIX = "TRUELINE_"
_CONFIG_VARIABLE = f"{ENV_PREFIX}CONFIG"
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


class ConfigError(Exception):
    """A setting that cannot be used. The text is one line for the person who set it."""


def _several(value: Any) -> Any:
    """Several values written as one text, separated by commas; the command line and TOML give lists."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _seconds(value: Any) -> Any:
    """A number of seconds, or a duration such as 500ms, 30s, 5m or 1h30m."""
    if not isinstance(value, str):
        return value
    pieces = _DURATION.findall(value)
    if not pieces or "".join(number + unit for number, unit in pieces) != value.strip():
        raise ValueError("expected a number of seconds, or a duration such as 30s, 5m or 1h30m")
    total = sum(abs(float(number)) * _UNIT_SECONDS[unit] for number, unit in pieces)
    return -total if value.strip().startswith("-") else total


def _whole_or_auto(value: Any) -> Any:
    if value == "auto":
        return value
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError("expected a whole number or auto") from None


def _expanded(path: Path) -> Path:
    return path.expanduser()


Several = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_several)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
File = Annotated[Path, AfterValidator(_expanded)]


def _default_data_dir() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME", "~/.local/share")).expanduser() / "trueline"


class ServerConfig(BaseSettings):
    """Every setting. Constructing it reads no environment; `load` does."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=False)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    allow_open: bool = Field(False, description="Serve other addresses than loopback without any API key.")
    api_key_file: File | None = Field(None, description="File of API keys, one a line; # begins a comment.")
    api_keys: Annotated[SecretStr | None, Field(description="API keys, separated by commas; environment only.")] = None
    cors_origin: Several = Field((), description="Web origin whose pages may call this server; * is any.")
    allowed_host: Several = Field((), description="Further name that clients may call this server by (Host header).")

    model: Several = Field((), description="GGUF file, NAME=FILE, or a directory of them. None: the bundled demo.")
    models_dir: File | None = Field(None, description="Directory of GGUF files that are loaded when asked for.")
    data_dir: File = Field(default_factory=_default_data_dir, description="Where this server keeps its own files.")
    n_gpu_layers: Annotated[int | Literal["auto"], BeforeValidator(_whole_or_auto)] = Field(
        "auto", description="Layers put on the GPU; auto: all where there is one, else none."
    )
    ctx_size: int = Field(0, ge=0, description="Tokens of context; 0: as trained, at most 8192.")
    parallel: int = Field(8, ge=1, le=256, description="Sequences that a model computes at once.")
    batch_size: int = Field(512, ge=1, description="The most tokens of one step; at least parallel.")
    threads: int = Field(0, ge=0, description="Processor threads of a model; 0: one for each physical core.")
    keep_alive: Seconds = Field(
        300.0, description="How long a model loaded on demand stays after its last request (5m); negative: for ever."
    )
    max_loaded_models: int | None = Field(
        None, ge=1, description="Models in memory at once; unset: three, or as many as are loaded at start."
    )
    max_queue: int = Field(512, ge=0, description="Requests that may wait for a model.")

    strict: bool = Field(False, description="Refuse keys that no document knows, instead of naming them in a header.")
    validate_responses: bool = Field(False, description="Check every answer against the documents.")
    max_body_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="The largest request body.")
    body_timeout_seconds: Seconds = Field(30.0, gt=0, description="How long a request may take to arrive.")
    write_timeout_seconds: Seconds = Field(60.0, gt=0, description="How long a client may take nothing of a stream.")
    sse_keep_alive_seconds: Seconds = Field(15.0, gt=0, description="Silence before a stream sends a comment.")
    shutdown_timeout_seconds: Seconds = Field(5.0, gt=0, description="How long open requests get to end at the end.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")

    @field_validator("batch_size")
    @classmethod
    def _holds_every_sequence(cls, value: int, others: ValidationInfo) -> int:
        parallel = others.data.get("parallel", value)
        if value < parallel:
            raise ValueError(
                f"expected at least {parallel}, the value of parallel: a step takes a token of each sequence"
            )
        return value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed: `load` gathers the other sources, to know where each value came from."""
        return (init_settings,)


NOT_ON_COMMAND_LINE = frozenset({"api_keys"})


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
    known = {_CONFIG_VARIABLE, *(f"{ENV_PREFIX}{name.upper()}" for name in ServerConfig.model_fields)}
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
        if name not in ServerConfig.model_fields or name in NOT_ON_COMMAND_LINE:
            raise ConfigError(f"{path}: there is no setting {name!r}; `trueline config` lists them")
    return values


def _complaint(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    reason = first["msg"].removeprefix("Value error, ")
    return f"{name} (from {origins.get(name, 'default')}): {reason}; got {first['input']!r}"
