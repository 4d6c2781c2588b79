"""What a user passes, checked and converted: sizes, types of elements, arrays."""

import operator
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from reprlib import Repr
from types import UnionType
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]

T = TypeVar("T")

MOST_ITEMS = 2**20  # of layers, factors or sizes
FLOATS = (np.dtype("float32"), np.dtype("float64"))

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def short(value: object) -> str:
    """Return the repr of a value for a message: of a large one its ends, or its size.

    Examples
    --------
    >>> short("x" * 1000)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'"
    >>> short(np.ones((3, 4)))
    'ndarray of shape (3, 4)'
    """
    if isinstance(value, np.ndarray) and value.size > 8:
        return f"{type(value).__name__} of shape {value.shape}"
    return " ".join(_SHORT.repr(value).split())


def check_type(value: object, kind: type | UnionType, name: str) -> None:
    """Raise TypeError unless a value is of a kind.

    Examples
    --------
    >>> check_type(None, int, "the seed")
    Traceback (most recent call last):
        ...
    TypeError: the seed is None; expected int
    """
    if not isinstance(value, kind):
        message = f"{name} is {short(value)}; expected {getattr(kind, '__name__', kind)}"
        raise TypeError(message)


def check_callable(value: object, name: str) -> None:
    """Raise TypeError unless a value can be called."""
    if not callable(value):
        message = f"{name} is {short(value)}; expected what can be called"
        raise TypeError(message)


def as_path(value: object, name: str) -> Path:
    """Return a path; raise TypeError unless it is text or a path, ValueError if it is empty.

    Examples
    --------
    >>> as_path("results", "the folder").name
    'results'
    >>> as_path(" ", "the folder")
    Traceback (most recent call last):
        ...
    ValueError: the folder is ' '; expected a name, and "." for where you are
    """
    check_type(value, str | os.PathLike, name)
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        message = f'{name} is {short(value)}; expected a name, and "." for where you are'
        raise ValueError(message)
    return Path(value)  # type: ignore[arg-type]


def check_flag(value: object, name: str) -> None:
    """Raise TypeError unless a value is True or False.

    Examples
    --------
    >>> check_flag("no", "cache")
    Traceback (most recent call last):
        ...
    TypeError: cache is 'no'; expected True or False
    """
    if not isinstance(value, bool | np.bool_):
        message = f"{name} is {short(value)}; expected True or False"
        raise TypeError(message)


def as_tuple(values: Iterable[T], kind: type, name: str) -> tuple[T, ...]:
    """Return values as a tuple; raise TypeError unless all are of a kind.

    Raises ValueError for more than 2**20 values.

    Examples
    --------
    >>> as_tuple([1, None], int, "the layers")
    Traceback (most recent call last):
        ...
    TypeError: the layers hold None; expected int
    """
    try:
        items = tuple(islice(values, MOST_ITEMS + 1))
    except TypeError:
        message = f"{name} are {short(values)}; expected several of {kind.__name__}"
        raise TypeError(message) from None
    if len(items) > MOST_ITEMS:
        message = f"{name} are {short(values)}, more than {MOST_ITEMS}; expected fewer"
        raise ValueError(message)
    for item in items:
        if not isinstance(item, kind):
            message = f"{name} hold {short(item)}; expected {kind.__name__}"
            raise TypeError(message)
    return items


def as_float(value: float, name: str) -> float:
    """Return a real number as a Python float; raise TypeError if it is none.

    Examples
    --------
    >>> as_float(np.float32(0.5), "the learning rate")
    0.5
    """
    array = as_floats(value, name)
    if array.ndim:
        message = f"{name} is {short(value)}; expected one number"
        raise TypeError(message)
    return float(array)


def as_generator(rng: int | np.random.Generator | None) -> np.random.Generator:
    """Return numpy's generator for a seed; raise TypeError if it is none.

    Examples
    --------
    >>> as_generator("a seed")
    Traceback (most recent call last):
        ...
    TypeError: rng is 'a seed'; expected an integer of at least 0, a numpy Generator or None
    """
    if rng is None or isinstance(rng, np.random.Generator | np.random.SeedSequence):
        return np.random.default_rng(rng)
    try:
        seed = operator.index(rng)
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        expected = "expected an integer of at least 0, a numpy Generator or None"
        message = f"rng is {short(rng)}; {expected}"
        raise TypeError(message) from None


def as_integers(values: Iterable[int], name: str) -> tuple[int, ...]:
    """Return Python ints; raise TypeError for what is no integer, booleans among it.

    Python ints never overflow, so costs stay exact for sizes of 10**9 and more.

    Examples
    --------
    >>> as_integers(np.array([1, 64, 4096]), "sizes")
    (1, 64, 4096)
    """
    try:
        given = as_tuple(values, object, name)
        integers = tuple(map(operator.index, given))
        if any(isinstance(value, bool) for value in given):
            raise TypeError
    except TypeError:
        message = f"{name} {short(values)}: expected integers; convert them with int(...)"
        raise TypeError(message) from None
    return integers


def check_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Return sizes as Python ints; raise unless all are integers of at least 1.

    Raises TypeError if a size is not a Python or numpy integer, ValueError if it is below 1.

    Examples
    --------
    >>> check_sizes([3, 0])
    Traceback (most recent call last):
        ...
    ValueError: size 0 in (3, 0): every size must be at least 1; drop what is empty
    """
    checked = as_integers(sizes, "sizes")
    for size in checked:
        if size < 1:
            message = f"size {short(size)} in {short(checked)}: every size must be at least 1; "
            message += "drop what is empty"
            raise ValueError(message)
    return checked


def check_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    """Return `dtype` as a numpy dtype; raise TypeError unless it is float32 or float64.

    Examples
    --------
    >>> check_dtype("float32")
    dtype('float32')
    """
    try:
        checked = None if dtype is None else np.dtype(dtype)  # numpy's None is float64
    except (TypeError, ValueError):
        message = f"dtype {short(dtype)}: expected float32 or float64"
        raise TypeError(message) from None
    if checked is None or checked not in FLOATS:
        message = f"dtype {checked}: expected float32 or float64"
        message += "; convert with .astype('float64')"
        raise TypeError(message)
    return checked


def is_scipy_sparse(value: object) -> bool:
    """Return whether this is a sparse matrix or array of scipy's, without importing scipy."""
    return any(c.__module__.startswith("scipy.sparse") for c in type(value).__mro__)


def as_numpy(value: ArrayLike, name: str = "array") -> NDArray[Any]:
    """Return what numpy makes of `value`, of any shape and dtype; shared where it is an array.

    Raises TypeError for masked arrays, whose hidden values would count, for sparse matrices, and
    for what numpy can't read, and ValueError for rows of different lengths. Messages call it
    `name`.

    Examples
    --------
    >>> as_numpy([1, 2])
    array([1, 2])
    >>> as_numpy(np.ma.masked_array([1.0, 2.0], [True, False]), "the input")
    Traceback (most recent call last):
        ...
    TypeError: the input is a masked array of shape (2,): fill it first, as by .filled(0)
    """
    if isinstance(value, np.ma.MaskedArray):
        message = (
            f"{name} is a masked array of shape {value.shape}: fill it first, as by .filled(0)"
        )
        raise TypeError(message)
    if is_scipy_sparse(value):
        message = f"{name} is a sparse matrix, {short(value)}: expected an array, as by .toarray()"
        raise TypeError(message)
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        message = f"{name} {short(value)} is no array: {error}"
        raise (ValueError if isinstance(error, ValueError) else TypeError)(message) from error


def as_floats(
    value: ArrayLike, name: str = "array", *, dimensions: int | None = None
) -> FloatArray:
    """Return an array as C-contiguous floats, shared where it is that already.

    Integers and booleans become float64. Raises TypeError for other types than float32 and
    float64, what `as_numpy` raises, and, given a number of dimensions, ValueError for another and
    for an empty array.

    Examples
    --------
    >>> as_floats([1, 2], "the diagonal", dimensions=2)
    Traceback (most recent call last):
        ...
    ValueError: the diagonal of shape (2,): expected 2 dimensions, not empty; reshape it
    """
    array = as_numpy(value, name)
    if array.dtype.kind not in "iub" and array.dtype not in FLOATS:
        message = f"{name} {short(value)} has dtype {array.dtype}: expected float32 or float64"
        message += "; convert with .astype('float64')"
        raise TypeError(message)
    if dimensions is not None and (array.ndim != dimensions or not array.size):
        wanted = f"{dimensions} dimension{'s' * (dimensions != 1)}"
        message = f"{name} of shape {array.shape}: expected {wanted}, not empty; reshape it"
        raise ValueError(message)
    dtype = "float64" if array.dtype.kind in "iub" else array.dtype
    return np.asarray(array, dtype, order="C")


def as_indices(value: ArrayLike, name: str) -> NDArray[np.int32]:
    """Return a read-only copy of indices, of shape (n,), each from 0 to 2**31 - 1.

    Raises TypeError if they are no integers, ValueError if one is out of bounds or the shape is
    another.

    Examples
    --------
    >>> as_indices([0, 2**32 + 5], "indices")
    Traceback (most recent call last):
        ...
    ValueError: indices has 4294967301 at place 1: expected 0 to 2147483647
    """
    array = as_numpy(value, name)
    if array.ndim != 1:
        message = f"{name} of shape {array.shape}: expected one dimension"
        raise ValueError(message)
    if array.size and array.dtype.kind not in "iu":
        message = f"{name} {short(value)} has dtype {array.dtype}: expected integers"
        raise TypeError(message)
    most = np.iinfo(np.int32).max
    bad = np.flatnonzero((array < 0) | (array > most))
    if bad.size:
        message = f"{name} has {array[bad[0]]} at place {bad[0]}: expected 0 to {most}"
        raise ValueError(message)
    copy = np.array(array, np.int32)
    copy.flags.writeable = False
    return copy
