"""Defaults for options from `ftplan.toml`, `[tool.ftplan]` of pyproject.toml and FTPLAN_* variables.

The nearest file wins whole, from this folder upwards; of a pyproject.toml only one that has the table counts. Keys are
option names, `lora-r` or `lora_r`; they hold for every command that has the option. A flag goes before a variable, a
variable before the file. Read when a command runs: neither a Tab press nor `--help` gets here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from ftplan.cli.wording import plain
from ftplan.errors import InputError, did_you_mean

FILE, PROJECT = "ftplan.toml", "pyproject.toml"
PREFIX = "FTPLAN_"
#: options that are about one call, not about a project
_NEVER = {"help", "version", "config", "output", "get", "check", "force", "export", "keep", "plot"}
#: options whose files are written; `--keep` has a rule of its own for the file it adds to
_WRITTEN = ("output", "plot", "export", "keep")
_PATHS = {"fit", "runs", "pool", "problem", "calibrate"}
#: where a call keeps what was configured and where
_CONFIGURED = "ftplan.configured"
#: of two answers to one question the one that stands nearer counts: a flag, then a variable, then the file
_RIVALS = (("fit", "runs"), ("mfu", "calibrate"))


_FORCE = "ftplan.force"


@dataclass(frozen=True)
class ConfiguredValue:
    """A value and where it was found: 'FTPLAN_PRICE', or 'ftplan.toml: price'."""

    value: Any
    origin: str


class Command(TyperCommand):
    """A command that takes its defaults from the environment and from a file, and has `--config`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(
            TyperOption(
                param_decls=["--config"],
                metavar="FILE",
                is_eager=True,
                expose_value=False,
                callback=_configure,
                help=f"Defaults for options. [default: nearest {FILE} or [tool.ftplan]]",
            )
        )
        if any(param.name in _WRITTEN for param in self.params):
            self.params.append(
                TyperOption(
                    param_decls=["--force"],
                    is_flag=True,
                    expose_value=False,
                    callback=_keep_in_context,
                    help="Replace files that ftplan did not write, or that were changed since; inputs never.",
                )
            )

    def invoke(self, ctx: Any) -> Any:
        from ftplan.cli.files import claim

        claim(
            [file for name in _WRITTEN for file in _files(name, ctx.params.get(name))],
            [file for name, value in ctx.params.items() if name not in _WRITTEN for file in _files(name, value)],
            force=bool(ctx.meta.get(_FORCE)),
            merged=_files("keep", ctx.params.get("keep")),
        )
        return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for pair in _RIVALS:
            for given, other in (pair, pair[::-1]):
                if typed(ctx, given) and not typed(ctx, other) and other in ctx.params:
                    ctx.params[other] = None
        return rest


def _keep_in_context(ctx: typer.Context, _: Any, forced: bool) -> None:
    ctx.meta[_FORCE] = forced


def _files(name: str, value: Any) -> list[str]:
    """What of a parameter may name files: texts, `--export TRAINER=FILE`, `--calibrate FILE:LINE`."""
    words = [word for word in (value if isinstance(value, list | tuple) else [value]) if isinstance(word, str)]
    if name == "export":
        return [word.partition("=")[2] for word in words if word.partition("=")[2]]
    if name == "calibrate":
        return [word if Path(word).exists() else word.rpartition(":")[0] for word in words]
    return words


def typed(ctx: Any, name: str) -> bool:
    """Whether a parameter stands on the command line itself."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def configured(ctx: Any) -> dict[str, str]:
    """Parameter -> 'FTPLAN_PRICE' or 'ftplan.toml: price', for those whose value stands there and not in a flag."""
    found: dict[str, str] = ctx.meta.get(_CONFIGURED, {})
    return {name: where for name, where in found.items() if not typed(ctx, name)}


def _configure(ctx: typer.Context, _: Any, named: str | None) -> None:
    """Put variables and the file's values in place of the command's defaults; they go through the same checks."""
    if ctx.resilient_parsing:
        return
    options = _options(ctx.command.params)
    every = partial(_every_option, ctx.find_root().command)
    _no_misspelt_variable(os.environ, every)
    settings = {**_from_file(named, every), **_from_environment(os.environ, options)}
    for pair in _RIVALS:
        from_variable = [key for key in pair if key in settings and settings[key].origin.startswith(PREFIX)]
        if len(from_variable) == 1:
            settings = {key: found for key, found in settings.items() if key not in pair or key in from_variable}
    ctx.default_map = {
        options[key].name: _checked(ctx, options[key], setting) for key, setting in settings.items() if key in options
    }
    ctx.meta[_CONFIGURED] = {options[key].name: found.origin for key, found in settings.items() if key in options}


def _options(params: Iterable[Any]) -> dict[str, Any]:
    """Key -> option, for those that may stand in a file."""
    found = {opt[2:].replace("-", "_"): param for param in params for opt in param.opts if opt.startswith("--")}
    return {key: param for key, param in found.items() if key not in _NEVER}


def _every_option(command: Any) -> set[str]:
    """Keys of a command and all commands below it."""
    keys = set(_options(command.params)) if not hasattr(command, "commands") else set()
    for below in getattr(command, "commands", {}).values():
        keys |= _every_option(below.now)
    return keys


def _from_environment(environment: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, ConfiguredValue]:
    """FTPLAN_PRICE, FTPLAN_LORA_R; commas between the values of an option that can be repeated."""
    out = {}
    for key, param in options.items():
        name = PREFIX + key.upper()
        if text := environment.get(name, "").strip():
            values = [part.strip() for part in text.split(",") if part.strip()]
            out[key] = ConfiguredValue(values if param.multiple else text, name)
    return out


def _no_misspelt_variable(environment: Mapping[str, str], every: Callable[[], set[str]]) -> None:
    """Raises InputError for FTPLAN_PRCIE; other FTPLAN_* variables may belong to somebody else."""
    set_here = sorted(name for name in environment if name.startswith(PREFIX))
    known = {PREFIX + key.upper() for key in every()} if set_here else set()
    for name in set_here:
        if name not in known and (hint := did_you_mean(name, known, cutoff=0.85)):
            raise InputError(f"{name}: no option of that name", hint=hint)


def _from_file(named: str | None, every: Callable[[], set[str]]) -> dict[str, ConfiguredValue]:
    path = Path(named) if named is not None else _nearest(Path.cwd())
    if path is None:
        return {}
    table = _table(path)
    out = {}
    options = every() if table else set()
    for written, value in table.items():
        key = written.replace("-", "_")
        if key not in options:
            known = (name.replace("_", "-") for name in sorted(options))
            hint = did_you_mean(key.replace("_", "-"), known, "keys are the names of options")
            raise InputError(f"{path}: unknown key {written!r}", hint=hint)
        found = _beside(path, value) if key in _PATHS else value
        out[key] = ConfiguredValue(found, f"{path}: {written}")
    return out


def _nearest(folder: Path) -> Path | None:
    for here in (folder, *folder.parents):
        if (here / FILE).is_file():
            return Path(os.path.relpath(here / FILE, folder))
        if _has_table(here / PROJECT):
            return Path(os.path.relpath(here / PROJECT, folder))
    return None


def _has_table(path: Path) -> bool:
    try:
        # most projects never mention ftplan: no need to parse their file
        return b"ftplan" in path.read_bytes() and "ftplan" in _parsed(path).get("tool", {})
    except (OSError, InputError):
        return False


def _table(path: Path) -> dict[str, Any]:
    plain_values = _parsed(path)
    table = plain_values.get("tool", {}).get("ftplan", {}) if path.name == PROJECT else plain_values
    if not isinstance(table, dict):
        raise InputError(f"{path}: tool.ftplan is not a table", hint="[tool.ftplan]")
    return table


def _parsed(path: Path) -> dict[str, Any]:
    from ftplan.plain import parse_toml

    try:
        return parse_toml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def _beside(path: Path, value: Any) -> Any:
    """A path in a file starts at the file's folder; what names no file there may be the name of a preset."""
    if not isinstance(value, str) or value == "-":
        return value
    there = path.parent / value
    meant = there.exists() or Path(value).suffix or "/" in value
    return os.path.relpath(there) if meant else value


def _checked(ctx: typer.Context, param: Any, setting: ConfiguredValue) -> Any:
    """The value as the option wants it: text, a list of texts, true or false. Raises InputError with its origin."""
    value = setting.value
    if param.multiple:
        value = [_scalar(item, setting, flag=False) for item in (value if isinstance(value, list) else [value])]
    else:
        value = _scalar(value, setting, flag=param.is_flag)
    try:
        param.process_value(ctx, value)
    except typer.BadParameter as error:
        raise InputError(f"{setting.origin}: {plain(error.message)}") from error
    except InputError as error:
        raise InputError(f"{setting.origin}: {error.message}", hint=error.hint) from error
    return value


def _scalar(value: Any, setting: ConfiguredValue, *, flag: bool) -> Any:
    if isinstance(value, bool) and not flag:
        raise InputError(f"{setting.origin}: {str(value).lower()} is no value for this option")
    if flag and isinstance(value, bool | str):
        return value
    if flag or not isinstance(value, str | int | float):
        kind = "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else repr(value)
        raise InputError(f"{setting.origin}: {kind} is no value for this option")
    return str(value)
