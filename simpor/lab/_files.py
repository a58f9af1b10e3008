"""Read files that may be damaged, and write files that appear only when they are complete."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

# No file of the papers' data unpacks to half as much. Reading stops there.
MOST_BYTES = 2**28

# What damaged, shortened and foreign files raise while they are read.
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    StopIteration,
    NotImplementedError,
    MemoryError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
)


@contextmanager
def naming_damage(source: str | Path, cure: str) -> Iterator[None]:
    """Turn what reading a damaged file raises into a sentence that names the file and the cure.

    A file that may not be read is not damaged: ``PermissionError`` passes.
    """
    try:
        yield
    except PermissionError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{source} is damaged or cut short: {cure}") from error


def opened(path: Path) -> io.BufferedIOBase:
    """Open a file for reading; one that ends in ".gz" is unpacked on the way."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def read_all(file: io.BufferedIOBase | IO[bytes]) -> bytes:
    """Read the rest of a file, or refuse it if it is larger than any of the data sets."""
    content = file.read(MOST_BYTES + 1)
    _check_size(len(content))
    return content


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an ".npz" file, or refuse it if it is damaged, too large or pickled."""
    with path.open("rb") as file:
        with zipfile.ZipFile(file) as archive:
            _check_size(sum(member.file_size for member in archive.infolist()))
            if archive.testzip():
                raise ValueError("A checksum does not fit.")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)


def write_whole(files: Mapping[Path, bytes], suffix: str = ".part") -> None:
    """Write files that get their names, one after the other, when all of them are complete.

    Where several processes may write the same file, ``suffix`` has to differ between them.
    """
    unfinished = {path: path.with_name(path.name + suffix) for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished[path].write_bytes(content)
        for path in files:
            unfinished[path].replace(path)
    finally:  # the disk may be full
        for part in unfinished.values():
            part.unlink(missing_ok=True)


def _check_size(n_bytes: int) -> None:
    if n_bytes > MOST_BYTES:
        raise ValueError("The file is larger than any of these data sets.")
