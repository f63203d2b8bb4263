"""The architecture of a network (`dss.models`)."""

from functools import partial
from typing import Literal

from dss.options.base import Options, option
from dss.options.notation import Bins, Counts, Switches

network_option = partial(option, group="Network")
MOST_BACKGROUND = 8192  # frames


class NetworkOptions(Options):
    """The architecture of a network, except for its numbers of channels and classes."""

    model_name: Literal["tcn", "das_tcn"] = network_option("tcn", "Network", rare=True)
    """The architecture: tcn, a temporal convolutional network; or das_tcn, the network of DAS 0.32,
    used to load models trained with DAS."""
    nb_hist: int = network_option(1024, "Chunk duration", unit="samples", ge=1)
    """The network processes the audio in chunks of this many samples."""
    ignore_boundaries: bool = network_option(True, "Ignore boundaries", rare=True)
    """Let chunks overlap and ignore their ends, where filters reach beyond the chunk, during
    training and prediction."""
    nb_filters: int = network_option(16, "Number of filters", ge=1, le=1024)
    """Number of filters in each layer. 16 to 32 work for most songs; more filters help with many
    song types but slow down training."""
    kernel_size: int = network_option(16, "Filter duration", unit="samples", ge=1, le=4096)
    """Duration of the filters, in samples after the frontend. Match it to the finest feature of the
    song, such as a single pulse or one cycle of the carrier."""
    nb_conv: int = network_option(3, "Number of TCN blocks", ge=1, le=100)
    """More blocks give the network a larger receptive field and help with complex song. Typically 2
    to 6."""
    use_separable: Switches = network_option(
        [False], "Separable TCN blocks", rare=True, min_length=1
    )
    """For multi-channel recordings: True for blocks that first apply the same filters to each
    channel and then mix the channels. Give one value per block (usually True for the first one or
    two), or a single value for all blocks."""
    dilations: Counts = network_option([1, 2, 4, 8, 16], "Dilations", rare=True, min_length=1)
    """The dilation rate of each layer in a block: the spacing between the taps of its filters."""
    dropout: float = network_option(0.0, "Dropout", rare=True, ge=0, lt=1)
    """Fraction of the filters in each layer that is switched off at random in each training step.
    Try 0.1 to 0.3 if the network overfits."""
    nb_members: int = network_option(1, "Members", rare=True, ge=1, le=16)
    """Number of networks trained side by side, each from its own random weights; their scores are
    averaged. With few annotations, two or three find boundaries better than one. Each additional
    network adds up to the same training time again, and a third to the time for annotating."""
    nb_lstm_units: int = network_option(0, "LSTM units", rare=True, ge=0, le=1024)
    """Add a bidirectional LSTM layer with this many units per direction after the last block; it
    sees the whole chunk. Slow, especially without a downsampling frontend. 0 for none."""
    nb_pre_conv: int = network_option(0, "Downsample by 2 to the power of", ge=0, le=10)
    """Downsample to frames of 2**n samples, with an STFT or directly from the audio (STFT window
    0). Frames of 0.5 to 1 ms suit most song. 0 works on individual samples."""
    pre_nb_dft: int = network_option(256, "STFT window", unit="samples", rare=True, ge=0, le=16384)
    """Length of the STFT window, at least 8. 0 for no STFT: the network sees the raw samples of
    each frame, which suits song recorded at a low sample rate (fly song)."""
    pre_bins: Bins = network_option([], "STFT bins", rare=True, max_length=2)
    """The first and last frequency bin that the network sees, such as 4 48; bin k is at k times the
    sample rate divided by the STFT window. Below and above the song there is only noise, which the
    network would have to learn to ignore. Leave blank for all bins."""
    pre_floor: float = network_option(1e-6, "STFT floor", rare=True, gt=0, le=1)
    """Added to the power at each frequency before taking the logarithm, so that sounds far below it
    count as silence. A sine of amplitude 1 has a power of 1. A tenth of the power of the background
    noise suits most recordings; if the floor is too high, it hides soft song."""
    pre_background: int = network_option(
        0, "Background window", unit="frames", rare=True, ge=0, le=MOST_BACKGROUND
    )
    """Give the network the power at each frequency relative to its background, a soft minimum over
    this many frames, instead of the power itself. Recordings with different levels or different
    steady noise then look alike to the network. Without an STFT, subtract the mean over this many
    frames from the audio, so that an offset or a slow drift does not matter. 0 for neither."""
    pre_relative_floor: float = network_option(0.0, "Relative floor", rare=True, ge=0, le=1)
    """In recordings that are softer than those you annotated, lower the STFT floor to this fraction
    of the level between sounds, so that it does not hide their song. 0.3 suits most recordings; 0
    for the same floor in all of them. Needs a background window."""
    pre_filters: int = network_option(0, "Filters on the spectrogram", rare=True, ge=0, le=128)
    """Number of small filters that search the spectrogram for patterns, such as a sweep or the edge
    of a harmonic. They are the same at all frequencies, which helps to recognize song that is a
    little higher or lower, and span three frames; a second layer has twice as many. 8 filters suit
    most recordings; 0 for none."""
