"""Several processes that train one network together: each learns from its part of every batch.

Each process has the whole network and one device. Their gradients are averaged, weighted by the
samples that count, so all processes take the step that one process would take on the whole batch,
and always have the same weights.

Sums are computed by the collectives of `tf.distribute.MultiWorkerMirroredStrategy`. Its variables
are not used, because Keras 3 cannot create variables under it (keras-team/keras, issue 20585).
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from dss.errors import DssError
from dss.models.backend import tf
from dss.models.worker_addresses import worker_addresses
from dss.options import TrainOptions
from dss.support import system
from dss.support.progress import say


class Workers:
    """This process among those that train together; without arguments, it is alone.

    Attributes:
        index: the number of this process; the first, 0, writes files.
        count: the number of processes.
    """

    def __init__(self, addresses: list[str] | None = None, index: int = 0):
        self.index, self.count = index, len(addresses or [""])
        self._interrupted = False
        if self.count > 1:
            self._all_reduce = _connect(addresses or [""], index)

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.index == 0

    @property
    def part(self) -> slice:
        """The chunks of each batch that this process learns from."""
        return slice(self.index, None, self.count)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum of numbers [n] over all processes, which must call this in the same order.

        Raises: KeyboardInterrupt in all of them if one was interrupted; ConnectionError if one is
            lost.
        """
        if self.count == 1:
            self.stop_if_alone()
            return values
        own = tf.convert_to_tensor(values)
        flag = tf.cast([self._interrupted], own.dtype)
        try:
            total = self._all_reduce(tf.concat([own, flag], 0)).numpy()
        except tf.errors.OpError as error:
            raise ConnectionError(
                "Another process of this training was lost. The best epoch so far is saved; set "
                f"continue_from to it to train on. ({error.message.splitlines()[0]})"
            ) from None
        if total[-1] > 0:
            raise KeyboardInterrupt
        return total[:-1]

    def stop_if_alone(self) -> None:
        """Raise KeyboardInterrupt if this process was interrupted and no others wait for it."""
        if self._interrupted and self.count == 1:
            raise KeyboardInterrupt

    def step(self, find: Callable, apply: Callable, compiled: bool) -> Callable:
        """A function that takes one training step on the parts of a batch in all processes.

        Arguments:
            find: maps a part of a batch to a list of tensors, averaged over its samples, and the
                number of samples.
            apply: maps the averages over all processes to the result.
            compiled: whether to compile both with XLA.
        """
        if self.count == 1:
            return tf.function(lambda *batch: apply(find(*batch)[0]), jit_compile=compiled)
        shapes: list[tf.TensorShape] = []

        @tf.function(jit_compile=compiled)
        def find_sums(*batch):
            means, count = find(*batch)
            shapes[:] = [mean.shape for mean in means]
            return tf.concat([*(tf.reshape(mean * count, [-1]) for mean in means), [count]], 0)

        @tf.function(jit_compile=compiled)
        def apply_means(sums):
            flat = sums[:-1] / tf.maximum(sums[-1], 1)
            parts = tf.split(flat, [shape.num_elements() for shape in shapes])
            return apply([tf.reshape(p, s) for p, s in zip(parts, shapes, strict=True)])

        return lambda *batch: apply_means(self.sum(find_sums(*batch)))

    def same(self, text: str = "") -> str:
        """Share the text of the first process, up to 4096 bytes, with all processes."""
        own = np.zeros(4096, np.int32)
        if self.is_first:
            own[: len(text.encode())] = list(text.encode())
        return bytes(self.sum(own).tolist()).rstrip(b"\0").decode()

    def check_agree(self, settings: str) -> None:
        """Raise a DssError unless all processes have these settings."""
        own = np.array([zlib.crc32(settings.encode())], np.float64)
        if self.sum(own)[0] != self.count * own[0]:
            raise DssError(
                "The processes that train together have different options or data. Start all of "
                "them with the same options and the same dataset."
            )

    @contextmanager
    def stopping_together(self) -> Iterator[None]:
        """Let Ctrl-C or SIGTERM in one process raise KeyboardInterrupt in all, at the next step.

        Raised at once, as Python does, it could hit TensorFlow in the middle of something, and
        damage its memory. Whoever asks a second time does not want to wait.
        """

        def interrupt(*_) -> None:
            if self._interrupted:
                raise KeyboardInterrupt
            self._interrupted = True

        try:
            with system.handling_stops(interrupt):
                yield
        finally:
            self._interrupted = False


ALONE = Workers()


def join(options: TrainOptions, data_sha256: str) -> Workers:
    """Join the processes named by the environment, and wait for them.

    Arguments:
        options: of the training; all processes must have the same.
        data_sha256: a hash of the data, which must be the same, too.

    Raises: DssError if the options do not suit the number of processes, or differ between them.
    """
    addresses, index = worker_addresses()
    count = len(addresses)
    if options.devices not in (1, count):
        raise DssError(
            f"devices: {options.devices}, but {count} processes train together (from TF_CONFIG or "
            "SLURM), each with one device. Leave this option out."
        )
    if count == 1:
        return ALONE
    if count > options.batch_size:
        raise DssError(
            f"batch_size: {options.batch_size} chunks cannot be shared among {count} processes. "
            f"Use at least {count}."
        )
    if index == 0:
        say(f"Waiting for the other processes: {', '.join(addresses[1:])}")
    workers = Workers(addresses, index)
    elsewhere = {"data_dir", "save_dir", "continue_from"}  # paths may differ between machines
    workers.check_agree(f"{options.model_dump(mode='json', exclude=elsewhere)} {data_sha256}")
    return workers


def _connect(addresses: list[str], index: int) -> Callable:
    """A function that sums a tensor over all processes. Each uses one device of its machine."""
    hosts = [address.rpartition(":")[0] for address in addresses]
    before, here = hosts[:index].count(hosts[index]), hosts.count(hosts[index])
    gpus = tf.config.list_physical_devices("GPU")
    if len(gpus) > 1 and here > len(gpus):
        raise DssError(f"{here} processes on {hosts[index]}, but it has {len(gpus)} GPUs")
    if gpus:
        tf.config.set_visible_devices(gpus[before % len(gpus)], "GPU")
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": addresses}), task_type="worker", task_id=index
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        raise DssError(
            "Processes that train together must start before TensorFlow is used, but it has been "
            f"used in this process already ({error})"
        ) from None

    def add(value):
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.identity(value))

    return tf.function(lambda value: strategy.run(add, args=(value,)))
