"""What the options of a network say before it is built: its reach, its size, and what is wrong."""

import math

from dss.errors import raise_problems
from dss.options import NetworkOptions

BLOCK_SAMPLES = 2**18, 2**15  # longer blocks are hardly faster on CPUs
PLACES = 32  # positions along frequency of the first filters on a spectrogram


def padding(options: NetworkOptions) -> int:
    """Return how many samples to ignore at each end of a chunk, where filters reach beyond it."""
    if not options.ignore_boundaries:
        return 0
    if options.model_name == "das_tcn":
        return options.kernel_size * options.nb_conv
    return options.kernel_size * options.nb_conv * 2**options.nb_pre_conv


def first_chunk(options: NetworkOptions) -> int:
    """Return the sample at which the first chunk of a recording starts; it is never positive.

    In DAS, chunks start at multiples of the stride, and the predictions depend on that.
    """
    before = padding(options)
    return -before if options.model_name == "tcn" else 2 * before - options.nb_hist


def reach(options: NetworkOptions) -> int | None:
    """Return how many samples before or after a sample can affect its prediction, in whole frames.

    None if the whole chunk can: with an LSTM, or in a DAS model, which normalizes each chunk by its
    loudest sound.
    """
    if options.model_name != "tcn" or options.nb_lstm_units:
        return None
    taps = options.kernel_size - 1
    frames = options.nb_conv * sum(math.ceil(taps * dilation / 2) for dilation in options.dilations)
    frames += math.ceil(options.pre_background / 2)
    if options.nb_pre_conv == 0:
        return frames
    hop = 2**options.nb_pre_conv
    frames += math.ceil(options.pre_background / 4) if options.pre_relative_floor else 0
    frames += bool(options.pre_filters)
    # Samples are interpolated between two frames, and the window is wider than a frame.
    return (frames + 1 + math.ceil(max(options.pre_nb_dft - hop, 0) / 2 / hop)) * hop


def best_block(options: NetworkOptions, n_samples: int) -> int:
    """Choose the block size that processes this many samples faster.

    Long blocks overlap less in total; short blocks waste less padding on short recordings.
    """
    overlap = 2 * (reach(options) or 0)
    return min(BLOCK_SAMPLES, key=lambda block: math.ceil(n_samples / block) * (block + overlap))


def receptive_field(options: NetworkOptions) -> int:
    """Return the receptive field: how many samples of audio can affect one prediction.

    This covers the convolutions only; an LSTM always sees the whole chunk, and `pre_background`
    has its own frames.
    """
    frames = 1 + options.nb_conv * sum(options.dilations) * (options.kernel_size - 1)
    if options.nb_pre_conv == 0:
        return frames
    hop = 2**options.nb_pre_conv
    frames += 2 * bool(options.pre_filters)
    # Samples are interpolated between two frames, and the window is wider than a frame.
    return frames * hop + max(options.pre_nb_dft, hop)


def count_weights(options: NetworkOptions, nb_channels: int, nb_classes: int) -> int:
    """Count the weights of the network that `build` returns, without building it."""
    is_das = options.model_name == "das_tcn"
    filters, taps, n_features, shared = options.nb_filters, options.kernel_size, nb_channels, 0
    if options.nb_pre_conv and not options.pre_nb_dft:
        n_features *= 2**options.nb_pre_conv
    elif options.nb_pre_conv:
        n_frequencies = len(range(options.pre_nb_dft // 2 + 1)[bins(options)])
        n_features *= n_frequencies
        shared += 2 * options.pre_nb_dft * n_frequencies
    shared += 0 if is_das else 2 * n_features
    total = 0  # of one member
    if options.pre_filters:
        n_places, below = n_features // nb_channels, nb_channels
        for n, size, stride in pattern_shapes(n_places, options.pre_filters):
            total += math.prod(size) * below * n + n
            n_places, below = math.ceil(n_places / stride), n
        n_features = n_places * below
        total += 2 * n_features
    total += n_features * filters + filters
    for is_separable in separable_blocks(options):
        depth = 4 if is_das else 1  # filters per channel
        first = filters * depth * (taps + filters) if is_separable else taps * filters**2
        norm = 0 if is_das else 2 * filters
        total += len(options.dilations) * (first + filters + norm + filters**2 + filters)
    units, width = options.nb_lstm_units, filters
    if units:
        total, width = total + 8 * units * (width + units + 1), 2 * units
    return shared + options.nb_members * (total + width * nb_classes + nb_classes)


def check(options: NetworkOptions, n_samples: int = 0) -> None:
    """Raise a DssError that lists every reason why these options cannot make a network.

    `n_samples` is the amount of training audio; 0 if unknown.
    """
    problems = []
    if 0 < n_samples < options.nb_hist:
        problems.append(
            f"nb_hist: a chunk of {options.nb_hist} samples is longer than all audio for training "
            f"({n_samples} samples). Use much shorter chunks."
        )
    needed = 2 * padding(options)
    if options.nb_hist <= needed:
        problems.append(
            f"nb_hist: a chunk of {options.nb_hist} samples is too short for the filters: "
            f"{padding(options)} samples (kernel_size x nb_conv x 2**nb_pre_conv) are ignored at "
            f"each end, so nothing is left. Set nb_hist to more than {needed}, use shorter filters "
            "or fewer blocks, or set ignore_boundaries to False."
        )
    if options.nb_hist % 2**options.nb_pre_conv:
        hop = 2**options.nb_pre_conv
        nearest = max(1, round(options.nb_hist / hop)) * hop
        problems.append(
            f"nb_hist: {options.nb_hist} is not a multiple of the downsampling factor {hop}. "
            f"Use {nearest} instead."
        )
    is_raw_tcn = options.model_name == "tcn" and not options.pre_nb_dft
    if options.nb_pre_conv and options.pre_nb_dft < 8 and not is_raw_tcn:
        problems.append(
            f"pre_nb_dft: a window of {options.pre_nb_dft} samples is too short for an STFT. Use 8 "
            "or more, or 0 for no STFT (not with das_tcn, which needs one)."
        )
    has_spectrogram = options.model_name == "tcn" and options.nb_pre_conv and options.pre_nb_dft
    needs = {
        "pre_relative_floor": "whose floor could drop",
        "pre_filters": "to filter",
        "pre_bins": "to take bins of",
    }
    for name, what in needs.items():
        if getattr(options, name) and not has_spectrogram:
            problems.append(
                f"{name}: there is no spectrogram {what}. Leave it out, or use the model tcn with "
                "an STFT (nb_pre_conv and pre_nb_dft)."
            )
    if options.pre_background and options.model_name != "tcn":
        problems.append(f"pre_background: {options.model_name} has no such window. Leave it out.")
    if options.pre_relative_floor and not options.pre_background:
        problems.append(
            "pre_relative_floor: needs a background window (pre_background). Give both, or leave "
            "it out."
        )
    last_bin = options.pre_nb_dft // 2
    if (
        has_spectrogram
        and options.pre_bins
        and not (
            len(options.pre_bins) == 2 and options.pre_bins[0] < options.pre_bins[1] <= last_bin
        )
    ):
        problems.append(
            f"pre_bins: {' '.join(map(str, options.pre_bins))} cannot be the first and the last "
            f"bin of a spectrogram. Give two numbers from 0 to {last_bin}, the lower one first."
        )
    if options.nb_members > 1 and options.model_name != "tcn":
        problems.append(f"nb_members: {options.model_name} has a single member. Leave it out.")
    if len(options.use_separable) not in (1, options.nb_conv):
        problems.append(
            f"use_separable: has {len(options.use_separable)} values for {options.nb_conv} blocks "
            "(nb_conv). Give one value per block, or a single value for all blocks."
        )
    raise_problems(problems, "Cannot build a network with these options:")


def bins(options: NetworkOptions) -> slice:
    """The frequency bins that the network sees, out of pre_nb_dft // 2 + 1."""
    if not options.pre_bins:
        return slice(None)
    first, last = options.pre_bins
    return slice(first, last + 1)


def pattern_shapes(n_frequencies: int, n_filters: int) -> list[tuple[int, tuple[int, int], int]]:
    """The filters on a spectrogram, layer by layer: number, size and stride.

    Sizes are [frames, frequencies], strides are along frequency. The first filters overlap by half;
    the second ones are twice as many, and combine five neighbouring positions.
    """
    stride = max(1, round(n_frequencies / PLACES))
    return [(n_filters, (3, max(5, 2 * stride - 1)), stride), (2 * n_filters, (1, 5), 3)]


def separable_blocks(options: NetworkOptions) -> list[bool]:
    """`use_separable` with one value per block."""
    if len(options.use_separable) == 1:
        return options.use_separable * options.nb_conv
    return options.use_separable
