"""Read plain data from a pickle without running anything in it.

Datasets made by DeepSS and DAS store their attributes in a pickle, which is a program for a stack
machine that can call any function of Python. Here its instructions are only read
(`pickletools.genops`), and only those that build plain data are followed: numbers, text, bytes,
lists, tuples, dictionaries, and numpy arrays and scalars of native types with as many bytes as
their shape requires. Everything else is refused.
"""

import itertools
import math
import pickletools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

MOST_BYTES = 2**26
MOST_ITEMS = 2**19  # in the result: a pickle can repeat parts of itself
DEEPEST = 50
PLAIN_DTYPE = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248]|[US]\d{1,6}|O8?)")
# The names that numpy uses in pickles, in all versions.
DTYPE, NDARRAY, RECONSTRUCT, SCALAR, ENCODE = (
    "numpy dtype",
    "numpy ndarray",
    "numpy.core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "_codecs encode",
)


@dataclass
class _Name:
    """A function or class named by the pickle; it is never looked up."""

    name: str


@dataclass
class _Dtype:
    code: str
    order: str = ""

    def plain(self) -> np.dtype:
        """The type, which numpy creates from its code alone."""
        if "O" in self.code:
            raise ValueError("an array of objects is not plain data")
        return np.dtype(self.order + self.code.lstrip("<>=|"))


@dataclass
class _Array:
    """An array under construction: its elements, nested as its shape says."""

    values: Any = None


def read_plain_pickle(data: bytes) -> Any:
    """Read a pickle that contains only plain data.

    Returns: dictionaries, lists, text, bytes and numbers; tuples and arrays become lists.
    Raises: ValueError that names anything else in it, or the damage.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has {len(data):,} bytes, more than the {MOST_BYTES:,} that are read")
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if machine.step(opcode.name, argument):
                break
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"its instructions do not fit each other: {error!r}") from None
    (result,) = machine.stack
    return _plain(result, itertools.count(1))


class _Machine:
    """The stack and the memo while the instructions are followed."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks up to each mark
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> bool:
        """Follow one instruction; returns whether it is the last."""
        stack = self.stack
        if name in ("PROTO", "FRAME"):
            pass
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in CARRIED:
            stack.append(argument)
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({} if name == "EMPTY_DICT" else [] if name == "EMPTY_LIST" else ())
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            words = argument if name == "GLOBAL" else f"{stack.pop(-2)} {stack.pop()}"
            stack.append(_named(words))
        elif name == "MARK":
            self.below.append(stack)
            self.stack = []
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[len(self.memo) if argument is None else int(argument)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[int(argument)])
        elif name in ("APPEND", "SETITEM"):
            taken = [stack.pop() for _ in range(1 if name == "APPEND" else 2)][::-1]
            _put(stack[-1], taken)
        elif name in ("APPENDS", "SETITEMS"):
            taken = self._marked()
            _put(self.stack[-1], taken)
        elif name in ("TUPLE", "LIST", "DICT"):
            taken = self._marked()
            built: Any = tuple(taken) if name == "TUPLE" else [] if name == "LIST" else {}
            if name != "TUPLE":
                _put(built, taken)
            self.stack.append(built)
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            n = int(name[-1])
            stack[len(stack) - n :] = [tuple(stack[len(stack) - n :])]
        elif name == "REDUCE":
            arguments = stack.pop()
            stack[-1] = _called(stack[-1], arguments)
        elif name == "BUILD":
            _build(stack[-2], stack.pop())
        elif name == "STOP":
            return True
        else:
            raise ValueError(f"it contains the instruction {name}, which makes no plain data")
        return False

    def _marked(self) -> list[Any]:
        """The values pushed on the stack since the last mark."""
        taken, self.stack = self.stack, self.below.pop()
        return taken


CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
CARRIED = {
    *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "FLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
    *("BINSTRING", "SHORT_BINSTRING", "STRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}


def _named(words: str) -> _Name:
    name = words.replace("numpy._core.", "numpy.core.")
    if name not in (DTYPE, NDARRAY, RECONSTRUCT, SCALAR, ENCODE):
        raise ValueError(f"it asks for {words.replace(' ', '.')}, which is not plain data")
    return _Name(name)


def _put(target: Any, items: list[Any]) -> None:
    """Put items into a list, or alternating keys and values into a dictionary."""
    if type(target) is list:
        target.extend(items)
    elif type(target) is dict:
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | bytes | int | float | bool | None):
                raise ValueError(f"a key is a {type(key).__name__}")
            target[key] = value
    else:
        raise ValueError(f"items are put into a {type(target).__name__}")


def _called(function: Any, arguments: Any) -> Any:
    """The result of calling one of the few known functions."""
    name = function.name if isinstance(function, _Name) else None
    if name == DTYPE:
        code = arguments[0]
        if not isinstance(code, str) or not PLAIN_DTYPE.fullmatch(code):
            raise ValueError(f"an array has the type {code!r}, which is not a plain one")
        return _Dtype(code)
    if name == RECONSTRUCT:
        return _Array()
    if name == SCALAR:
        dtype, data = arguments
        return _elements(data, dtype.plain(), 1)[0]
    if name == ENCODE and isinstance(arguments[0], str):
        return arguments[0].encode("latin1")
    raise ValueError("it calls a function that does not make plain data")


def _build(target: Any, state: Any) -> None:
    """Give a type its byte order, or an array its elements."""
    if isinstance(target, _Dtype):
        order, *structure = state[1:5]
        if order not in ("<", ">", "=", "|") or any(part is not None for part in structure):
            raise ValueError("an array has a type with a structure, which is not a plain one")
        target.order = order
    elif isinstance(target, _Array):
        _, shape, dtype, is_fortran, data = state
        if not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"an array has the shape {shape!r}")
        n = math.prod(shape)
        if type(data) is list:  # of objects: its items have been read already
            if len(data) != n or len(shape) > 1:
                raise ValueError(f"an array of the shape {shape} contains {len(data)} objects")
            target.values = data if shape else data[0]
        else:
            in_order: Literal["F", "C"] = "F" if is_fortran else "C"
            target.values = (
                _elements(data, dtype.plain(), n).reshape(shape, order=in_order).tolist()
            )
    else:
        raise ValueError(f"a state is given to a {type(target).__name__}")


def _elements(data: Any, dtype: np.dtype, n: int) -> np.ndarray:
    """Read n elements of a type from bytes."""
    if isinstance(data, str):  # as Python 2 wrote bytes
        data = data.encode("latin1")
    if not isinstance(data, bytes) or len(data) != n * dtype.itemsize or len(data) < n:
        raise ValueError(f"an array of {n} elements of {dtype} has the wrong number of bytes")
    if dtype.kind == "U":  # numpy accepts any number as a character, and fails later
        data.decode("utf-32-be" if dtype.str.startswith(">") else "utf-32-le")
    return np.frombuffer(data, dtype) if data else np.zeros(n, dtype)


def _plain(value: Any, count: Iterator[int], depth: int = 0) -> Any:
    """A value with lists instead of tuples and arrays, within limits: it may contain itself."""
    if depth > DEEPEST or next(count) > MOST_ITEMS:
        raise ValueError("it is nested too deeply, or contains too much")
    if isinstance(value, _Array):
        value = value.values
    if isinstance(value, dict):
        return {key: _plain(item, count, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, count, depth + 1) for item in value]
    if isinstance(value, _Name | _Dtype):
        raise ValueError("it contains a type or a function, which is not plain data")
    return value.item() if isinstance(value, np.generic) else value
