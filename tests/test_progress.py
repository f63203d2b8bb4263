import threading
import time

import numpy as np
import pytest

from dss.data import make_dataset
from dss.support.progress import bar, quiet, say, shown_by
from dss.train.history import show


def test_progress_can_be_shown_elsewhere(capsys):
    calls = []
    with shown_by(lambda *call: calls.append(call)), bar(total=3, desc="train") as progress:
        for _ in range(3):
            time.sleep(0.11)  # bars are drawn ten times a second
            progress.update()
    assert calls[0] == ("train", 0, 3)
    assert calls[-1] == ("train", 3, 3)
    assert capsys.readouterr().err == ""


def test_what_shows_progress_can_stop_the_work_and_nothing_is_left(folder):
    def stop(*call):
        raise InterruptedError

    with shown_by(stop), pytest.raises(InterruptedError):
        make_dataset(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["song"]
    other = threading.Thread(target=make_dataset, args=[folder], daemon=True)
    other.start()
    other.join(30)  # tqdm's lock is free again
    assert not other.is_alive()
    assert folder.with_suffix(".npy").is_dir()


def test_an_epoch_says_nothing_of_song_types_that_validation_lacks(capsys):
    row = {"epoch": 1, "loss": 0.5, "val_loss": 0.6, "val_f1_noise": 1, "seconds_left": 9}
    for f1 in ({"val_f1_a": 0.9, "val_f1_call": np.nan}, {"val_f1_call": np.nan}):
        show(bar(total=2), row | f1, 2)
    losses = "epoch 1/2: loss 0.5000, validation loss 0.6000"
    left = "at most 0:00:09 left"
    said = [f"{losses}, F1 a 0.90, {left}", f"{losses}, {left}"]
    assert capsys.readouterr().err.splitlines() == said


def test_quiet_work_prints_no_lines(capsys):
    with quiet():
        say("epoch 1")
    say("done")
    assert capsys.readouterr().err == "done\n"
