"""Layers that Keras lacks, each a few lines of arithmetic."""

import numpy as np

from dss.models.backend import keras

ops = keras.ops
SILENT = 1e-3  # log power above the floor
SOFTEST = 1e-5  # how far the floor may drop, as a fraction of it


class DilatedConv1D(keras.layers.Layer):
    """Computes `keras.layers.Conv1D(padding="same", dilation_rate=dilation)`, but faster.

    Samples that are a multiple of the dilation apart are moved next to each other (the dilation
    goes into the batch axis), so that an ordinary convolution does the work: two to three times
    faster on CPUs, where dilated convolutions are not optimised.

    Input [batch, samples, channels], output [batch, samples, filters].
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        dilation: int,
        separable: bool,
        depth_multiplier: int = 1,
        **layer,
    ):
        super().__init__(**layer)
        shape = {"filters": filters, "kernel_size": kernel_size, "padding": "valid"}
        if separable:
            depth = {"depth_multiplier": depth_multiplier}
            self.conv = keras.layers.SeparableConv1D(**shape, **depth, name="conv")
        else:
            self.conv = keras.layers.Conv1D(**shape, name="conv")
        self.kernel_size = kernel_size
        self.dilation = dilation

    def build(self, input_shape):
        self.conv.build(input_shape)

    def call(self, x):
        n_samples, n_channels = x.shape[1:]
        reach = (self.kernel_size - 1) * self.dilation
        surplus = -(n_samples + reach) % self.dilation
        x = ops.pad(x, [(0, 0), (reach // 2, reach - reach // 2 + surplus), (0, 0)])
        x = ops.reshape(x, (-1, x.shape[1] // self.dilation, self.dilation, n_channels))
        x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, x.shape[1], n_channels))
        y = self.conv(x)
        y = ops.reshape(y, (-1, self.dilation, *y.shape[1:]))
        y = ops.transpose(y, (0, 2, 1, 3))
        return ops.reshape(y, (-1, y.shape[1] * self.dilation, y.shape[3]))[:, :n_samples]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.conv.filters)


class LogSpectrogram(keras.layers.Layer):
    """A short-time Fourier transform whose windowed sines and cosines can be trained.

    Frame i is centred on the samples i * hop to (i + 1) * hop. Each channel is transformed
    separately. At initialisation, the output is the log power of a Hann-windowed STFT, in which a
    sine of amplitude 1 has the power 1. `floor` is added to each power, so that sounds far below it
    are silence. `bins` selects some of the window // 2 + 1 frequencies.

    Input [batch, samples, channels], output [batch, samples / hop, channels * bins].
    """

    def __init__(self, window: int, hop: int, floor: float, bins: slice = slice(None), **layer):
        super().__init__(**layer)
        self.window, self.hop, self.floor, self.bins = window, hop, floor, bins
        self.n_bins = len(range(window // 2 + 1)[bins])
        # Kernels span a multiple of the hop, so that an ordinary convolution over frames of hop
        # samples computes the strided one.
        self.n_hops = -(-window // hop)
        self.before = (self.n_hops * hop - window) // 2  # samples before the window
        self.is_fourier = False

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(self.window, 2 * self.n_bins),
            initializer=self._fourier,
            name="kernel",
        )

    def _fourier(self, shape, dtype=None):
        waves = [wave[:, self.bins] for wave in _hann_waves(shape[0])]
        kernel = np.concatenate(waves, axis=1)
        return ops.cast(kernel * 2 / np.hanning(shape[0] + 1).sum(), dtype)

    def settle(self) -> None:
        """Use a fast Fourier transform from now on, if the kernel still computes one."""
        self.is_fourier = np.allclose(
            self.kernel, self._fourier(self.kernel.shape), rtol=0, atol=1e-7
        )

    def call(self, x):
        n_samples, n_channels = x.shape[1:]
        length = self.n_hops * self.hop
        left = (length - self.hop) // 2
        x = ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, n_samples))
        x = ops.pad(x, [(0, 0), (left, length - self.hop - left)])
        x = ops.reshape(x, (-1, x.shape[1] // self.hop, self.hop))
        real, imaginary = self._fast(x) if self.is_fourier else self._trained(x)
        y = ops.log(real**2 + imaginary**2 + self.floor)
        y = ops.reshape(y, (-1, n_channels, *y.shape[1:]))
        return ops.reshape(
            ops.transpose(y, (0, 2, 1, 3)), (-1, y.shape[2], n_channels * y.shape[3])
        )

    def _trained(self, x):
        """The real and imaginary part of each frame, by convolution of [batch, hops, hop]."""
        after = self.n_hops * self.hop - self.window - self.before
        kernel = ops.pad(self.kernel, [(self.before, after), (0, 0)])
        kernel = ops.reshape(kernel, (self.n_hops, self.hop, -1))
        return ops.split(ops.conv(x, kernel, padding="valid"), 2, axis=-1)

    def _fast(self, x):
        """The same for an untrained kernel, in less than half the time."""
        n_frames = x.shape[1] - self.n_hops + 1
        x = ops.concatenate([x[:, i : i + n_frames] for i in range(self.n_hops)], axis=-1)
        hann = np.hanning(self.window + 1)[:-1]
        hann = (hann * 2 / hann.sum()).astype("float32")
        real, imaginary = ops.rfft(x[:, :, self.before : self.before + self.window] * hann)
        return real[..., self.bins], imaginary[..., self.bins]

    def compute_output_shape(self, input_shape):
        batch, n_samples, n_channels = input_shape
        return (batch, n_samples // self.hop, n_channels * self.n_bins)


class AboveBackground(keras.layers.Layer):
    """The power at each frequency relative to its background, whatever the recording's level.

    The background is the harmonic mean of the amplitudes in the `n_frames` around a frame, a soft
    minimum: it follows the pauses, and hardly the song between them. Silent frames, such as those
    beyond the ends of a recording, are ignored.

    With `relative_floor`, the floor drops to this fraction of the level between sounds where that
    is lower. The level is the soft minimum of the mean log power over half as many frames. The
    floor is added here, so the spectrogram's own has to be lower, `floor * SOFTEST`.

    Input and output: log power [batch, frames, frequencies], where `floor` is the minimum power.
    """

    def __init__(self, n_frames: int, floor: float, relative_floor: float = 0.0, **layer):
        super().__init__(**layer)
        self.n_frames = n_frames
        self.lowest = float(np.log(floor * (SOFTEST if relative_floor else 1)))
        self.floor = float(np.log(floor)) - self.lowest
        self.relative_floor = relative_floor

    def call(self, x):
        x = x - self.lowest
        is_heard = ops.cast(ops.any(x > SILENT, axis=-1, keepdims=True), x.dtype)
        if self.relative_floor:
            loudness = ops.mean(x, axis=-1, keepdims=True)
            level = _soft_minimum(loudness, is_heard, max(1, self.n_frames // 2))
            floor = ops.minimum(level + float(np.log(self.relative_floor)), self.floor)
            x = ops.log(ops.exp(x) + ops.exp(floor))  # faster than `logaddexp`
        return x - _soft_minimum(x, is_heard, self.n_frames)


class WithoutOffset(keras.layers.Layer):
    """The audio minus its mean over `n_samples` around each sample, so without offset and drift.

    Input and output: [batch, samples, channels].
    """

    def __init__(self, n_samples: int, **layer):
        super().__init__(**layer)
        self.n_samples = n_samples

    def call(self, x):
        return x - _around(x, self.n_samples) / _around(ops.ones_like(x[:1, :, :1]), self.n_samples)


class Standardize(keras.layers.Layer):
    """Subtract the mean and divide by the standard deviation of the training data, per channel.

    Both are weights that `set_statistics` sets once, before training; they never change later.
    """

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def set_statistics(self, values: np.ndarray) -> None:
        """Compute mean and standard deviation from `values` [..., channels]."""
        axes = tuple(range(values.ndim - 1))
        self.mean.assign(values.mean(axes))
        self.scale.assign(1 / np.maximum(values.std(axes), 1e-6))

    def call(self, x):
        return (x - self.mean) * self.scale


class UpsampleLinear(keras.layers.Layer):
    """Interpolate frames linearly to samples; a frame represents its centre.

    Input [batch, frames, channels], output [batch, frames * factor, channels].
    """

    def __init__(self, factor: int, **layer):
        super().__init__(**layer)
        self.factor = factor

    def call(self, x):
        # Distance of each sample of a frame from the frame's centre, in frames: -0.5 to 0.5.
        offset = (np.arange(self.factor) + 0.5) / self.factor - 0.5
        shares = [np.maximum(-offset, 0), 1 - np.abs(offset), np.maximum(offset, 0)]
        previous = ops.concatenate([x[:, :1], x[:, :-1]], axis=1)
        following = ops.concatenate([x[:, 1:], x[:, -1:]], axis=1)
        neighbours = ops.stack([previous, x, following], axis=2)
        y = ops.matmul(ops.cast(np.stack(shares, axis=1), x.dtype), neighbours)
        return ops.reshape(y, (-1, x.shape[1] * self.factor, x.shape[2]))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1] * self.factor, input_shape[2])


class DecibelSpectrogram(keras.layers.Layer):
    """A trainable short-time Fourier transform in decibels below the loudest of the chunk, 0 to
    -80.

    Input [batch, samples, channels], output [batch, samples / hop, (window // 2 + 1) * channels],
    channels fastest.
    """

    def __init__(self, window: int, hop: int, **layer):
        super().__init__(**layer)
        self.window, self.hop = window, hop

    def build(self, input_shape):
        shape = (self.window, 1, 1, self.window // 2 + 1)
        self.real_kernels = self.add_weight(shape, initializer=self._cosines, name="real_kernels")
        self.imag_kernels = self.add_weight(shape, initializer=self._sines, name="imag_kernels")

    @staticmethod
    def _cosines(shape, dtype=None):
        return ops.cast(np.reshape(_hann_waves(shape[0])[0], shape), dtype)

    @staticmethod
    def _sines(shape, dtype=None):
        return ops.cast(np.reshape(_hann_waves(shape[0])[1], shape), dtype)

    def call(self, x):
        n_samples, n_channels = x.shape[1:]
        x = ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, n_samples, 1))
        real, imaginary = (
            ops.conv(x, kernels[:, :, 0], strides=self.hop, padding="same")
            for kernels in (self.real_kernels, self.imag_kernels)
        )
        power = ops.maximum(real**2 + imaginary**2, 1e-20)
        decibels = 5 / np.log(10) * ops.log(power)  # 10 log10 of the amplitude, as in DAS
        decibels = ops.reshape(decibels, (-1, n_channels, *decibels.shape[1:]))
        decibels = decibels - ops.max(decibels, axis=(1, 2, 3), keepdims=True)
        decibels = ops.transpose(ops.maximum(decibels, -80.0), (0, 2, 3, 1))
        return ops.reshape(decibels, (-1, decibels.shape[1], decibels.shape[2] * n_channels))

    def compute_output_shape(self, input_shape):
        batch, n_samples, n_channels = input_shape
        return (batch, -(-n_samples // self.hop), n_channels * (self.window // 2 + 1))


class NormalizeByMaximum(keras.layers.Layer):
    """Divide by the largest absolute value of all filters, sample by sample."""

    def call(self, x):
        return x / (ops.max(ops.abs(x), axis=-1, keepdims=True) + 1e-5)


def _soft_minimum(x, counts, n_frames: int):
    """The log power of the harmonic mean of the amplitudes around each frame.

    Arguments:
        x: log power [batch, frames, frequencies].
        counts: [batch, frames, 1], 0 for frames to ignore.
        n_frames: how many frames around each count.
    """
    n = ops.maximum(_around(counts, n_frames), 1)
    inverse = _around(counts * ops.exp(-x / 2), n_frames) / n
    return -2 * ops.log(ops.maximum(inverse, 1e-9))


def _around(x, n: int):
    """The sum of the `n` samples or frames around each, built from sums of 1, 2, 4, ... of them.

    Beyond the ends of `x` [batch, samples, channels] are zeros.
    """
    before = n // 2
    x_sum, first, length = 0, 0, x.shape[1]
    x = ops.pad(x, [(0, 0), (before, n - before), (0, 0)])
    for bit in range(n.bit_length()):
        step = 2**bit
        if n & step:
            x_sum = x_sum + x[:, first : first + length]
            first += step
        x = x[:, :-step] + x[:, step:]
    return x_sum


def _hann_waves(window: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and negative sines below a Hann window: [window, window // 2 + 1] both."""
    phase = 2 * np.pi * np.outer(np.arange(window), np.arange(window // 2 + 1)) / window
    hann = np.hanning(window + 1)[:-1, None]
    return hann * np.cos(phase), -hann * np.sin(phase)
