"""All benchmarks, or some: ``python -m benchmarks [NAME ...]``; ``--help`` lists their names.

Prints a table for each and writes its rows to ``book/results/speed/``, where the chapter on speed
reads them. Take the machine for yourself: all but ``ascent`` and ``replays`` is timed, on every core.
``device`` needs PyTorch and runs only if it is named.
"""

import argparse
import importlib
import platform
from importlib.metadata import version
from pathlib import Path

import numba
import pandas as pd
from llvmlite.binding import get_host_cpu_name

from simpor._kernel_sums import LANES

RESULTS = Path(__file__).parents[1] / "book" / "results" / "speed"
NAMES = (
    "start-up",
    "density",
    "ascent",
    "forty-one",
    "full-size",
    "device",
    "network",
    "relatives",
    "replays",
)


def machine():
    """What the rows were measured on."""
    facts = {
        "processor": get_host_cpu_name(),
        "threads": numba.config.NUMBA_NUM_THREADS,
        "lanes": LANES,
        "system": platform.system(),
        "python": platform.python_version(),
    }
    facts |= {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "numba")}
    return pd.DataFrame(facts.items(), columns=["what", "value"])


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the speed.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"some of {', '.join(NAMES)}; default: all"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the rows")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="full-size: also balance the whole table, which takes long",
    )
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="forty-one and full-size: beside the module of this revision of git, in turn",
    )
    parser.add_argument(
        "--device", default="cpu", help="device: the PyTorch device that is measured; default: cpu"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(
            f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}"
        )
    arguments.results.mkdir(parents=True, exist_ok=True)

    def write(name, table):
        table.to_csv(arguments.results / f"{name}.csv", index=False)

    if not arguments.against:
        write("machine", machine())
    for name in arguments.names or [name for name in NAMES if name != "device"]:
        print(f"\n{name}", flush=True)
        benchmark = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
        if arguments.against and name in ("forty-one", "full-size"):
            table = benchmark.measure_against(arguments.against)
            table["processor"] = get_host_cpu_name()
            write(f"{name}-against", table)
            benchmark.show_against(table)
        elif name == "full-size":
            runs, kept = benchmark.measure(arguments.whole), benchmark.left_out()
            write("full-size", runs)
            write("left-out", kept)
            benchmark.show(runs, kept)
        elif name == "device":
            table = benchmark.measure(arguments.device)
            write(f"device-{arguments.device.replace(':', '-')}", table)
            benchmark.show(table)
        else:
            table = benchmark.measure()
            write(name, table)
            benchmark.show(table)


if __name__ == "__main__":
    main()
