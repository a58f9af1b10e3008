"""Where ``device=`` computes: arrays of PyTorch, through the names of the array API standard.

The formulas of `kde`, `posterior` and `sphere` are written for any array library of that standard.
PyTorch and array-api-compat, which gives PyTorch's functions the standard's names, are imported
when a device is first asked for.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

CURE = 'pip install torch array-api-compat (the extra "gpu"), or leave device=None'
#: Bytes for the largest arrays where the device does not say how much memory is free.
USUAL_BYTES = 2**28
#: Arrays of one entry per pair of query and row that a kernel sum holds at a time, and some room.
PAIR_ARRAYS = 5
#: Queries.
LARGEST_BLOCK = 2048


def namespace(array: Any) -> ModuleType:
    """The library of an array, with the functions of the array API standard."""
    if isinstance(array, np.ndarray):
        return np
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    from array_api_compat import array_namespace

    return array_namespace(array)


class Device:
    """A device of PyTorch that computes in float64.

    Parameters
    ----------
    name : str
        As PyTorch names devices: "cuda", "cuda:1", "cpu", ...

    Raises
    ------
    ImportError
        If PyTorch or array-api-compat is not installed.
    ValueError
        If there is no such device, or it has no float64.
    """

    def __init__(self, name: str) -> None:
        try:
            import array_api_compat  # noqa: F401
            import torch
        except ImportError as error:
            raise ImportError(
                f"device={name!r} needs PyTorch and array-api-compat: {CURE}."
            ) from error
        self.torch, self.name = torch, name
        try:
            self.device = torch.device(name)
            # MPS has no float64, and a device of the kind "meta" no values
            float(torch.ones(1, dtype=torch.float64, device=self.device).sum())
        except (RuntimeError, AssertionError, TypeError, ValueError, ImportError) as error:
            reason = str(error).split(". ")[0].strip()
            raise ValueError(
                f"device={name!r} does not compute in float64 here ({reason}); give "
                f"{_alternatives(torch)}, or None for the compiled code on this processor."
            ) from error

    def asarray(self, array: np.ndarray) -> Any:
        """The array on the device."""
        with self.enough_memory():
            return self.torch.tensor(array, device=self.device)

    @staticmethod
    def to_numpy(array: Any) -> np.ndarray:
        """The array on this side."""
        return array.cpu().numpy()

    def queries_at_once(self, n_rows: int) -> int:
        """How many queries can be summed over so many rows at a time.

        A power of two, and no more than keep a GPU busy: how sums are rounded depends on the number,
        which should be the same in every run.
        """
        fits = self._free_bytes() // (8 * PAIR_ARRAYS * n_rows)
        if fits == 0:
            raise MemoryError(self._too_large())
        return min(LARGEST_BLOCK, 2 ** (fits.bit_length() - 1))

    @contextmanager
    def enough_memory(self) -> Iterator[None]:
        """Say in one sentence that the memory of the device is full."""
        try:
            yield
        except self.torch.cuda.OutOfMemoryError as error:
            raise MemoryError(self._too_large()) from error

    def _free_bytes(self) -> int:
        if self.device.type != "cuda":
            return USUAL_BYTES
        cuda = self.torch.cuda
        # PyTorch keeps what arrays have given back, and takes it for the next ones
        kept = cuda.memory_reserved(self.device) - cuda.memory_allocated(self.device)
        return math.floor(0.8 * (cuda.mem_get_info(self.device)[0] + kept))

    def _too_large(self) -> str:
        return (
            f"The table does not fit into the memory of device={self.name!r}; free some of it, take "
            "fewer rows, or leave device=None."
        )


def _alternatives(torch: ModuleType) -> str:
    return '"cuda" or "cpu"' if torch.cuda.is_available() else '"cpu"'


@cache
def open_device(name: str) -> Device:
    """The device of a name; looked for once."""
    return Device(name)


def check_device(name: object) -> None:
    """Raise unless `name` is None or the name of a usable device."""
    if name is None:
        return
    if not isinstance(name, str):
        raise TypeError(
            f'device={name!r}: give the name of a PyTorch device, such as "cuda", or None.'
        )
    open_device(name)
