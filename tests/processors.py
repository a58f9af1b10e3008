"""Run the tests with the arithmetic of other processors: ``make processors``, or

    python tests/processors.py [--only NAME ...] [arguments of pytest]

Products and sums round differently where a processor has wider registers or other instructions,
and libraries add up in another order where there are other numbers of threads. No test may depend
on that. Each line of PROCESSORS names the code that the libraries choose for one kind of processor,
which this processor can run as well, and a number of threads. What this one cannot run is left out.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time

import numpy as np
from llvmlite.binding import get_host_cpu_features


def numpy_without(pattern):
    """Names of NumPy's optional instruction sets that match, as NPY_DISABLE_CPU_FEATURES takes them."""
    sets = np.show_config(mode="dicts")["SIMD Extensions"]
    names = sets.get("found", []) + sets.get("not found", [])
    return " ".join(name for name in names if re.search(pattern, name))


def threads(number):
    """The number of threads of every library that has some."""
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"]
    names += ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "LOKY_MAX_CPU_COUNT"]
    return dict.fromkeys(names, str(number))


#: name: (the instructions that this processor must have, the variables that are set)
PROCESSORS = {
    "as it is": ([], {}),
    "no AVX": (
        ["sse4.2"],
        {
            "NPY_DISABLE_CPU_FEATURES": numpy_without("."),
            "OPENBLAS_CORETYPE": "Prescott",
            "NUMBA_CPU_NAME": "generic",
            "NUMBA_CPU_FEATURES": "",
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
            **threads(1),
        },
    ),
    "AVX2": (
        ["avx2", "fma"],
        {
            "NPY_DISABLE_CPU_FEATURES": numpy_without("512|V4"),
            "OPENBLAS_CORETYPE": "Haswell",
            "NUMBA_CPU_NAME": "haswell",
            "NUMBA_CPU_FEATURES": "",
            "TF_ENABLE_ONEDNN_OPTS": "0",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
            **threads(7),
        },
    ),
    "AVX2, AMD, oneDNN": (
        ["avx2", "fma"],
        {
            "NPY_DISABLE_CPU_FEATURES": numpy_without("512|V4"),
            "OPENBLAS_CORETYPE": "Zen",
            "NUMBA_CPU_NAME": "znver2",
            "NUMBA_CPU_FEATURES": "",
            "TF_ENABLE_ONEDNN_OPTS": "1",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
            **threads(2),
        },
    ),
    "AVX-512": (
        ["avx512f", "avx512bw", "avx512vl"],
        {
            "OPENBLAS_CORETYPE": "SkylakeX",
            "NUMBA_CPU_NAME": "skylake-avx512",
            "NUMBA_CPU_FEATURES": "",
            "TF_ENABLE_ONEDNN_OPTS": "1",
            **threads(2),
        },
    ),
    "Arm": (
        ["neon"],
        {"OPENBLAS_CORETYPE": "ARMV8", "NUMBA_CPU_NAME": "generic", **threads(7)},
    ),
}


def can_run(features):
    """Whether this processor has all of some instruction sets."""
    has = get_host_cpu_features()
    if platform.machine().lower() in ("arm64", "aarch64"):
        has["neon"] = True  # every 64-bit Arm has it; macOS does not say so
    return all(has.get(feature) for feature in features)


def main(names, arguments):
    """Run pytest once for each processor, and print one line about each."""
    results = []
    for name in names:
        features, variables = PROCESSORS[name]
        if not can_run(features):
            results.append((name, "left out: this processor lacks " + ", ".join(features), 0))
            continue
        print(f"== {name}: {variables}", flush=True)
        command = [sys.executable, "-m", "pytest", *arguments]
        # what is preset about OpenBLAS would change what a name of a processor means
        inherited = {key: value for key, value in os.environ.items() if "OPENBLAS" not in key}
        environment = inherited | variables if variables else os.environ
        begin = time.monotonic()
        process = subprocess.run(command, env=environment, check=False)
        minutes = (time.monotonic() - begin) / 60
        result = f"FAILED with status {process.returncode}" if process.returncode else "passed"
        results.append((name, result, minutes))
    print(f"\n{'processor':<20} minutes  result")
    for name, result, minutes in results:
        print(f"{name:<20} {minutes:7.1f}  {result}")
    return any(result.startswith("FAILED") for _, result, _ in results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PROCESSORS, default=list(PROCESSORS))
    given, for_pytest = parser.parse_known_args()
    sys.exit(main(given.only, for_pytest))
