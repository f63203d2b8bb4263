"""The `dss` command: each stage as a subcommand, its switches derived from the stage's options."""

import argparse
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dss import __version__, options
from dss.errors import DssError, DssWarning
from dss.support.spelling import guess


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code is 0, 2 for bad input, or 130 after Ctrl-C."""
    parser, subparsers = _parser()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command = subparsers.get(arguments[0]) if arguments else None
    if command:
        arguments = _spell_out_switches(arguments, command)
    namespace, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_explain_unknown(unknown, command))
    namespace = vars(namespace)
    run = namespace.pop("run_command", None)
    if run is None:
        parser.print_help()
        return 0
    try:
        with _stopped_by_sigterm(), warnings.catch_warnings():
            warnings.simplefilter("always", DssWarning)
            warnings.showwarning = _print_warning
            run(**namespace)
    except (DssError, OSError) as error:
        print(f"dss: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dss: stopped", file=sys.stderr)
        return 130
    return 0


def train_main(arguments: Sequence[str] | None = None) -> int:
    """The command `dss-train`, which is `dss train`."""
    return main(["train", *(sys.argv[1:] if arguments is None else arguments)])


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM, which schedulers and forms send, stops a command as Ctrl-C does: cleanly."""
    if threading.current_thread() is not threading.main_thread():  # it gets no signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_warning(message, category, *_) -> None:
    kind = "warning" if category is DssWarning else category.__name__
    print(f"dss: {kind}: {message}", file=sys.stderr)


def _make_dataset(folder: Path, **named) -> None:
    """Assemble recordings and annotations into a dataset for training."""
    from dss.data import format_report, make_dataset, open_dataset

    store = make_dataset(folder, **named)
    print(format_report(open_dataset(store)))
    print(f"The dataset is in {store}")


def _check(folder: Path, **named) -> None:
    """Check recordings and annotations: list every problem at once."""
    from dss.data import check_annotations
    from dss.data.check import format_problems

    problems = check_annotations(folder, **named)
    for severity in ("warning", "error"):
        for problem in format_problems(problems[problems["severity"] == severity]):
            print(f"{severity}: {problem}")
    n_errors = int((problems["severity"] == "error").sum())
    counts = {"error": n_errors, "warning": len(problems) - n_errors}
    summary = ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counts.items())
    if n_errors:
        raise DssError(f"{summary}: a dataset can be made once the errors are corrected")
    print(summary)


def _train(options_file: Path | None = None, **named) -> None:
    """Train a network with a dataset."""
    if options_file:
        named = {**options.read_options(options_file, options.TrainOptions), **named}
    own = options.TrainOptions.model_fields
    if named.get("write_script"):
        from dss.train.job_script import write_script

        print(f"The script is {write_script(**named)}")
    elif for_script := named.keys() & options.TrainCommandOptions.model_fields.keys() - own.keys():
        names = ", ".join(sorted(for_script))
        raise DssError(f"{names}: belong to a script; give its name with --write-script")
    else:
        from dss.models import processes
        from dss.train import train

        trunk = train(**named)
        if processes.index() == 0:
            print(f"The files of the run begin with {trunk}")


def _predict(recordings: Path, run: Path, **named) -> None:
    """Annotate a recording, or all recordings of a folder or a pattern, with a trained network."""
    from dss.predict import predict_files

    predict_files(recordings, run, after_each=lambda path: print(path, flush=True), **named)


def _tune(run: Path, **named) -> None:
    """Choose thresholds, gaps and lengths with the validation data, and store them with the run."""
    from dss.predict.tuning import format_tuned, tune

    print(format_tuned(tune(run, **named)))


def _proofread(annotated: Path, **named) -> None:
    """List the least certain annotations, and which recordings to annotate by hand next."""
    from dss.review.proofread import format_proofread, least_certain, rank_recordings

    print(format_proofread(least_certain(annotated, **named), rank_recordings(annotated)))


def _evaluate(true: Path, predicted: Path, json: bool = False, **named) -> None:
    """Compare predicted annotations with true ones: two files, or two folders."""
    from dss.evaluate import format_summary, summarize

    if json:
        print(summarize(true, predicted, **named).to_json(orient="index", indent=2))
    else:
        print(format_summary(true, predicted, **named))


def _demo(**named) -> None:
    """Make datasets of the shipped recordings, train, annotate and score: the whole way."""
    from dss.demo import demo

    demo(**named)


# Each command: what runs it, its positional arguments with help, and the class of its switches.
_COMMANDS = {
    "check": (
        _check,
        {"folder": "recordings with their annotations"},
        options.SourceOptions,
    ),
    "make-dataset": (
        _make_dataset,
        {"folder": "recordings with STEM_annotations.csv beside each"},
        options.DatasetOptions,
    ),
    "train": (_train, {}, options.TrainCommandOptions),
    "predict": (
        _predict,
        {
            "recordings": "an audio file, a folder of these, or a pattern in quotes: 'day1/*.wav'",
            "run": "the trunk of a run's files, or any one of them",
        },
        options.PredictFilesOptions,
    ),
    "tune": (_tune, {"run": "the trunk of a run's files, or any one of them"}, options.TuneOptions),
    "proofread": (
        _proofread,
        {"annotated": "STEM_annotations.csv that dss predict wrote, or a folder of such files"},
        options.ProofreadOptions,
    ),
    "evaluate": (
        _evaluate,
        {
            "true": "STEM_annotations.csv made by hand, or a folder of such files",
            "predicted": "the predicted ones; files in folders are matched by name",
        },
        options.EvaluateOptions,
    ),
    "demo": (_demo, {}, options.DemoOptions),
}


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog="dss", description="Deep song segmenter: finds animal song in audio recordings."
    )
    parser.add_argument("--version", action="version", version=f"dss {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (run, positionals, options_class) in _COMMANDS.items():
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        for positional, text in positionals.items():
            command.add_argument(positional, type=Path, help=text)
        if name == "evaluate":
            command.add_argument("--json", action="store_true", help="print the scores as JSON")
        if name == "train":
            help_text = "take options from a YAML file, or the _params.yaml of a run to repeat it"
            settings = {"dest": "options_file", "type": Path, "default": argparse.SUPPRESS}
            command.add_argument("--options", metavar="FILE", help=help_text, **settings)
        _add_options(command, options_class)
        command.set_defaults(run_command=run)
    return parser, commands.choices


def _add_options(parser: argparse.ArgumentParser, options_class: type[options.Options]) -> None:
    """A switch for each field; values stay text, which the options class reads and checks."""
    for title, names in options.grouped_fields(options_class).items():
        group = parser.add_argument_group(title)
        for name in names:
            _add_option(group, name, options_class.model_fields[name])


def _add_option(group: argparse._ArgumentGroup, name: str, field) -> None:
    flag = "--" + name.replace("_", "-")
    help_text = f"{field.description} {options.describe_range(field)}".replace("%", "%%")
    settings = {"dest": name, "default": argparse.SUPPRESS}
    if field.annotation is bool:
        switch = {"nargs": "?", "const": "true", "help": help_text, "metavar": "True|False"}
        group.add_argument(flag, **switch, **settings)
        off = {"action": "store_const", "const": "false", "help": argparse.SUPPRESS}
        group.add_argument(f"--no-{flag[2:]}", **off, **settings)
    elif options.holds_many(field):
        group.add_argument(flag, nargs="+", help=help_text, metavar="X", **settings)
    else:
        metavar = (field.json_schema_extra["unit"] or "X").upper()
        group.add_argument(flag, help=help_text, metavar=metavar, **settings)


def _explain_unknown(words: list[str], command: argparse.ArgumentParser | None) -> str:
    """What is said of words that mean nothing, with the switch that is nearest to the first."""
    switches = command._option_string_actions if command else {}
    meant = guess(words[0].partition("=")[0], switches)
    return f"unrecognized arguments: {' '.join(words)}{meant}"


def _spell_out_switches(arguments: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """Write `--switch True` as `--switch=True`, and a lone `--switch` as `--switch=true`.

    Otherwise a lone switch would take the word behind it, such as a file's name, for its value.
    """
    switches = {a.option_strings[0] for a in parser._actions if a.nargs == "?" and a.option_strings}
    spelled = []
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
