"""How well groups of segments agree with manual names: adjusted Rand index.

    python benchmarks/groups.py [--corpora zebra_finch bengalese_finch] [--no-umap]

Names are used only to judge. Segments in no group count as a group of their own. The other way is
that of AVN: spectrograms in dB, padded to one length, laid out by UMAP with 10 neighbours, grouped
by HDBSCAN with at least 4 % of the segments in a group (needs `pip install umap-learn`).
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import stft
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from dss.review.segment_features import describe_segments, list_segments
from dss.review.segment_groups import group_segments, lay_out_segments
from dss.review.views import open_views

SHARED = Path(__file__).parents[2] / "shared" / "data"
TRUSTED = {"zebra_finch_calls": [*"abcdefghi"]}  # the other names there say nothing
CORPORA = ("zebra_finch", "zebra_finch_calls", "bengalese_finch")
SIZES = {"1 %": 0.01, "4 %": 0.04}


def padded_spectrograms(views, segments):
    """Spectrograms as AVN computes them, padded with silence: [segments, values]."""
    pictures = []
    for number, _, _, start, stop in segments.itertuples(index=False, name=None):
        recording = views[number].recording
        rate = recording.samplerate_hz
        x = recording.read(round(start * rate), max(round(stop * rate), round(start * rate) + 512))
        _, _, spectra = stft(x[:, 0], rate, nperseg=441, noverlap=441 - 88, nfft=512)
        db = 20 * np.log10(np.maximum(abs(spectra) / abs(x).max(), 1e-5))
        pictures.append(np.clip((db + 28 + 20) / 28, 0, 1).astype(np.float32))
    longest = max(picture.shape[1] for picture in pictures)
    pad = [np.pad(p, ((0, 0), (0, longest - p.shape[1]))) for p in pictures]
    return np.stack(pad).reshape(len(pad), -1)


def on_a_map(xy, share):
    """Groups on a map by HDBSCAN."""
    return HDBSCAN(max(5, round(share * len(xy))), min_samples=5, copy=True).fit_predict(xy)


def umap_layout(x):
    """The layout by UMAP, with the options of AVN."""
    import umap

    return umap.UMAP(n_neighbors=10, min_dist=0.0, random_state=0).fit_transform(x)


def say(corpus, how, groups, names, seconds):
    """Print a row of the table."""
    trusted = np.isin(names, TRUSTED.get(corpus, names))
    score = adjusted_rand_score(names[trusted], groups[trusted])
    print(
        f"| `{corpus}` | {how} | {score:.3f} | {groups.max() + 1} | "
        f"{100 * (groups < 0).mean():.1f} % | {seconds:.1f} |",
        flush=True,
    )


def measure(corpus, is_umap):
    """Measure all ways on one corpus."""
    views = open_views(SHARED / corpus)
    segments = list_segments(views)
    names = segments["name"].to_numpy(str)
    begun = time.perf_counter()
    features = describe_segments(views, segments)
    print(f"| `{corpus}` | describe {len(segments)} | | | | {time.perf_counter() - begun:.1f} |")
    begun = time.perf_counter()
    groups = group_segments(features)
    say(corpus, "dss: HDBSCAN on features", groups, names, time.perf_counter() - begun)
    layouts = {"t-SNE of the features": lambda: lay_out_segments(features)}
    if is_umap:
        layouts["UMAP of the features"] = lambda: umap_layout(features)
        layouts["AVN: UMAP of padded spectrograms"] = lambda: umap_layout(
            padded_spectrograms(views, segments)
        )
    for how, lay_out in layouts.items():
        begun = time.perf_counter()
        xy = lay_out()
        seconds = time.perf_counter() - begun
        for text, share in SIZES.items():
            say(corpus, f"{how}, HDBSCAN {text}", on_a_map(xy, share), names, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", nargs="+", default=CORPORA)
    parser.add_argument("--no-umap", action="store_true")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    print("| corpus | way | adjusted Rand index | groups | in none | seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for corpus in given.corpora:
        measure(corpus, not given.no_umap)
