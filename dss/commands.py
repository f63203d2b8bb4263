"""The commands of `dss`: what each one calls and prints, and which options it takes."""

import re
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path

from dss import options
from dss.errors import DssError, DssWarning


def make_dataset(folder: Path, **named) -> None:
    """Assemble recordings and annotations into a dataset for training."""
    from dss.data import format_report, make_dataset, open_dataset
    from dss.support.progress import say

    store = make_dataset(folder, **named)
    print(format_report(open_dataset(store)))
    print(f"The dataset is in {store}")
    say(f"Train a network on it: dss train --data-dir {shlex.quote(str(store))}")


def check(folder: Path, **named) -> None:
    """Check recordings and annotations, and list all problems."""
    from dss.data import check_annotations
    from dss.data.problems import format_problems

    chosen = options.CheckOptions.checked(named)
    problems = check_annotations(folder, options=chosen)
    for severity in ("fixed", "warning", "error"):
        for problem in format_problems(problems[problems["severity"] == severity]):
            print(f"{severity}: {problem}")
    n_errors = int((problems["severity"] == "error").sum())
    n_fixed = int((problems["severity"] == "fixed").sum())
    counts = {"error": n_errors, "warning": len(problems) - n_errors - n_fixed}
    summary = ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counts.items())
    summary += f", {n_fixed} fixed" * bool(n_fixed)
    if n_errors:
        are_named = bool(problems["name"][problems["severity"] == "error"].notna().any())
        way = "; --skip-bad-rows leaves out annotations with impossible times" * are_named
        raise DssError(f"{summary}. Correct the errors before you make a dataset{way}.")
    print(summary)
    if chosen.with_network:
        with warnings.catch_warnings():
            for problem in format_problems(problems):  # which are printed already
                warnings.filterwarnings("ignore", re.escape(problem), DssWarning)
            _check_with_network(folder, chosen)


def _check_with_network(folder: Path, chosen: options.CheckOptions) -> None:
    from dss.data.assembly import default_store
    from dss.plot.annotation_errors import save_errors
    from dss.review.annotation_errors import find_annotation_errors, format_errors
    from dss.review.views import open_views
    from dss.support.files import check_writable

    save_dir = chosen.save_dir or default_store(folder).with_suffix(".check")
    check_writable(save_dir)
    errors = find_annotation_errors(folder, options=chosen)
    print(format_errors(errors))
    table, *pictures = save_errors(errors, open_views(folder, options=chosen), save_dir)
    print(f"The list is in {table}{f', with pictures in {pictures[0]}' if pictures else ''}.")
    if pictures:
        print("Look at each, correct what is wrong in notebook 1, and make the dataset again.")


def convert(folder: Path, **named) -> None:
    """Write annotations in the format of another program."""
    from dss.data import convert_annotations

    for path in convert_annotations(folder, **named):
        print(path)


def train(options_file: Path | None = None, **named) -> None:
    """Train a network on a dataset."""
    if options_file:
        named = {**options.read_options(options_file, options.TrainOptions), **named}
    own = options.TrainOptions.model_fields
    if named.get("write_script"):
        from dss.train.job_script import write_script

        print(f"The script is {write_script(**named)}")
    elif for_script := named.keys() & options.TrainCommandOptions.model_fields.keys() - own.keys():
        names = ", ".join(sorted(for_script))
        raise DssError(f"{names}: only used in a script; name the script with --write-script")
    else:
        from dss.models.worker_addresses import worker_index
        from dss.support.progress import say
        from dss.train import train

        trunk = train(**named)
        if worker_index() == 0:
            print(f"The files of the run begin with {trunk}")
            say(f"Annotate with it: dss predict RECORDINGS {shlex.quote(str(trunk))}")


def learning_curve(**named) -> None:
    """Train on parts of a dataset, and estimate how much more annotations would help."""
    from dss.train import format_learning_curve, learning_curve

    table = learning_curve(**named)
    print(table.round(3).to_string(index=False))
    print(format_learning_curve(table))


def propose(recordings: Path, **named) -> None:
    """Propose annotations without a network, from sounds that exceed the noise."""
    from dss.review.proposals import format_proposals, propose_files
    from dss.support.progress import say

    files = propose_files(recordings, after_each=lambda path: print(path, flush=True), **named)
    if files:
        say(format_proposals(files))  # standard output is for the files


def predict(recordings: Path, run: Path, **named) -> None:
    """Annotate recordings (a file, a folder or a pattern) with a trained network."""
    from dss.predict import expected_errors, predict_files
    from dss.runs import can_annotate
    from dss.support.progress import say

    if can_annotate(recordings):
        raise DssError(
            f"{recordings}: is a run; recordings come first: dss predict {run} {recordings}"
        )
    files = predict_files(recordings, run, after_each=lambda path: print(path, flush=True), **named)
    if not files:
        return
    format = named.get("format", "csv")
    if format != "csv":
        say(f"{format} has no place for confidence: it is left out; csv has a column for it")
        return
    try:
        say(str(expected_errors(files, run)))  # standard output is for the files
    except DssError as error:
        say(str(error))


def tune(run: Path, **named) -> None:
    """Tune thresholds, gaps and durations on the validation data, and store them with the run."""
    from dss.predict.tuning import format_tuned, tune

    print(format_tuned(tune(run, **named)))


def proofread(annotated: Path, **named) -> None:
    """List the least certain annotations, and suggest which recordings to annotate next."""
    from dss.predict.pending import target_paths
    from dss.review.novel_sounds import find_novel_sounds
    from dss.review.proofread import format_proofread, least_certain, rank_recordings

    chosen, novel = options.ProofreadFilesOptions.checked(named), None
    if chosen.recordings and chosen.known:
        folder = annotated if annotated.is_dir() else annotated.parent
        files = target_paths(chosen.recordings, folder, "csv", chosen.endings)
        wanted = {path: f for path, f in files.items() if f.is_file() and annotated in (f, folder)}
        if not wanted:
            raise DssError(f"{annotated}: contains no annotations of {chosen.recordings}")
        how = chosen.values_given(options.FileOptions)
        novel = find_novel_sounds(wanted, chosen.known, **how)
    least = least_certain(annotated, novel, n_least=chosen.n_least)
    print(format_proofread(least, rank_recordings(annotated, novel), novel))


def evaluate(true: Path, predicted: Path, json: bool = False, **named) -> None:
    """Compare predictions with true annotations: two files or two folders."""
    from dss.evaluate import format_summary, summarize

    if json:
        print(summarize(true, predicted, **named).to_json(orient="index", indent=2))
    else:
        print(format_summary(true, predicted, **named))


def demo(**named) -> None:
    """Run all stages on example recordings: make a dataset, train, annotate and score."""
    from dss.demo import demo

    demo(**named)


def notebooks(new_folder: Path, **named) -> None:
    """Write the four notebooks and their example recordings into a folder of yours."""
    from dss.examples import how_to_open, write_notebooks

    print(how_to_open(write_notebooks(new_folder, **named)))


# What the positional arguments of these functions are, for help texts.
POSITIONALS = {
    "annotated": "a STEM_annotations.csv written by dss predict, or a folder of such files",
    "folder": "folder of recordings with their annotations, in any format that dss reads",
    "new_folder": "the folder to create",
    "predicted": "predictions to compare with; files in folders are matched by name",
    "recordings": "an audio file, a folder, or a pattern in quotes, such as 'day1/*.wav'",
    "run": "the run: the part that its files' names share, any of them, or a folder with one run",
    "true": "manual annotations (STEM_annotations.csv), or a folder of such files",
}
# Each command: its function, and its options class.
COMMANDS: dict[str, tuple[Callable[..., None], type[options.Options]]] = {
    "check": (check, options.CheckOptions),
    "propose": (propose, options.ProposeOptions),
    "make-dataset": (make_dataset, options.DatasetOptions),
    "convert": (convert, options.ConvertOptions),
    "train": (train, options.TrainCommandOptions),
    "learning-curve": (learning_curve, options.LearningCurveOptions),
    "predict": (predict, options.PredictFilesOptions),
    "tune": (tune, options.TuneOptions),
    "proofread": (proofread, options.ProofreadFilesOptions),
    "evaluate": (evaluate, options.EvaluateOptions),
    "demo": (demo, options.DemoOptions),
    "notebooks": (notebooks, options.NotebooksOptions),
}
