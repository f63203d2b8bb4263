"""The members of a network take turns in training."""

from collections.abc import Iterator

import numpy as np

from dss.models.backend import keras
from dss.models.tcn import members
from dss.models.training_step import (
    average_weights,
    make_optimizer,
    make_training_step,
    make_validation_step,
    weight_vector,
)
from dss.models.workers import Workers
from dss.options import TrainOptions

COMPILE_STEPS = 200  # with fewer steps, compiling takes longer than it saves


class Turns:
    """A training step, and the members of a network that use it in turn.

    It has variables for the weights and moments of a single member, so it is compiled only once;
    those of the others wait in `arrays`.
    """

    def __init__(
        self, model: keras.Model, options: TrainOptions, steps_per_epoch: int, workers: Workers
    ):
        self._members = members(model)
        network, interpolate = self._members[0], model.get_layer("logits")
        self.steps_per_epoch = steps_per_epoch
        n_steps = options.nb_epoch * steps_per_epoch * len(self._members)
        compiled = n_steps > COMPILE_STEPS
        self.optimizer = make_optimizer(options, steps_per_epoch)
        self._row = weight_vector(network)
        self.learn = make_training_step(
            network, interpolate, self._row, self.optimizer, workers, compiled
        )
        self.judge = make_validation_step(network, interpolate, compiled)
        self._variables = [*network.variables, self._row, *self.optimizer.variables]
        self._values = [
            _values([*member.variables, weight_vector(member), *self.optimizer.variables])
            for member in self._members
        ]

    @property
    def arrays(self) -> list[np.ndarray]:
        """All that the next epoch depends on: weights, and moments of the optimizer."""
        return [array for values in self._values for array in values]

    def __iter__(self) -> Iterator[int]:
        """Give each member its turn, by its number; then the network has the weights of all."""
        for number, values in enumerate(self._values):
            _assign(self._variables, values)
            yield number
            values[:] = _values(self._variables)
        for member, values in zip(self._members, self._values, strict=True):
            _assign(member.variables, values[: len(member.variables)])

    def average(self) -> None:
        """Set the weights of the member whose turn it is to their average over the last steps."""
        average_weights(self._members[0], self._row, self.optimizer)

    def vary_dropout(self, index: int) -> None:
        """Drop out different filters in each process, for its own part of each batch."""
        for place, variable in enumerate(self._variables):
            if variable.path.endswith("seed_generator_state"):
                for values in self._values:
                    values[place] += np.array([index, 0], values[place].dtype)


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(variable.numpy()) for variable in variables]


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
