import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import expit

from dss.cli import main
from dss.data import read_annotations
from dss.errors import DssError, DssWarning
from dss.options import DetectOptions, ToleranceOptions
from dss.predict import detect, expected_errors, predict
from dss.predict.calibrate import RECALL_THRESHOLDS, calibrated
from dss.predict.confidence import calibration_of, fit, read_calibration
from dss.predict.detection import with_run_options
from dss.predict.validation import ValidationStretch
from dss.runs import load_run, read_params, run_file, write_params


def overconfident(n, seed):
    """Probabilities of an overconfident network, and which annotations are right."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(3, 1.5, n)
    return expit(log_odds), rng.random(n) < expit(0.6 * log_odds - 0.3)


def test_confidence_is_how_often_annotations_are_right():
    p, is_right = overconfident(2000, 0)
    confidence = fit(p, is_right).confidence(p)
    others, right_of_others = overconfident(20000, 1)
    of_others = fit(p, is_right).confidence(others)
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1)):
        here = (of_others >= low) & (of_others < high)
        assert abs(of_others[here].mean() - right_of_others[here].mean()) < 0.03
    assert (np.argsort(confidence) == np.argsort(p)).all()


def several_recordings(n_recordings, deviation, seed):
    """The same for recordings in which the network is right more or less often; and their names."""
    rng = np.random.default_rng(seed)
    recordings = np.repeat(np.arange(n_recordings), 60)
    log_odds = rng.normal(3, 1.5, len(recordings))
    shift = deviation * rng.standard_normal(n_recordings)
    is_right = rng.random(len(recordings)) < expit(0.6 * log_odds - 0.3 + shift[recordings])
    return expit(log_odds), is_right, recordings.astype(str)


@pytest.mark.parametrize("deviation", [0, 1])
def test_the_interval_holds_the_mistakes_in_another_recording_nine_times_of_ten(deviation):
    held = 0
    for seed in range(40):
        p, is_right, recordings = several_recordings(5, deviation, seed)
        calibration = fit(p, is_right, recordings=recordings)
        p, is_right, _ = several_recordings(1, deviation, 100 + seed)
        names = pd.Series(["a"] * len(p))
        expected = calibration.expected(names, pd.Series(calibration.confidence(p)))
        held += expected.low <= np.sum(~is_right) <= expected.high
    assert 33 <= held <= 40


def test_the_interval_is_narrow_if_many_recordings_are_alike():
    widths = []
    for n_recordings, spread in ((2, 0), (30, 0), (30, 1)):
        p, is_right, recordings = several_recordings(n_recordings, spread, 0)
        # The same curve, so that only the recordings differ.
        deviation = fit(p, is_right, recordings=recordings).deviation
        calibration = fit(*overconfident(2000, 0)).model_copy(update={"deviation": deviation})
        confidence = pd.Series(calibration.confidence(overconfident(1000, 1)[0]))
        expected = calibration.expected(pd.Series(["a"] * 1000), confidence)
        widths.append(expected.high - expected.low)
    few, alike, different = widths
    assert alike < 0.7 * few < 0.7 * different


def test_few_annotations_say_little_and_fewer_than_ten_nothing():
    p = np.full(12, 0.95)
    calibration = fit(p, np.ones(12, bool))
    assert 0.9 < calibration.confidence(np.array([0.95]))[0] < 0.99
    assert fit(p[:9], np.ones(9, bool)) is None


def test_a_wish_for_precision_becomes_a_threshold():
    p, is_right = overconfident(5000, 0)
    calibration = fit(p, is_right)
    confidence = calibration.confidence(p)
    kept = confidence >= calibration.threshold(0.95)
    assert 0.94 < is_right[kept].mean() < 0.96
    assert kept.sum() > 500
    assert calibration.threshold(0.99999) is None


def test_each_song_type_has_a_curve_of_its_own():
    rng = np.random.default_rng(0)
    p = expit(rng.normal(2, 1, 600))
    names = np.repeat(["good", "bad", "rare"], [295, 300, 5])
    is_right = rng.random(600) < np.where(names == "bad", 0.5, 0.97)
    calibration = fit(p, is_right, names)
    assert set(calibration.types) == {"good", "bad"}
    table = pd.DataFrame({"name": names, "confidence": p})
    table["confidence"] = calibration.confidences(table["name"], table["confidence"])
    mean = table.groupby("name")["confidence"].mean()
    assert abs(mean["good"] - 0.97) < 0.04
    assert abs(mean["bad"] - 0.5) < 0.06
    assert mean["bad"] < mean["rare"] < mean["good"]
    expected = calibration.expected(table["name"], table["confidence"])
    assert expected.low <= np.sum(~is_right) <= expected.high
    again = read_calibration(yaml.safe_load(yaml.safe_dump(calibration.to_yaml_types())))
    assert again == calibration


def test_what_goes_on_where_nobody_looked_is_right(tiny_run):
    """Excerpts of song: the network finds it all, calibration and tuning know it only in part."""
    columns = ["name", "start_seconds", "stop_seconds"]
    starts = np.arange(1.0, 31, 2)
    true = pd.DataFrame({"name": "a", "start_seconds": starts, "stop_seconds": starts + 0.5})
    excerpts = true[columns[1:]].to_numpy()
    stretch = ValidationStretch(load_run(tiny_run[0]), "one", np.empty((0, 1)), true, excerpts)
    found = true.assign(
        start_seconds=starts - 0.3, stop_seconds=starts + 0.9, confidence=np.linspace(0.6, 0.9, 15)
    )
    pair = stretch.pair(found, frozenset("a"))
    learned = calibrated([pair], {0.5: [pair]}, {"a": "segment"}, ToleranceOptions())
    assert learned["calibration"]["recall"] == {"segment": [[0.5, 1.0]]}
    assert min(learned["calibration"]["validation"]) > 0.6


def test_training_calibrates_and_predicting_uses_it(tiny_run, folder):
    trunk, _ = tiny_run
    calibration = calibration_of(read_params(trunk))
    recording = next(folder.glob("*.wav"))
    table = predict(recording, trunk)
    assert table["confidence"].between(0, 1).all()
    expected = expected_errors(table, trunk)
    assert expected.n == len(table)
    assert expected.low <= expected.wrong <= expected.high
    sure = predict(recording, trunk, min_confidence=float(table["confidence"].median()))
    assert 0 < len(sure) < len(table)
    least = table["name"].map(lambda name: calibration.of(name).threshold(0.9))
    pd.testing.assert_frame_equal(
        predict(recording, trunk, precision=0.9),
        table[table["confidence"] >= least].reset_index(drop=True),
    )
    with pytest.raises(DssError, match="precision: 0.99999 is more than this network reaches"):
        predict(recording, trunk, precision=0.99999)


def test_types_that_are_never_sure_enough_are_reported():
    sure, unsure = (
        {"curve": [0, 1], "covariance": np.eye(2).tolist(), "validation": v}
        for v in ([0.9, 0.99], [0.5, 0.6])
    )
    stored = {**sure, "types": {"a": sure, "b": unsure}}
    params = {"class_names": ["noise", "a", "b"], "class_types": ["segment"] * 3}
    params["detect"] = {"calibration": stored}
    options = DetectOptions(precision=0.95)
    with pytest.warns(DssWarning, match="precision: b does not reach 0.95"):
        options = with_run_options(options, params)
    p = np.tile([1.0, 0.0, 0.0], (3000, 1))
    p[100:200], p[1000:1100] = [0.001, 0.999, 0], [0.001, 0, 0.999]
    types = {"a": "segment", "b": "segment"}
    found = detect([p], types, 1000, read_calibration(stored), options=options)
    assert found["name"].tolist() == ["a"]


def test_a_wish_for_recall_lowers_thresholds():
    curve = {"curve": [0, 1], "covariance": np.eye(2).tolist(), "validation": [0.9, 0.99]}
    recall = {"segment": [[0.5, 0.7], [0.3, 0.9], [0.1, 0.95]]}
    params = {"detect": {"calibration": {**curve, "recall": recall}}}
    params |= {"class_names": ["noise", "a"], "class_types": ["segment"] * 2}
    for wish, threshold in ((0.6, 0.5), (0.8, 0.3), (0.9, 0.3), (0.94, 0.1)):
        assert with_run_options(DetectOptions(recall=wish), params).segment_threshold == threshold
    hold = with_run_options(DetectOptions(recall=0.8, segment_hold_threshold=0.4), params)
    assert (hold.segment_threshold, hold.segment_hold_threshold) == (0.3, 0.3)
    own = DetectOptions(recall=0.8, segment_threshold=0.6)
    assert with_run_options(own, params).segment_threshold == 0.6
    with pytest.raises(DssError, match="with a threshold of 0.1, it finds 0.950 of the segments"):
        with_run_options(DetectOptions(recall=0.99), params)
    del params["detect"]["calibration"]["recall"]
    with pytest.raises(DssError, match="recall: it is not known yet"):
        with_run_options(DetectOptions(recall=0.8), params)


def test_training_stores_what_lower_thresholds_find(tiny_run):
    recall = calibration_of(read_params(tiny_run[0])).recall
    for points in recall.values():
        thresholds, found = np.transpose(points)
        assert thresholds.tolist() == RECALL_THRESHOLDS
        assert 0 < found.min() <= found.max() <= 1
    assert recall


def test_the_command_says_how_many_are_wrong(tiny_run, folder, tmp_path, capsys):
    out = tmp_path / "annotated"
    assert main(["predict", str(folder), str(tiny_run[0]), "--save-dir", str(out)]) == 0
    files = sorted(out.glob("*_annotations.csv"))
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == str(expected_errors(files, tiny_run[0]))
    assert said.startswith(f"{sum(len(read_annotations(file)) for file in files)} annotations: ")


def test_a_run_from_before_gives_the_probability(tiny_run, folder, tmp_path, capsys):
    params = read_params(tiny_run[0])
    trunk = tmp_path / "old"
    run_file(trunk, "_model.h5").symlink_to(run_file(tiny_run[0], "_model.h5"))
    detect_options = {k: v for k, v in params["detect"].items() if k != "calibration"}
    write_params(trunk, params | {"detect": detect_options})
    recording = next(folder.glob("*.wav"))
    old, new = predict(recording, trunk), predict(recording, tiny_run[0])
    calibration = calibration_of(params)
    assert np.allclose(calibration.confidences(old["name"], old["confidence"]), new["confidence"])
    with pytest.raises(DssError, match="is not calibrated, .* Run `dss tune"):
        expected_errors(old, trunk)
    assert main(["predict", str(recording), str(trunk), "--save-dir", str(tmp_path)]) == 0
    assert "old: is not calibrated, so confidence is the network's own" in capsys.readouterr().err
    other = ["--save-dir", str(tmp_path), "--format", "raven"]
    assert main(["predict", str(recording), str(trunk), *other]) == 0
    assert "raven has no place for confidence: it is left out" in capsys.readouterr().err
    with pytest.raises(DssError, match="it is not known yet how often"):
        predict(recording, trunk, precision=0.9)


@pytest.mark.parametrize(
    "broken",
    [
        {"curve": [1]},
        {"curve": "1"},
        {"validation": []},
        {"validation": ["a"]},
        {"types": {"a": {"curve": [0, 1]}}},
        {"recall": {"segment": [0.5]}},
        {"recall": {"segment": []}},
        {"recall": {"sine": [[0.5, 1]]}},
    ],
)
def test_a_damaged_calibration_is_reported(tiny_run, folder, tmp_path, broken):
    params = read_params(tiny_run[0])
    trunk = tmp_path / "damaged"
    run_file(trunk, "_model.h5").symlink_to(run_file(tiny_run[0], "_model.h5"))
    stored = params["detect"] | {"calibration": params["detect"]["calibration"] | broken}
    write_params(trunk, params | {"detect": stored})
    with pytest.raises(DssError, match=r"/damaged: detect: the calibration in .* is damaged"):
        predict(next(folder.glob("*.wav")), trunk)


def test_without_a_calibration_confidence_is_the_probability():
    p = np.tile([1.0, 0.0], (1000, 1))
    p[100:200] = [0.1, 0.9]
    assert detect([p], {"a": "segment"}, 1000)["confidence"].tolist() == pytest.approx([0.9])
    assert detect([p], {"a": "segment"}, 1000, min_confidence=0.95).empty
