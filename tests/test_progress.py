import threading
import time

import pytest

from dss.data import make_dataset
from dss.support.progress import bar, shown_by


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
