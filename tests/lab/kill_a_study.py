"""Kill a study at random moments and let it go on: ``python tests/lab/kill_a_study.py [TIMES] [SEED]``.

After the kills the study runs to its end, and what it recorded is compared with a study that nobody
disturbed. The process that is killed is a fork of this one, which has imported everything already:
so the moments fall into the work and into the writing, and not into the start. The suite kills
three times, 20 times take a minute or two.
"""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pandas.testing import assert_frame_equal

from simpor.lab import records, study

DATASETS = ["glass5", "glass4", "glass2", "ecoli4"]
METHODS = ["svmcs", "hist-gradient-boosting"]
SECONDS = ["seconds_resampling", "seconds_training"]


def begin(results):
    """The process number of a study that has begun."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    study.main(["--datasets", *DATASETS, "--methods", *METHODS, "--trials", "2", "--jobs", "1",
                "--results", str(results)])  # fmt: skip
    os._exit(0)


def finish(results):
    """Seconds of an undisturbed study."""
    start = time.monotonic()
    _, status = os.waitpid(begin(results), 0)
    if status:
        sys.exit(f"the study failed with status {status}")
    return time.monotonic() - start


def kill_after(seconds, results):
    """Whether a study was at work when it was killed."""
    child = begin(results)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)  # until it is waited for, even a finished one has its number
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(times=20, seed=0):
    """Kill, go on, compare."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        finish(whole)  # what is slow once only
        for path in (whole / "published").iterdir():
            path.unlink()
        duration = finish(whole)
        n_killed = files_at_kill = 0
        while n_killed < times:
            if kill_after(rng.uniform(0, duration), killed):
                n_killed += 1
                files_at_kill += len(list(killed.glob("published/*.gz")))
            else:  # it had reached its end: from the beginning
                for path in (killed / "published").iterdir():
                    path.unlink()
        finish(killed)

        for dataset in DATASETS:
            rows = [
                records.read(dataset, "published", at).drop(columns=SECONDS)
                for at in (whole, killed)
            ]
            assert_frame_equal(*rows, check_exact=True)
            predictions = [
                records.read_predictions(dataset, "published", at) for at in (whole, killed)
            ]
            assert_frame_equal(*predictions, check_exact=True)
        names = [sorted(path.name for path in at.glob("published/*")) for at in (whole, killed)]
        if names[0] != names[1]:
            sys.exit(f"{names[1]} lie where {names[0]} belong")
    print(
        f"{n_killed} times killed at a random moment, with {files_at_kill / n_killed:.1f} of "
        f"{len(DATASETS)} sets recorded on average, and the same rows and predictions at the end"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
