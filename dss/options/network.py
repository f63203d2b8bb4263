"""The shape of a network (`dss.models`)."""

from typing import Literal

from dss.options.base import Counts, Options, Switches, option


class NetworkOptions(Options):
    """The shape of a network: with the data's channels and classes, all that builds it."""

    model_name: Literal["tcn", "das_tcn"] = option(
        "tcn",
        "Network",
        "The architecture: tcn, a temporal convolutional network; das_tcn, that of DAS 0.32, as "
        "which models trained with DAS are loaded.",
        group="Network",
        rare=True,
    )
    nb_hist: int = option(
        1024,
        "Chunk duration",
        "The network sees the audio in chunks of this many samples.",
        unit="samples",
        group="Network",
        ge=1,
    )
    ignore_boundaries: bool = option(
        True,
        "Ignore boundaries",
        "Chunks overlap, and their ends, where filters reach beyond the chunk, are neither trained "
        "on nor used for predictions.",
        group="Network",
        rare=True,
    )
    nb_filters: int = option(
        16,
        "Number of filters",
        "Filters in each layer: 16 to 32 for most songs. More make training slower and help when "
        "there are many song types.",
        group="Network",
        ge=1,
        le=1024,
    )
    kernel_size: int = option(
        16,
        "Filter duration",
        "Duration of a filter, in samples after the frontend: as long as the finest feature of "
        "the song, such as one pulse or one cycle of the carrier.",
        unit="samples",
        group="Network",
        ge=1,
        le=4096,
    )
    nb_conv: int = option(
        3,
        "Number of TCN blocks",
        "More blocks see a longer context and can tell more complex song apart: 2 to 6.",
        group="Network",
        ge=1,
        le=100,
    )
    use_separable: Switches = option(
        [False],
        "Separable TCN blocks",
        "For recordings with several channels: True for the blocks that filter each channel with "
        "the same filters first and mix the channels second. One value for each block, "
        "usually True for the first one or two; or one value for all.",
        group="Network",
        rare=True,
        min_length=1,
    )
    dilations: Counts = option(
        [1, 2, 4, 8, 16],
        "Dilations",
        "The spacing of the filters' taps in the layers of a block.",
        group="Network",
        rare=True,
        min_length=1,
    )
    dropout: float = option(
        0.0,
        "Dropout",
        "The part of the filters of each layer that is switched off, others in every training "
        "step: 0.1 to 0.3 if the network learns its training data by heart.",
        group="Network",
        rare=True,
        ge=0,
        lt=1,
    )
    nb_lstm_units: int = option(
        0,
        "LSTM units",
        "Put a recurrent layer that runs both ways, with this many units each, behind the last "
        "block: it sees the whole chunk. Slow, above all without a downsampling frontend. 0 for "
        "none.",
        group="Network",
        rare=True,
        ge=0,
        le=1024,
    )
    nb_pre_conv: int = option(
        0,
        "Downsample by 2 to the power of",
        "The network works on frames of 2**n samples, of an STFT or of the audio itself (STFT "
        "window 0): frames of half a millisecond to one suit most song. 0 works on each sample.",
        group="Network",
        ge=0,
        le=10,
    )
    pre_nb_dft: int = option(
        256,
        "STFT window",
        "Length of the window of the STFT, 8 or more. 0 for none: the samples of a frame go into "
        "the network as they are, which suits sample rates that are low for the song (fly song).",
        unit="samples",
        group="Network",
        rare=True,
        ge=0,
        le=16384,
    )
    pre_floor: float = option(
        1e-6,
        "STFT floor",
        "Added to the power at each frequency before the logarithm: sounds far below it count as "
        "silence. A sine of amplitude 1 has the power 1. A tenth of the power of the background "
        "noise suits most recordings; too high a floor hides soft song.",
        group="Network",
        rare=True,
        gt=0,
        le=1,
    )
