"""The `dss` command line: parse what is typed, with the switches that options declare."""

import argparse
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from dss import __version__, options
from dss.commands import COMMANDS, POSITIONALS
from dss.errors import DssError, DssWarning
from dss.support import streams, system
from dss.support.spelling import guess
from dss.support.units import listed

PATHS = {
    "dataset": "DATASET",
    "file": "FILE",
    "folder": "FOLDER",
    "recordings": "FOLDER",
    "run": "RUN",
}
UNITS = {"s": "SECONDS", "h": "HOURS"}
KINDS = {int: "N", float: "NUMBER", str: "TEXT", bool: "True|False", Path: "PATH"}
LONGEST_CHOICES = 40  # letters; longer lists of choices are left to the text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code.

    0, 2 for invalid input, 130 after Ctrl-C, or 141 if nobody reads the output any more.
    """
    streams.prepare()
    parser, subparsers = _parser()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command = subparsers.get(arguments[0]) if arguments else None
    if command:
        arguments = _spell_out_switches(arguments, command)
    elif arguments and (meant := guess(arguments[0], subparsers)):
        parser.error(f"there is no command {arguments[0]}{meant}")
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_explain_unknown(unknown, command, subparsers))
    named = vars(parsed)
    run = named.pop("run_command", None)
    if run is None:
        parser.print_help()
        return 0
    try:
        with system.stopped_as_by_ctrl_c(), warnings.catch_warnings():
            warnings.simplefilter("always", DssWarning)
            warnings.showwarning = _print_once()
            run(**named)
        sys.stdout.flush()
    except BrokenPipeError:
        streams.discard_output()
        return 141
    except (DssError, OSError) as error:
        print(f"dss: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dss: stopped", file=sys.stderr)
        return 130
    return 0


def train_main(arguments: Sequence[str] | None = None) -> int:
    """Run `dss-train`, which is the same as `dss train`."""
    return main(["train", *(sys.argv[1:] if arguments is None else arguments)])


def _print_once() -> Callable[..., None]:
    """A function that prints each warning once: a file may be opened several times."""
    printed: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        kind = "warning" if category is DssWarning else category.__name__
        line = f"dss: {kind}: {message}"
        if line not in printed:
            print(line, file=sys.stderr)
        printed.add(line)

    return show


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog="dss", description="Deep song segmenter: finds animal song in audio recordings."
    )
    parser.add_argument("--version", action="version", version=f"dss {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (run, options_class) in COMMANDS.items():
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        for argument in inspect.signature(run).parameters:
            if argument in POSITIONALS:
                command.add_argument(argument, type=Path, help=POSITIONALS[argument])
        if name == "evaluate":
            command.add_argument("--json", action="store_true", help="print the scores as JSON")
        if name == "train":
            command.add_argument(
                "--options",
                dest="options_file",
                metavar="FILE",
                type=Path,
                default=argparse.SUPPRESS,
                help="read options from a YAML file; the _params.yaml of a run repeats the run",
            )
        for title, names in options.grouped_fields(options_class).items():
            group = command.add_argument_group(title)
            for option in names:
                _add_option(group, option, options_class.model_fields[option])
        command.set_defaults(run_command=run)
    return parser, commands.choices


def _add_option(group: argparse._ArgumentGroup, name: str, field: FieldInfo) -> None:
    """Add a switch for a field; its value stays text, which the options class parses and checks."""
    flag = "--" + name.replace("_", "-")
    help_text = f"{field.description} {options.describe_range(field)}".replace("%", "%%")
    settings: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
    if field.annotation is bool:
        on: dict[str, Any] = {"nargs": "?", "const": "true", "metavar": "True|False"}
        off: dict[str, Any] = {"action": "store_const", "const": "false"}
        group.add_argument(flag, help=help_text, **on, **settings)
        group.add_argument(f"--no-{flag[2:]}", help=argparse.SUPPRESS, **off, **settings)
    else:
        nargs = "+" if options.holds_many(field) else None
        group.add_argument(flag, nargs=nargs, help=help_text, metavar=_metavar(field), **settings)


def _metavar(field: FieldInfo) -> str:
    """What to type for an option, in help: choices, a unit, or what kind of value."""
    declared = options.declared(field)
    if declared["path"]:
        return PATHS.get(declared["path"], "PATH")
    for kind in options.kinds_of(field.annotation):
        origin, parts = get_origin(kind), get_args(kind)
        if origin is Literal:
            choices = "|".join(filter(None, parts))
            return choices if len(choices) <= LONGEST_CHOICES else "NAME"
        if origin is dict:
            return "NAME=SHORTEST:LONGEST" if get_origin(parts[1]) is tuple else "OLD=NEW"
        if origin is list:
            kind = next(k for k in options.kinds_of(parts[0]) if k in KINDS)
        if kind in KINDS and declared["unit"]:
            return UNITS.get(declared["unit"], declared["unit"].upper())
        if kind in KINDS:
            return KINDS[kind]
    raise AssertionError(f"{field}: has no type that can be typed")


def _explain_unknown(
    words: list[str],
    command: argparse.ArgumentParser | None,
    commands: Mapping[str, argparse.ArgumentParser],
) -> str:
    """Name the arguments that are unknown, and suggest the switch most similar to the first.

    A switch may be one of other commands. A dataset without a switch, as in `dss train song.npy`,
    lacks the one before it.
    """
    switches = command._option_string_actions if command else {}
    switch = words[0].partition("=")[0]
    others = [c.prog for c in commands.values() if switch in c._option_string_actions]
    meant = guess(switch, switches)
    if others and command:
        meant = f"; {switch} is an option of {listed(others)}, not of {command.prog}"
    elif command and not meant:
        meant = f"; {command.prog} --help lists what there is"
    if not words[0].startswith("-") and "--data-dir" in switches:
        meant = f"; did you mean --data-dir {words[0]}?"
    return f"unrecognized arguments: {' '.join(words)}{meant}"


def _spell_out_switches(arguments: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """Write `--switch True` as `--switch=True`, and a lone `--switch` as `--switch=true`.

    Otherwise a lone switch would take the word after it, such as a file name, for its value.
    """
    switches = {a.option_strings[0] for a in parser._actions if a.nargs == "?" and a.option_strings}
    spelled: list[str] = []
    for word in arguments:
        if spelled and spelled[-1] in switches:
            is_value = word.lower() in ("true", "false")
            spelled[-1] += f"={word}" if is_value else "=true"
            if is_value:
                continue
        spelled.append(word)
    return spelled


if __name__ == "__main__":
    sys.exit(main())
