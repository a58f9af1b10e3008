"""SMOTE in the feature space of a support vector machine: K-SMOTE, WK-SMOTE and EDKS."""

from itertools import islice
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.svm import SVC
from sklearn.utils import check_random_state, gen_batches

from simpor._checks import check_whole
from simpor.relatives._feature_space import KernelNeighborhoods, draw, retain
from simpor.relatives._parameters import check_choice, check_not_negative, check_positive
from simpor.relatives._two_classes import TwoClassClassifier

__all__ = ["KernelSMOTESVC", "augmented_gram"]

ROWS_AT_ONCE = 1024


class KernelSMOTESVC(TwoClassClassifier):
    r"""A support vector machine that oversamples where it separates: in its feature space.

    A synthetic row :math:`(1 - u)\phi(x_p) + u\phi(x_q)` lies between a row and one of its
    :math:`k` nearest rows of the same class. It has no features, but its kernel with every other
    row is known: with a column of :math:`W` for each row, synthetic ones holding :math:`1 - u` at
    :math:`p` and :math:`u` at :math:`q`,

    .. math:: K_{\text{new}} = \begin{bmatrix} K & K_2 \\ K_2^\top & K_3 \end{bmatrix},
              \qquad K_2 = K W, \qquad K_3 = W^\top K W .

    Parameters
    ----------
    weighting : {"none", "cost", "entropy-difference"}, default="none"
        "none" is K-SMOTE, as published: all seeds :math:`p` are equally likely, all rows cost the
        same. "cost" is WK-SMOTE: the same rows, with costs :math:`n_0/n` for rows of the smaller
        class and synthetic ones and :math:`n_1/n` for rows of the larger one. "entropy-difference"
        is inspired by EDKS, see the notes.
    k_neighbors : int, default=5
        :math:`k`, in the feature space and the row itself excluded.
    C : float, default=1.0
        Cost of the support vector machine, above 0.
    gamma : float or "scale", default="scale"
        Of the kernel :math:`e^{-\gamma\lVert x - x'\rVert^2}`; "scale" is scikit-learn's,
        1 / (number of features * variance of all values).
    softening : float, default=0.1
        For "entropy-difference": added to each distance, in units of the median distance between
        neighbours. 0 is the formula as found, which near-duplicates upset.
    random_state : int, RandomState instance or None, default=None
        Seeds the synthetic rows.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    oversampled_class_ : label
        The class of the synthetic rows.
    svc_ : SVC
        Fitted on :math:`K_{\text{new}}`.
    seed_indices_, neighbor_indices_ : ndarray of int of shape (n_synthetic,)
        :math:`p` and :math:`q`, as numbers of training rows.
    steps_ : ndarray of shape (n_synthetic,)
        :math:`u`.
    entropy_differences_ : ndarray of shape (n_synthetic + 1,)
        Only for "entropy-difference": before the first synthetic row and after each.
    n_rejected_ : int
        Synthetic rows that were not retained; 0 unless "entropy-difference".
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if ``X`` has column names.

    Raises
    ------
    ValueError
        If there are not two classes, a class has no more than `k_neighbors` rows, or a parameter
        is out of range.

    See Also
    --------
    imblearn.over_sampling.SMOTE : The same between the rows themselves.

    Notes
    -----
    The extension of the kernel matrix is as in the authors' code of a successor, GB-SMOTE, except
    that that code sets the diagonal of :math:`K_3` to 1. :math:`K_{\text{new}}` is the kernel
    matrix of ordinary SMOTE on the empirical feature map, :math:`V \Lambda^{1/2}` for
    :math:`K = V \Lambda V^\top`: a few lines that a test compares. The matrices take
    :math:`(2 n_0)^2` numbers, so some 5,000 rows of the larger class are the limit on a laptop.

    The costs of "cost" are those of a third party's code of WK-SMOTE. After the classes have been
    balanced they count the imbalance a second time, by a factor of :math:`n_0 / n_1`.

    For "entropy-difference" we have found no equation of EDKS, only the idea: tell by entropy which
    class is sparse, start from its sparse rows, and keep a synthetic row that brings the classes'
    entropies closer. All of the following is our reading. Among the :math:`k` nearest rows of all
    classes, let :math:`\lambda_i` be the mean of 1 / distance to those of the row's own class,
    0 without any. With :math:`p_i = \lambda_i / \sum_j \lambda_j` in a class of :math:`n_c` rows,
    :math:`\theta_c = -\frac{1}{n_c}\sum_i p_i \ln p_i`; the class of larger :math:`\theta` is
    oversampled, and the entropy difference ED is the larger minus the smaller. A real row is a
    seed with probability proportional to :math:`1/\lambda_i` (a row without neighbours of its class
    counts as the sparsest of the others), and a synthetic row is kept if \|ED\| falls. This ends
    when ED is 0 or below, when as many rows are kept as the classes differ by, or after ten times
    as many tries.

    Of the methods that EDKS is compared with, imbalanced-learn has clustered undersampling
    (ClusterCentroids) and the smoothed bootstrap (the `shrinkage` of RandomOverSampler); safe-level
    SMOTE and MWMOTE are in the package smote_variants.

    References
    ----------
    K-SMOTE: J. Mathew, M. Luo, C. K. Pang and H. L. Chan, "Kernel-based SMOTE for SVM
    classification of imbalanced datasets", IECON 2015.

    WK-SMOTE: J. Mathew, C. K. Pang, M. Luo and W. H. Leong, "Classification of imbalanced data by
    oversampling in kernel space of support vector machines", IEEE Transactions on Neural Networks
    and Learning Systems, 2018.

    EDKS: "An entropy difference and kernel-based SMOTE", Intelligent Data Analysis, 2020,
    doi:10.3233/IDA-194761.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from simpor.relatives import KernelSMOTESVC
    >>> X, y = make_moons((200, 20), noise=0.1, random_state=0)
    >>> svm = KernelSMOTESVC(random_state=0).fit(X, y)
    >>> len(svm.steps_)
    180
    """

    def __init__(
        self,
        weighting: str = "none",
        *,
        k_neighbors: int = 5,
        C: float = 1.0,
        gamma: float | str = "scale",
        softening: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.weighting = weighting
        self.k_neighbors = k_neighbors
        self.C = C
        self.gamma = gamma
        self.softening = softening
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Draw the synthetic rows and train the support vector machine.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
            Labels of two classes.

        Returns
        -------
        KernelSMOTESVC
            The classifier itself.
        """
        X, numbers = self._check_X_y(X, y)
        self._check_parameters(numbers)
        rng = check_random_state(self.random_state)
        self._rows = X
        self._gamma = _gamma_of_scale(X) if self.gamma == "scale" else float(self.gamma)
        kernel = self._kernel(X)

        n_rows = np.bincount(numbers)
        n_wanted = abs(n_rows[1] - n_rows[0])
        if self.weighting == "entropy-difference":
            near = KernelNeighborhoods.of(kernel, numbers, self.k_neighbors, self.softening)
            oversampled = int(near.thetas().argmax())
            draws, differences, self.n_rejected_ = retain(kernel, near, oversampled, n_wanted, rng)
            self.entropy_differences_ = np.array(differences)
        else:
            oversampled = int(n_rows.argmin())
            rows = np.flatnonzero(numbers == oversampled)
            draws = list(islice(draw(kernel, rows, self.k_neighbors, rng), n_wanted))
            self.n_rejected_ = 0
        self.oversampled_class_ = self.classes_[oversampled]
        self.seed_indices_ = np.array([p for p, _, _ in draws], dtype=int)
        self.neighbor_indices_ = np.array([q for _, q, _ in draws], dtype=int)
        self.steps_ = np.array([u for _, _, u in draws], dtype=float)

        labels = np.append(numbers, np.full(len(draws), oversampled))
        costs = None
        if self.weighting == "cost":
            costs = n_rows[1 - labels] / len(X)
        gram = augmented_gram(kernel, self.seed_indices_, self.neighbor_indices_, self.steps_)
        self.svc_ = SVC(kernel="precomputed", C=self.C).fit(gram, labels, sample_weight=costs)
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Signed distance to the boundary in the feature space, up to a factor.

        Parameters
        ----------
        X : array-like of shape (m, d)

        Returns
        -------
        ndarray of shape (m,)
            Above 0 for ``classes_[1]``.
        """
        X = self._check_X(X)
        batches = gen_batches(len(X), ROWS_AT_ONCE)
        return np.concatenate(
            [self.svc_.decision_function(self._extended(self._kernel(X[rows]))) for rows in batches]
        )

    def _kernel(self, X: np.ndarray) -> np.ndarray:
        return np.exp(-self._gamma * cdist(X, self._rows, "sqeuclidean"))

    def _extended(self, kernel: np.ndarray) -> np.ndarray:
        """Kernel of some rows with the real training rows, followed by that with the synthetic."""
        synthetic = _between(kernel, self.seed_indices_, self.neighbor_indices_, self.steps_)
        return np.hstack([kernel, synthetic])

    def _check_parameters(self, numbers: np.ndarray) -> None:
        check_whole("k_neighbors", self.k_neighbors, 1)
        check_choice("weighting", self.weighting, "none", "cost", "entropy-difference")
        check_positive("C", self.C)
        if self.gamma != "scale":
            check_positive("gamma", self.gamma, instead=', or "scale"')
        check_not_negative("softening", self.softening)
        n_smallest = np.bincount(numbers).min()
        if self.k_neighbors >= n_smallest:
            raise ValueError(
                f"k_neighbors={self.k_neighbors}, but a class has n_samples={n_smallest}: pass more "
                "rows of it, or ask for fewer neighbours."
            )


def _gamma_of_scale(X: np.ndarray) -> float:
    """scikit-learn's gamma="scale"."""
    variance = X.var()
    return float(1 / (X.shape[1] * variance)) if variance > 0 else 1.0


def _between(values: np.ndarray, p: np.ndarray, q: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Columns p and q of an array, interpolated: the array times W."""
    return (1 - u) * values[:, p] + u * values[:, q]


def augmented_gram(
    kernel: np.ndarray,
    seed_indices: np.ndarray,
    neighbor_indices: np.ndarray,
    steps: np.ndarray,
) -> np.ndarray:
    r"""Kernel matrix of real rows and of synthetic rows between them.

    Parameters
    ----------
    kernel : ndarray of shape (n, n)
        Of the real rows.
    seed_indices, neighbor_indices : ndarray of int of shape (m,)
    steps : ndarray of shape (m,)
        A synthetic row lies at ``1 - step`` times its seed plus ``step`` times its neighbour.

    Returns
    -------
    ndarray of shape (n + m, n + m)
        :math:`K_{\text{new}}`, the synthetic rows last.

    Examples
    --------
    A row in the middle of two orthogonal ones:

    >>> import numpy as np
    >>> from simpor.relatives.kernel_smote import augmented_gram
    >>> augmented_gram(np.eye(2), np.array([0]), np.array([1]), np.array([0.5]))
    array([[1. , 0. , 0.5],
           [0. , 1. , 0.5],
           [0.5, 0.5, 0.5]])
    """
    with_real = _between(kernel, seed_indices, neighbor_indices, steps)
    among_synthetic = _between(with_real.T, seed_indices, neighbor_indices, steps)
    return np.block([[kernel, with_real], [with_real.T, among_synthetic]])
