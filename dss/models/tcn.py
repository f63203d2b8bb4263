"""The temporal convolutional network: dilated convolutions with residual and skip connections.

Source: Bai, Kolter & Koltun (2018), arXiv:1803.01271; for animal song Steinfath, Palacios,
Rottschaefer, Yuezak & Clemens (2021), eLife 10:e68837.
"""

from itertools import pairwise

from dss.models.backend import keras
from dss.models.geometry import bins, pattern_shapes, separable_blocks
from dss.models.layers import (
    SOFTEST,
    AboveBackground,
    DilatedConv1D,
    LogSpectrogram,
    Standardize,
    UpsampleLinear,
    WithoutOffset,
)
from dss.options import NetworkOptions

MEAN = "mean"  # the layer that averages the scores of all members


def tcn(nb_channels: int, nb_classes: int, options: NetworkOptions) -> keras.Model:
    """Build the network.

    [Log spectrogram every 2**nb_pre_conv samples - [relative to its background], or [audio without
    offset] - frames of that many samples] - standardize - `nb_members` times side by side:
    [patterns in the spectrogram] - dense - `nb_conv` blocks of one residual layer per dilation -
    sum of all layers - [LSTM] - class scores - then the mean of these - [interpolation to the rate
    of the audio] - softmax.
    Features and scores have 32 bits, whatever the precision of the layers between.

    Arguments:
        nb_channels: the number of audio channels.
        nb_classes: the number of song types, plus noise.
        options: chunk duration, filters, blocks, and frontend.

    Returns: a model from audio [batch, nb_hist, channels] to probabilities [batch, nb_hist,
        classes]; its layer `logits` returns the scores before the softmax.
    """
    layers = keras.layers
    inputs = keras.Input((options.nb_hist, nb_channels), name="audio")
    x = inputs
    hop = 2**options.nb_pre_conv
    if hop > 1 and options.pre_nb_dft:
        floor, relative = options.pre_floor, options.pre_relative_floor
        shape = options.pre_nb_dft, hop, floor * (SOFTEST if relative else 1), bins(options)
        x = LogSpectrogram(*shape, name="spectrogram", dtype="float32")(x)
        if options.pre_background:
            around = options.pre_background, floor, relative
            x = AboveBackground(*around, name="background", dtype="float32")(x)
    else:
        if options.pre_background:
            around = options.pre_background * hop
            x = WithoutOffset(around, name="background", dtype="float32")(x)
        if hop > 1:
            frames = (options.nb_hist // hop, hop * nb_channels)
            x = layers.Reshape(frames, name="frames", dtype="float32")(x)
    x = Standardize(name="standardize", dtype="float32")(x)
    suffixes = ["", *(f"_member{i}" for i in range(1, options.nb_members))]
    scores = [_member(x, nb_channels, nb_classes, options, suffix) for suffix in suffixes]
    x = layers.Average(name=MEAN)(scores) if len(scores) > 1 else scores[0]
    upsample = UpsampleLinear(hop, name="logits", dtype="float32") if hop > 1 else None
    logits = (upsample or layers.Identity(name="logits", dtype="float32"))(x)
    probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
    return keras.Model(inputs, probabilities, name="tcn")


def members(model: keras.Model) -> list[keras.Model]:
    """The members of a network: each from audio to class scores at each frame.

    They share what has no weights to train, and the network's weights are theirs.
    """
    scores = model.get_layer("logits").input
    is_mean = any(layer.name == MEAN for layer in model.layers)
    each = model.get_layer(MEAN).input if is_mean else [scores]
    return [keras.Model(model.input, of_member) for of_member in each]


def split_at_patterns(network: keras.Model) -> list[keras.Model]:
    """A member in three parts, of which the second looks for patterns in the spectrogram; or whole,
    if it has none.
    """
    patterns = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    if not patterns:
        return [network]
    cuts = [network.input, patterns[0].input, patterns[-1].output, network.output]
    return [keras.Model(first, last) for first, last in pairwise(cuts)]


def _member(x, nb_channels: int, nb_classes: int, options: NetworkOptions, suffix: str):
    """The class scores of one member, from features [batch, frames, features]."""
    layers = keras.layers
    if options.pre_filters:
        x = _patterns(x, nb_channels, options.pre_filters, suffix)
    # Dense layers instead of convolutions of one frame, which are equivalent but slower to train.
    x = layers.Dense(options.nb_filters, name=f"input{suffix}")(x)
    skips = []
    for block, separable in enumerate(separable_blocks(options)):
        for dilation in options.dilations:
            name = f"block{block}_dilation{dilation}"
            shape = options.nb_filters, options.kernel_size, dilation, separable
            y = DilatedConv1D(*shape, name=f"{name}{suffix}")(x)
            y = layers.LayerNormalization(name=f"{name}_norm{suffix}")(y)
            y = layers.Activation("relu", name=f"{name}_relu{suffix}")(y)
            if options.dropout:
                y = layers.SpatialDropout1D(options.dropout, name=f"{name}_dropout{suffix}")(y)
            y = layers.Dense(options.nb_filters, name=f"{name}_mix{suffix}")(y)
            x = layers.Add(name=f"{name}_add{suffix}")([x, y])
            skips.append(y)
    return class_scores(skips, nb_classes, options, suffix)


def _patterns(x, nb_channels: int, n_filters: int, suffix: str):
    """Apply small filters to a spectrogram [batch, frames, channels * frequencies].

    They are the same at all frequencies, so they recognise song whose pitch varies.
    """
    layers = keras.layers
    n_frames, n_features = x.shape[1:]
    frames = (n_frames, nb_channels, n_features // nb_channels)
    x = layers.Reshape(frames, name=f"frequencies{suffix}")(x)
    x = layers.Permute((1, 3, 2), name=f"channels_last{suffix}")(x)
    style = {"padding": "same", "activation": "relu"}
    for name, shape in zip("ab", pattern_shapes(x.shape[2], n_filters), strict=True):
        filters, size, stride = shape
        x = layers.Conv2D(filters, size, (1, stride), **style, name=f"patterns_{name}{suffix}")(x)
    x = layers.Reshape((n_frames, x.shape[2] * x.shape[3]), name=f"features{suffix}")(x)
    return layers.LayerNormalization(name=f"patterns_norm{suffix}")(x)


def class_scores(skips: list, nb_classes: int, options: NetworkOptions, suffix: str = ""):
    """The score of each class in each frame, from the sum of all residual layers."""
    layers = keras.layers
    x = layers.Add(name=f"skips{suffix}")(skips) if len(skips) > 1 else skips[0]
    x = layers.Activation("relu", name=f"skips_relu{suffix}")(x)
    if options.nb_lstm_units:
        lstm = layers.LSTM(options.nb_lstm_units, return_sequences=True, name=f"one_way{suffix}")
        x = layers.Bidirectional(lstm, name=f"lstm{suffix}")(x)
    return layers.Dense(nb_classes, name=f"scores{suffix}", dtype="float32")(x)
