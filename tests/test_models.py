import itertools
import logging

import h5py
import numpy as np
import pytest
import scipy.signal

from dss import models
from dss.errors import DssError
from dss.options import NetworkOptions, TrainOptions

SMALL = {"nb_hist": 64, "nb_filters": 4, "kernel_size": 3, "nb_conv": 1, "dilations": [1, 2, 4]}
FRONTEND = {**SMALL, "nb_hist": 256, "nb_pre_conv": 3, "pre_nb_dft": 32}
FRAMES = {**SMALL, "nb_hist": 256, "nb_pre_conv": 2, "pre_nb_dft": 0}


def build(n_channels=1, n_classes=3, **options):
    from dss.models.backend import keras

    keras.utils.set_random_seed(0)  # of four filters, chance can make all dead
    return models.build(NetworkOptions(**{**SMALL, **options}), n_channels, n_classes)


@pytest.mark.parametrize(
    "settings", [SMALL, {**FRONTEND, "nb_members": 2}, {**SMALL, "use_separable": [True]}]
)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_there_is_a_probability_for_each_class_and_sample(settings, n_channels):
    model = build(n_channels, n_classes=5, **settings)
    x = np.random.default_rng(0).standard_normal((2, settings["nb_hist"], n_channels))
    p = model.predict(x.astype("float32"), verbose=0)
    assert p.shape == (2, settings["nb_hist"], 5)
    np.testing.assert_allclose(p.sum(axis=2), 1, atol=1e-5)


@pytest.mark.parametrize(("kernel_size", "dilation"), [(3, 1), (3, 4), (16, 8), (7, 5), (4, 64)])
def test_the_dilated_convolution_is_that_of_keras(kernel_size, dilation):
    from dss.models.backend import keras
    from dss.models.layers import DilatedConv1D

    x = np.random.default_rng(0).standard_normal((2, 61, 3)).astype("float32")
    ours = DilatedConv1D(5, kernel_size, dilation, separable=False)
    theirs = keras.layers.Conv1D(5, kernel_size, padding="same", dilation_rate=dilation)
    y = ours(x)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(y, theirs(x), atol=1e-5)


def test_a_separable_convolution_filters_channels_first_and_mixes_them_second():
    from dss.models.layers import DilatedConv1D

    x = np.random.default_rng(0).standard_normal((1, 40, 2)).astype("float32")
    layer = DilatedConv1D(1, 3, 2, separable=True)
    y = np.asarray(layer(x))[0, :, 0]
    depthwise, pointwise, bias = layer.get_weights()
    padded = np.pad(x[0], [(2, 2), (0, 0)])
    taps = np.stack([padded[0:-4], padded[2:-2], padded[4:]])  # [tap, samples, channels]
    filtered = (taps * depthwise[:, None, :, 0]).sum(axis=0)
    np.testing.assert_allclose(y, filtered @ pointwise[0, :, 0] + bias, atol=1e-5)


def test_the_frontend_is_a_hann_stft_at_first():
    from dss.models.layers import LogSpectrogram

    window, hop = 64, 16
    x = np.random.default_rng(0).standard_normal(640).astype("float32")
    layer = LogSpectrogram(window, hop, 1e-6)
    ours = np.exp(np.asarray(layer(x[None, :, None]))[0]) - layer.floor
    # A frame of ours is centred on the middle of its hop samples.
    left = (window - hop) // 2
    first = -(-left // hop)  # the first frame that lies in the audio
    _, _, theirs = scipy.signal.stft(
        x[first * hop - left :],
        window=scipy.signal.windows.hann(window, sym=False),
        nperseg=window,
        noverlap=window - hop,
        boundary=None,
        padded=False,
    )
    power = np.abs(2 * theirs.T) ** 2
    np.testing.assert_allclose(ours[first : first + len(power)], power, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("window", "hop"), [(64, 16), (50, 16), (8, 32), (256, 2)])
def test_a_frontend_that_is_still_a_stft_computes_it_faster(window, hop):
    from dss.models.layers import LogSpectrogram

    x = np.random.default_rng(0).standard_normal((2, 640, 2)).astype("float32")
    layer = LogSpectrogram(window, hop, 1e-6)
    y = layer(x)
    layer.settle()
    assert layer.is_fourier
    np.testing.assert_allclose(np.exp(layer(x)), np.exp(y), rtol=1e-4, atol=1e-6)
    layer.kernel.assign(0.9 * layer.kernel)
    layer.settle()
    assert not layer.is_fourier


@pytest.mark.parametrize(("window", "hop"), [(50, 16), (16, 16), (8, 32), (256, 2)])
def test_the_frontend_takes_any_window(window, hop):
    from dss.models.layers import LogSpectrogram

    x = np.zeros((1, 512, 1), "float32")
    x[0, 256] = 1  # between two hops of 16 and 32: both sides see the same
    frames = np.asarray(LogSpectrogram(window, hop, 1e-6)(x))[0].max(axis=1)
    np.testing.assert_allclose(frames, frames[::-1], atol=0.7)
    assert len(frames) == 512 // hop


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"nb_pre_conv": 0}, "pre_relative_floor: there is no spectrogram"),
        ({"pre_nb_dft": 0}, "pre_relative_floor: there is no spectrogram"),
        ({"pre_background": 0}, "pre_relative_floor: needs a background window"),
        ({"model_name": "das_tcn"}, "pre_background: das_tcn has no such window"),
    ],
)
def test_options_of_the_background_go_together(other, problem):
    settings = {**FRONTEND, "pre_background": 8, "pre_relative_floor": 0.3, **other}
    with pytest.raises(DssError, match=problem):
        models.check(NetworkOptions(**settings))


def test_the_network_sees_the_bins_that_it_is_to_see():
    whole, part = (
        models.build(NetworkOptions(**FRONTEND, pre_bins=bins), 2, 3).get_layer("spectrogram")
        for bins in ([], [2, 9])
    )
    x = np.random.default_rng(0).standard_normal((1, 512, 2)).astype("float32")
    for settle in (False, True):
        if settle:
            whole.settle()
            part.settle()
            assert part.is_fourier
        every = np.asarray(whole(x)).reshape(-1, 2, whole.n_bins)
        seen = np.asarray(part(x)).reshape(-1, 2, 8)
        np.testing.assert_allclose(seen, every[:, :, 2:10], atol=1e-4)


@pytest.mark.parametrize("bins", [[3], [9, 2], [2, 17]])
def test_bins_that_are_not_there_are_an_error(bins):
    with pytest.raises(DssError, match="pre_bins: .* cannot be the first and the last bin"):
        models.check(NetworkOptions(**FRONTEND, pre_bins=bins))


@pytest.mark.parametrize("n_frames", [1, 2, 5, 8, 13])
def test_power_above_background_is_that_above_a_soft_minimum_of_what_is_not_silent(n_frames):
    from dss.models.layers import AboveBackground

    floor, power = 1e-6, np.random.default_rng(0).uniform(1e-5, 1, (30, 2))
    power[20:] = floor  # silence
    x = np.log(power).astype("float32")
    y = np.asarray(AboveBackground(n_frames, floor)(x[None]))[0]
    for frame in range(20):
        first = max(0, frame - n_frames // 2)
        around = power[first : min(20, frame - n_frames // 2 + n_frames)]
        background = np.mean(around**-0.5, axis=0) ** -2
        np.testing.assert_allclose(y[frame], np.log(power[frame] / background), atol=1e-4)


def test_above_the_background_all_levels_look_alike():
    from dss.models.layers import AboveBackground, LogSpectrogram

    x = np.random.default_rng(0).standard_normal((1, 2048, 1)).astype("float32")
    soft, loud = (
        AboveBackground(16, 1e-14)(LogSpectrogram(64, 16, 1e-14)(level * x)) for level in (0.01, 1)
    )
    np.testing.assert_allclose(soft, loud, atol=1e-2)


@pytest.mark.parametrize("level", [0.01, 0.1, 1])
def test_a_relative_floor_falls_with_the_level_but_never_rises(level):
    from dss.models.layers import SOFTEST, AboveBackground, LogSpectrogram

    rng = np.random.default_rng(0)
    x = 1e-3 * rng.standard_normal((1, 4096, 1)).astype("float32")
    x[:, 2048] = 1  # a click
    floor = 5e-9  # a tenth of the noise

    def seen(x, relative=0.0):
        power = LogSpectrogram(64, 16, floor * (SOFTEST if relative else 1))(x)
        return np.asarray(AboveBackground(40, floor, relative)(power))

    assert np.abs(seen(level * x, 0.3) - seen(x)).mean() < 0.3
    if level < 1:  # the same floor for all hides the noise
        assert np.abs(seen(level * x) - seen(x)).mean() > 0.5
    np.testing.assert_allclose(seen(100 * x, 0.3), seen(100 * x), atol=0.01)


@pytest.mark.parametrize("n_samples", [1, 5, 8])
def test_audio_without_offset_is_that_minus_the_mean_around(n_samples):
    from dss.models.layers import WithoutOffset

    x = np.random.default_rng(0).standard_normal((2, 40, 2)).astype("float32")
    y = np.asarray(WithoutOffset(n_samples)(x + 3))
    for sample in range(40):
        first = sample - n_samples // 2
        around = x[:, max(0, first) : first + n_samples]
        np.testing.assert_allclose(y[:, sample], x[:, sample] - around.mean(axis=1), atol=1e-5)


def test_upsampling_is_linear_between_the_centres_of_frames():
    from dss.models.layers import UpsampleLinear

    x = np.array([1.0, 5.0, 3.0], "float32")
    y = np.asarray(UpsampleLinear(4)(x[None, :, None]))[0, :, 0]
    centres = np.arange(3) * 4 + 1.5
    np.testing.assert_allclose(y, np.interp(np.arange(12), centres, x), atol=1e-6)


@pytest.mark.parametrize("settings", [SMALL, {**FRONTEND, "nb_members": 2}, FRAMES])
def test_shifting_the_input_shifts_the_output(settings):
    model = build(**settings)
    hop = 2 ** settings.get("nb_pre_conv", 0)
    x = np.random.default_rng(0).standard_normal((1, settings["nb_hist"], 1)).astype("float32")
    shift = 3 * hop
    a, b = (model.predict(v, verbose=0)[0] for v in (x, np.roll(x, shift, axis=1)))
    reach = models.receptive_field(NetworkOptions(**settings)) // 2 + 1
    np.testing.assert_allclose(b[shift + reach : -reach], a[reach : -reach - shift], atol=1e-5)


@pytest.mark.parametrize(
    "settings", [SMALL, {**FRONTEND, "nb_hist": 512, "pre_nb_dft": 50}, FRAMES]
)
def test_the_receptive_field_is_what_can_change_a_prediction(settings):
    model = build(**settings)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, settings["nb_hist"], 1)).astype("float32")
    middle = settings["nb_hist"] // 2 + 1
    reached = []
    for i in range(settings["nb_hist"]):
        changed = x.copy()
        changed[0, i] += 10
        reached.append(changed[0])
    p = model.predict(np.array(reached), batch_size=256, verbose=0)[:, middle]
    reached = np.flatnonzero(np.abs(p - model.predict(x, verbose=0)[0, middle]).max(axis=1) > 0)
    stated = models.receptive_field(NetworkOptions(**settings))
    assert np.ptp(reached) + 1 <= stated
    assert np.ptp(reached) + 1 >= 0.9 * stated


def test_the_scores_are_the_mean_of_the_members_which_differ():
    from dss.models.backend import keras
    from dss.models.tcn import members

    model = build(**FRONTEND, pre_filters=2, nb_members=3)
    x = np.random.default_rng(0).standard_normal((1, FRONTEND["nb_hist"], 1)).astype("float32")
    each = [np.asarray(member(x)) for member in members(model)]
    frames = keras.Model(model.input, model.get_layer("logits").input)
    np.testing.assert_allclose(frames(x), np.mean(each, axis=0), atol=1e-5)
    assert all(np.abs(a - b).max() > 0.01 for a, b in itertools.combinations(each, 2))
    single, _, last = ([w.path for w in member.weights] for member in members(model))
    assert [path.replace("_member2", "") for path in last] == single


def test_compiled_steps_learn_what_others_learn(monkeypatch):
    from dss.models import turns
    from dss.models.workers import ALONE

    settings = {**FRONTEND, "dilations": [2], "pre_filters": 2, "batch_size": 4}
    options = TrainOptions(data_dir=".", **settings)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, options.nb_hist, 1)).astype("float32")
    y = np.eye(3, dtype="float32")[rng.integers(3, size=(4, options.nb_hist))]
    weight = rng.integers(2, size=(4, options.nb_hist)).astype("float32")
    learned = []
    for steps in (0, 10**9):  # beyond which a network is compiled
        monkeypatch.setattr(turns, "COMPILE_STEPS", steps)
        model = build(**options.values_given(NetworkOptions))
        at_work = turns.Turns(model, options, 3, ALONE)
        at_work.optimizer.learning_rate.assign(0.01)
        losses = [float(at_work.learn(x, y, weight)) for _ in range(4)]
        judged = at_work.judge(x, y, weight)
        learned.append(np.concatenate([losses, *(np.ravel(value) for value in judged)]))
    np.testing.assert_allclose(*learned, rtol=1e-4)
    assert learned[0][3] < learned[0][0]


def test_what_members_share_is_not_trained():
    model = build(**FRONTEND, nb_members=2)
    models.freeze(model, ["input"])
    frozen = {layer.name for layer in model.layers if layer.weights and not layer.trainable}
    assert frozen == {"spectrogram", "input", "input_member1"}


def test_the_output_is_what_the_mathematics_says():
    """One layer, all by hand: standardize, mix, convolve, normalise, relu, mix, add, score."""
    model = build(1, 2, nb_filters=2, dilations=[2], kernel_size=3)
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    w = {weight.path: weight.numpy() for weight in model.weights}
    x = rng.standard_normal((64, 1)).astype("float32")
    h = (x - w["standardize/mean"]) * w["standardize/scale"]
    h = h @ w["input/kernel"] + w["input/bias"]
    name = "block0_dilation2"
    padded = np.pad(h, [(2, 2), (0, 0)])
    kernel = w[f"{name}/conv/kernel"]
    y = sum(padded[2 * k : 2 * k + 64] @ kernel[k] for k in range(3)) + w[f"{name}/conv/bias"]
    y = (y - y.mean(1, keepdims=True)) / np.sqrt(y.var(1, keepdims=True) + 1e-3)
    y = np.maximum(y * w[f"{name}_norm/gamma"] + w[f"{name}_norm/beta"], 0)
    y = y @ w[f"{name}_mix/kernel"] + w[f"{name}_mix/bias"]
    scores = np.maximum(y, 0) @ w["scores/kernel"] + w["scores/bias"]
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(x[None], verbose=0)[0], p, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nb_hist": 6}, "chunk of 6 samples is too short for the filters: 3 .* nothing is left"),
        (
            {"nb_pre_conv": 3, "nb_hist": 100},
            "100 is not a multiple of the downsampling factor 8. Use 96",
        ),
        ({"use_separable": [True, False, True]}, "has 3 values for 1 blocks"),
        ({"nb_members": 2, "model_name": "das_tcn", "nb_pre_conv": 0}, "has a single member"),
        ({"nb_pre_conv": 1, "pre_nb_dft": 7}, "window of 7 samples is too short"),
        (
            {"nb_pre_conv": 1, "pre_nb_dft": 0, "model_name": "das_tcn"},
            "not with das_tcn, which needs one",
        ),
    ],
)
def test_options_that_do_not_fit_are_an_error(options, message):
    with pytest.raises(DssError, match=message):
        build(**options)


def test_boundaries_are_ignored_unless_asked():
    options = NetworkOptions(nb_hist=256, kernel_size=32, nb_conv=3)
    assert models.padding(options) == 96
    assert models.padding(options.model_copy(update={"ignore_boundaries": False})) == 0


def test_weights_come_back_and_misfits_are_named(tmp_path):
    model, again = build(), build()
    models.save_weights(model, tmp_path / "w.h5")
    models.load_weights(again, tmp_path / "w.h5")
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(
        DssError, match=r"scores/kernel: has shape \(4, 3\) in the file, but \(4, 7\)"
    ):
        models.load_weights(build(n_classes=7), tmp_path / "w.h5")
    for values in (np.full(16, np.nan, "f4"), np.zeros(16, complex), np.bytes_(b"x"), "x"):
        with h5py.File(tmp_path / "broken.h5", "w") as file:
            file["input/bias"] = values
        with pytest.raises(DssError, match="input/bias: contains values that are not numbers"):
            models.load_weights(model, tmp_path / "broken.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        del file["input/bias"]
        file["extra"] = np.zeros(3)
    with pytest.raises(
        DssError, match="input/bias: missing from the file\n  extra: belongs to no layer"
    ):
        models.load_weights(model, tmp_path / "w.h5")


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 4},
        {**FRONTEND, "pre_nb_dft": 50},
        {**FRONTEND, "pre_background": 9},
        {**FRONTEND, "pre_background": 9, "pre_relative_floor": 0.3},
        {**FRONTEND, "pre_background": 8, "pre_relative_floor": 1},
        {**FRONTEND, "pre_background": 9, "pre_nb_dft": 0},
        {"nb_pre_conv": 0, "pre_background": 9},
        {**FRONTEND, "pre_filters": 2},
        {**FRONTEND, "pre_filters": 2, "pre_background": 9, "pre_bins": [2, 9]},
    ],
)
def test_a_sample_is_judged_by_all_that_filters_reach_wherever_blocks_begin(settings):
    from dss.models.inference import Network

    options = NetworkOptions(**{**SMALL, **settings})
    model = models.build(options, 1, 3)
    x = np.random.default_rng(0).standard_normal((1500, 1)).astype("float32")

    def probabilities(x, block_samples):
        network = Network(model, options, block_samples)
        return np.concatenate([p for _, p in network.blocks(lambda a, b: x[a:b], len(x))])

    whole = probabilities(x, 2048)
    np.testing.assert_allclose(probabilities(x, 64), whole, atol=1e-5)
    reach, cut = models.reach(options), 64
    np.testing.assert_allclose(probabilities(x[cut:], 256)[reach:], whole[cut + reach :], atol=1e-5)
    np.testing.assert_allclose(
        probabilities(x[:-cut], 256)[:-reach], whole[: -cut - reach], atol=1e-5
    )
    assert np.abs(probabilities(x[cut:], 256) - whole[cut:]).max() > 1e-3


def test_short_recordings_are_computed_in_short_blocks():
    options = NetworkOptions(nb_hist=32768, nb_pre_conv=5, dilations=[1, 4, 16, 48], kernel_size=7)
    assert models.best_block(options, 20_000) < models.best_block(options, 10_000_000)


def test_many_networks_in_one_session_are_nothing_to_warn_of(caplog, monkeypatch):
    """Comparing runs is not what TensorFlow warns about: a network traced again and again."""
    from dss.models.inference import Network

    monkeypatch.setattr(logging.getLogger("tensorflow"), "propagate", True)
    for _ in range(5):
        network = Network(build(), NetworkOptions(**SMALL), 50)
        network.block(np.zeros((network.nb_hist, 1), "float32"))
    assert "retracing" not in caplog.text
