"""SMOTE's draws and EDKS's entropies in a feature space that is known by its kernel matrix alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import entr

__all__: list[str] = []

TRIES_PER_ROW = 10

Draw = tuple[int, int, float]  # a synthetic row lies at (1 - u) phi(x_p) + u phi(x_q)


def squared_distances(kernel: np.ndarray) -> np.ndarray:
    """Squared distances in the feature space, from a kernel matrix.

    Parameters
    ----------
    kernel : ndarray of shape (n, n)

    Returns
    -------
    ndarray of shape (n, n)
    """
    diagonal = np.diag(kernel)
    return np.maximum(diagonal[:, None] + diagonal - 2 * kernel, 0)


def draw(
    kernel: np.ndarray,
    rows: np.ndarray,
    k_neighbors: int,
    rng: np.random.RandomState,
    weights: np.ndarray | None = None,
) -> Iterator[Draw]:
    """Draw synthetic rows of a class, without end.

    Parameters
    ----------
    kernel : ndarray of shape (n, n)
        Of all rows.
    rows : ndarray of int
        The rows of the class.
    k_neighbors : int
        A seed's partner is one of as many nearest rows of the class.
    rng : RandomState
    weights : ndarray, optional
        Probability of each row to be the seed; without it all are alike.

    Yields
    ------
    Draw
        Seed, partner and step.
    """
    distances = squared_distances(kernel[np.ix_(rows, rows)])
    np.fill_diagonal(distances, -1)  # each row comes first among its neighbours, before duplicates
    neighbors = np.argsort(distances, axis=1, kind="stable")[:, 1 : k_neighbors + 1]
    while True:
        seed = rng.choice(len(rows), p=weights)
        neighbor = neighbors[seed, rng.randint(k_neighbors)]
        yield rows[seed], rows[neighbor], rng.uniform()


@dataclass(frozen=True)
class KernelNeighborhoods:
    """The k nearest rows of each row, in the feature space and among all classes."""

    distances: np.ndarray  # (n, k)
    is_own: np.ndarray  # (n, k), whether that neighbour is of the row's own class
    numbers: np.ndarray  # (n,), classes of the rows
    softening: float  # added to each distance
    smallest: float  # takes the place of a distance of 0

    @classmethod
    def of(
        cls, kernel: np.ndarray, numbers: np.ndarray, k_neighbors: int, softening: float
    ) -> Self:
        """Find the neighbours; the softening is in units of the median distance to them."""
        distances = np.sqrt(squared_distances(kernel))
        np.fill_diagonal(distances, np.inf)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :k_neighbors]
        distances = np.take_along_axis(distances, nearest, axis=1)
        smallest = distances[distances > 0].min(initial=1.0)
        is_own = numbers[nearest] == numbers[:, None]
        return cls(distances, is_own, numbers, softening * np.median(distances), smallest)

    def joined_by(self, distances: np.ndarray, number: int) -> Self:
        """The same after one more row, of class `number`, at these distances."""
        k = self.distances.shape[1]
        nearest = np.argsort(distances, kind="stable")[:k]
        all_distances = np.vstack([self.distances, distances[nearest]])
        all_own = np.vstack([self.is_own, self.numbers[nearest] == number])
        changed = np.flatnonzero(distances < self.distances[:, -1])
        longer = np.column_stack([self.distances[changed], distances[changed]])
        longer_own = np.column_stack([self.is_own[changed], self.numbers[changed] == number])
        order = np.argsort(longer, axis=1, kind="stable")[:, :k]
        all_distances[changed] = np.take_along_axis(longer, order, axis=1)
        all_own[changed] = np.take_along_axis(longer_own, order, axis=1)
        numbers = np.append(self.numbers, number)
        return replace(self, distances=all_distances, is_own=all_own, numbers=numbers)

    def densities(self) -> np.ndarray:
        """lambda: mean inverse distance to the neighbours of the row's own class."""
        softened = self.distances + self.softening
        inverse = 1 / np.where(softened > 0, softened, self.smallest)
        return (inverse * self.is_own).sum(axis=1) / np.maximum(self.is_own.sum(axis=1), 1)

    def thetas(self) -> np.ndarray:
        """Entropy of the densities of each class, divided by its number of rows."""
        densities = self.densities()
        by_class = [densities[self.numbers == number] for number in (0, 1)]
        shares = [part / (part.sum() or 1) for part in by_class]
        return np.array([entr(part).mean() for part in shares])


def _sparse_rows_first(neighborhoods: KernelNeighborhoods, rows: np.ndarray) -> np.ndarray:
    """Probability of each row to be a seed, in proportion to 1 / lambda."""
    densities = neighborhoods.densities()[rows]
    weights = 1 / np.maximum(densities, densities[densities > 0].min(initial=np.inf))
    return weights / weights.sum() if weights.sum() > 0 else np.full(len(rows), 1 / len(rows))


def retain(
    kernel: np.ndarray,
    neighborhoods: KernelNeighborhoods,
    sparse: int,
    n_wanted: int,
    rng: np.random.RandomState,
) -> tuple[list[Draw], list[float], int]:
    """Draw synthetic rows, and keep those that bring the classes' entropies closer.

    Parameters
    ----------
    kernel : ndarray of shape (n, n)
        Of the real rows.
    neighborhoods : KernelNeighborhoods
        Of the real rows.
    sparse : {0, 1}
        The class to be oversampled.
    n_wanted : int
        Rows to keep at most.
    rng : RandomState

    Returns
    -------
    kept : list of Draw
    differences : list of float
        The entropy difference before the first kept row and after each.
    n_rejected : int
    """

    def difference_of(neighborhoods: KernelNeighborhoods) -> float:
        thetas = neighborhoods.thetas()
        return thetas[sparse] - thetas[1 - sparse]

    rows = np.flatnonzero(neighborhoods.numbers == sparse)
    weights = _sparse_rows_first(neighborhoods, rows)
    proposals = draw(kernel, rows, neighborhoods.distances.shape[1], rng, weights)
    kept: list[Draw] = []
    differences = [difference_of(neighborhoods)]
    columns = np.empty((len(kernel), len(kernel) + n_wanted))  # kernel of real rows with all rows
    columns[:, : len(kernel)] = kernel
    norms = np.append(np.diag(kernel), np.empty(n_wanted))
    n_tries = 0
    while differences[-1] > 0 and len(kept) < n_wanted and n_tries < TRIES_PER_ROW * n_wanted:
        n_tries += 1
        p, q, u = next(proposals)
        n = len(kernel) + len(kept)
        columns[:, n] = (1 - u) * kernel[:, p] + u * kernel[:, q]
        norms[n] = (1 - u) * columns[p, n] + u * columns[q, n]
        products = (1 - u) * columns[p, :n] + u * columns[q, :n]
        distances = np.sqrt(np.maximum(norms[:n] + norms[n] - 2 * products, 0))
        joined = neighborhoods.joined_by(distances, sparse)
        difference = difference_of(joined)
        if abs(difference) < abs(differences[-1]):
            neighborhoods = joined
            kept.append((p, q, u))
            differences.append(difference)
    return kept, differences, n_tries - len(kept)
