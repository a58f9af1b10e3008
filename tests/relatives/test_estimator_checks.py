"""The libraries' own checks of the relatives; no failure is expected."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from simpor.relatives import KernelSMOTESVC, KOTAROClassifier

# One line for each relative, with few epochs if it trains a network.
CLASSIFIERS = [
    KOTAROClassifier(),
    KOTAROClassifier(ridge=1.0, scale="free"),
    # some checks have classes of three rows
    KernelSMOTESVC(k_neighbors=2, random_state=0),
    KernelSMOTESVC("cost", k_neighbors=2, random_state=0),
    KernelSMOTESVC("entropy-difference", k_neighbors=2, random_state=0),
]


@parametrize_with_checks(CLASSIFIERS)
def test_scikit_learn_accepts_the_classifier(estimator, check):
    check(estimator)
