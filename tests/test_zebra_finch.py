"""The main job on real recordings: train with twelve, annotate and score the two others."""

from dss.data import annotations_path, find_recordings, make_dataset
from dss.evaluate import evaluate
from dss.predict import predict_files
from dss.train import train

JUDGED = ("birdname_130519_113047_3", "birdname_130519_115957_31")


def test_the_song_of_a_real_finch_is_annotated(zebra_finch, tmp_path):
    for recording in find_recordings(zebra_finch):
        folder = tmp_path / ("judged" if recording.stem in JUDGED else "learned")
        folder.mkdir(exist_ok=True)
        for file in (recording, annotations_path(recording)):
            (folder / file.name).symlink_to(file)
    store = make_dataset(tmp_path / "learned", test_fraction=0)
    run = train(data_dir=store, auto=True, nb_epoch=5)
    predict_files(tmp_path / "judged", run, save_dir=tmp_path / "annotated")
    scores = evaluate(tmp_path / "judged", tmp_path / "annotated", tolerance_seconds=0.01)
    assert len(scores) == 6 + 1
    assert scores.loc["all", "true"] == 42
    assert scores.loc["all", "f1"] >= 0.95
