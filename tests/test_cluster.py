import os
import signal

import pytest
from conftest import tone_song, write_recording

from dss.errors import DssError
from dss.predict import predict_files


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def test_a_cluster_that_loses_a_worker_gives_what_one_process_gives(
    tiny_run, cluster, tmp_path, capsys
):
    from distributed import Client

    songs = tmp_path / "songs"
    for i in range(8):
        x, rows = tone_song(seed=200 + i, seconds=10)
        write_recording(songs, f"{i}", x, 1000, rows)
    (songs / "broken.wav").write_bytes(b"RIFF")
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        victim, other = client.run(os.getpid).values()
    assert victim != other

    def kill_a_worker(path):
        nonlocal victim
        if victim:
            os.kill(victim, signal.SIGKILL)
            victim = None

    alone, spread = tmp_path / "alone", tmp_path / "spread"
    with pytest.raises(DssError, match="1 of 9 recordings"):
        predict_files(songs, tiny_run[0], save_dir=alone)
    with pytest.raises(DssError, match=r"1 of 9 recordings(.|\n)*broken\.wav"):
        predict_files(
            songs,
            tiny_run[0],
            save_dir=spread,
            scheduler=cluster.scheduler_address,
            after_each=kill_a_worker,
        )
    assert victim is None
    for i in range(8):
        name = f"{i}_annotations.csv"
        assert (spread / name).read_text() == (alone / name).read_text()
    assert len(list(spread.iterdir())) == 8 + 1  # and what was written


def test_an_address_where_nothing_answers_is_an_error(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr("dss.predict.cluster.CONNECT_SECONDS", 1)
    x, rows = tone_song(seed=0)
    wav = write_recording(tmp_path, "a", x, 1000, rows)
    with pytest.raises(DssError, match=r"scheduler: there is none at tcp://127\.0\.0\.1:9"):
        predict_files(wav, tiny_run[0], save_dir=tmp_path / "out", scheduler="tcp://127.0.0.1:9")
