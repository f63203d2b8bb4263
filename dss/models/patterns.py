"""The frequency bins of a spectrogram, and the shapes of the filters for patterns in it."""

from dss.options import NetworkOptions

PLACES = 32  # positions along frequency of the first filters


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
