"""SIMPOR on a device of PyTorch beside the compiled code: ``python -m benchmarks device --device cuda``.

The table is that of `full_size.py`: the size of the credit card data, balanced without an informative
region, so that all is climb. On a sample of the synthetic rows the log ratio that the device gives is
compared with the compiled code's at the same points. Without ``--device`` the device is "cpu", with
a smaller table: PyTorch on the processor shows that the code works, and is not what it is for.
"""

import time
from unittest.mock import patch

import numpy as np
import pandas as pd
from llvmlite.binding import get_host_cpu_name

from benchmarks.full_size import WHOLE, rows_of_size
from simpor import SIMPOR, PosteriorRatio
from simpor._device import open_device

SIZES = {"cpu": (2_000, 5_000)}
ON_A_GPU = (20_000, WHOLE)
SAMPLE = 2_000


def one_run(n, device):
    """Balance n rows; seconds, evaluations, and the error of the ends' log ratios."""
    X, y = rows_of_size(n)
    sampler = SIMPOR(informative_portion=1, random_state=0, device=device)
    looked_at = []
    of_ratio = PosteriorRatio._log_ratio_and_gradient

    def counting(ratio, points):
        looked_at.append(len(points))
        return of_ratio(ratio, points)

    begin, begin_processor = time.perf_counter(), time.process_time()
    with patch.object(PosteriorRatio, "_log_ratio_and_gradient", counting):
        X_resampled, _ = sampler.fit_resample(X, y)
    seconds = time.perf_counter() - begin
    processor_seconds = time.process_time() - begin_processor
    drawn = np.arange(n, len(X_resampled))
    sample = np.random.default_rng(0).choice(drawn, min(SAMPLE, len(drawn)), replace=False)
    compiled = PosteriorRatio().fit(X, y).log_ratio(X_resampled[sample])
    errors = np.abs(sampler.log_ratio_[sample - n] - compiled)
    return {
        "rows": n,
        "drawn": len(drawn),
        "device": device or "compiled",
        "name": name_of(device),
        "seconds": round(seconds, 3),
        "processor_seconds": round(processor_seconds, 3),
        # the compiled climb does not call the ratio
        "evaluations_a_point": round(sum(looked_at) / len(drawn), 2) if device else np.nan,
        "gigabytes_on_gpu": gigabytes_on(device),
        "gain": round(float(np.mean(sampler.log_ratio_ - sampler.log_ratio_start_)), 6),
        "median_error": float(np.median(errors)),
        "largest_error": float(errors.max()),
    }


def name_of(device):
    """The card, or the processor."""
    if device is None or device == "cpu":
        return get_host_cpu_name()
    there = open_device(device)
    return there.torch.cuda.get_device_name(there.device)


def gigabytes_on(device):
    """Peak memory on a GPU since the last call; nan on a processor."""
    if device is None or device == "cpu":
        return np.nan
    there = open_device(device)
    peak = there.torch.cuda.max_memory_allocated(there.device) / 1e9
    there.torch.cuda.reset_peak_memory_stats(there.device)
    return round(peak, 3)


def measure(device="cpu"):
    """Tables of two sizes on the device and, but for the whole one, beside it in compiled code."""
    sizes = SIZES.get(device, ON_A_GPU)
    for there in (None, device):
        one_run(1_200, there)  # compiles, and starts PyTorch
    runs = []
    for n in sizes:
        for there in (None, device) if n < WHOLE else (device,):
            runs.append(one_run(n, there))
            print("  ".join(f"{what} {value}" for what, value in runs[-1].items()), flush=True)
    return pd.DataFrame(runs)


def show(runs):
    for n, part in runs.groupby("rows"):
        for run in part.itertuples():
            print(
                f"{n:,} rows, {run.device} ({run.name}): {run.seconds:.1f} s, largest error of "
                f"{SAMPLE:,} ends {run.largest_error:.1g} nats"
            )
