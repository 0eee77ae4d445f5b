"""The command line: `trueline serve`, `trueline config`, whose options are the settings of `handlers.config`, `quantize` and `download`.

Owns what is printed, and exit codes: 0 after an orderly end, 1 where the machine, 2 where a setting stands in the way. Must not
know what settings do.
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin

import click

from handlers.config import NOT_ON_COMMAND_LINE, ConfigError, ServerConfig, load, own_values

_CONFIG_FILE = "config_file"


def settings_options(command: Callable[..., None]) -> click.Command:
    """A command that takes every setting as an option. Values stay text: one place, the settings, says what is valid."""
    options: list[click.Parameter] = [
        _option(name) for name in ServerConfig.model_fields if name not in NOT_ON_COMMAND_LINE
    ]
    config_help = "TOML file of settings, named as the options with underscores."
    options.insert(0, click.Option(["--config", _CONFIG_FILE], type=click.Path(path_type=Path), help=config_help))
    return click.Command(command.__name__, callback=command, params=options, help=command.__doc__)


def _option(name: str) -> click.Option:
    field = ServerConfig.model_fields[name]
    flag = f"--{name.replace('_', '-')}"
    shown = "" if field.default in (None, (), False) or field.is_required() else f" [default: {field.default}]"
    text = f"{field.description}{shown if field.default_factory is None else ''}"
    if field.annotation is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", name], default=None, help=text)
    if _is_several(field.annotation):
        return click.Option([flag, name], multiple=True, default=None, help=f"{text} Repeatable.", metavar="TEXT")
    return click.Option([flag, name], help=text, metavar=_choices(field.annotation) or "VALUE")


def _is_several(annotation: Any) -> bool:
    return (
        isinstance(annotation, types.GenericAlias)
        and get_args(annotation)[1:] == (...,)
        and float not in get_args(annotation)
    )


def _choices(annotation: Any) -> str:
    """The values that a setting may have where they are words: `auto|on|off`. Empty where they are not."""
    wanted = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is not Literal:
        wanted = [word for part in wanted if get_origin(part) is Literal for word in get_args(part)]
        wanted += ["NUMBER"] if wanted and int in get_args(annotation) else []
    return "|".join(wanted)


@click.group()
@click.version_option(package_name="trueline", message="trueline %(version)s")
def main() -> None:
    """A local LLM server that runs true to the published OpenAI and Ollama HTTP APIs."""


@main.add_command
@settings_options
def serve(**options: Any) -> None:
    """Serve models until Ctrl-C. Without --model, the bundled demonstration model."""
    from handlers.serving import CannotServe, run  # noqa: PLC0415 - `trueline config` need not load the server

    config = _loaded(options).config
    try:
        run(config, _say)
    except ConfigError as error:
        _fail(str(error), 2)
    except CannotServe as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(130)


@main.add_command
@settings_options
def config(**options: Any) -> None:
    """Print every setting's effective value and where it came from."""
    loaded = _loaded(options)
    rows = [(name, _shown(getattr(loaded.config, name)), loaded.origins[name]) for name in ServerConfig.model_fields]
    rows += [(name, _shown(value), loaded.origins["models"]) for name, value in own_values(loaded.config)]
    name_width, value_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, value, origin in rows:
        _say(f"{name:{name_width}}  {value:{value_width}}  {origin}")


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--type", "wanted_type", metavar="TYPE", help="Such as Q4_K_M. Default: the model's family's recommended one."
)
@click.option("--requantize", is_flag=True, help="Also quantize what is quantized already, which loses more.")
def quantize(source: Path, target: Path, wanted_type: str | None, requantize: bool) -> None:
    """Write the model of a GGUF file as another, smaller one."""
    from engine import QuantizationError, plan_quantization, write_quantization  # noqa: PLC0415 - nor this

    try:
        plan = plan_quantization(source, target, wanted_type, requantizes=requantize)
        recognition = plan.recognition
        _say(f"family  {recognition.family.title}: {recognition.reason}")
        _say(f"type    {plan.type}{', as recommended for the family' if plan.is_recommended else ''}")
        written = write_quantization(plan)
    except QuantizationError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(130)
    for role, entry, path in (("from", plan.source, source), ("to", written, target)):
        kinds = Counter(tensor.type for tensor in entry.metadata.shapes).most_common()
        tensors = ", ".join(f"{count} {kind}" for kind, count in kinds)
        _say(f"{role:6}  {path}: {entry.metadata.quantization}, {entry.size_bytes / 1e6:,.1f} MB (tensors: {tensors})")


@main.command()
@click.argument("repository", metavar="OWNER/NAME[:TYPE]")
@click.option("--type", "wanted_type", metavar="TYPE", help="Such as Q4_K_M. Default: the family's recommended one.")
@click.option(
    "--file", metavar="PATH", help="The model's file (of a split one the first), where types don't tell which."
)
@click.option(
    "--to", "directory", type=click.Path(path_type=Path), default=Path(), help="A directory. Default: this one."
)
@click.option("--revision", metavar="REVISION", help="A branch, tag or commit. Default: the main branch.")
@click.option(
    "--mmproj/--no-mmproj", "projector", default=None, help="With its projector. Default: where there is one."
)
def download(repository: str, wanted_type: str | None, directory: Path, **wish: Any) -> None:
    """Fetch a model from a model hub's repository of GGUF files."""
    from handlers.downloads.command import DownloadError, fetch  # noqa: PLC0415 - only this command needs it

    try:
        fetch(repository, wanted_type, directory, _say, **wish)
    except DownloadError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _loaded(options: dict[str, Any]) -> Any:
    config_file = options.pop(_CONFIG_FILE)
    given = {name: value for name, value in options.items() if value not in (None, ())}
    try:
        return load(given, config_file)
    except ConfigError as error:
        _fail(str(error), 2)


def _shown(value: Any) -> str:
    if isinstance(value, tuple | dict):
        return ",".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value)


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(reason: str, code: int) -> NoReturn:
    print(f"trueline: {' '.join(reason.split())}", file=sys.stderr)
    sys.exit(code)
