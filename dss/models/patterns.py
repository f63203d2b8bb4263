"""The frequencies of a spectrogram, and the shapes of the filters that search it for patterns."""

from dss.options import NetworkOptions

PLACES = 32  # along the frequencies at which the first filters are applied


def bins(options: NetworkOptions) -> slice:
    """The frequency bins that the network sees, of all pre_nb_dft // 2 + 1."""
    if not options.pre_bins:
        return slice(None)
    first, last = options.pre_bins
    return slice(first, last + 1)


def pattern_shapes(n_frequencies: int, n_filters: int) -> list[tuple[int, tuple[int, int], int]]:
    """The filters on a spectrogram, layer by layer: their number, size and stride.

    Sizes are [frames, frequencies], strides along the frequencies. The first filters overlap by
    half; there are twice as many of the second ones, which look at five neighbouring places.
    """
    stride = max(1, round(n_frequencies / PLACES))
    return [(n_filters, (3, max(5, 2 * stride - 1)), stride), (2 * n_filters, (1, 5), 3)]
