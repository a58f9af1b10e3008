"""Training networks as a stack against ``model.fit`` one by one: ``python benchmarks/network.py``.

Both train the same networks on the same rows in this one process, turn and turn about, after a run
that compiles. Each is timed on a few epochs and reckoned up in proportion: the time of an epoch
does not depend on its number, and ``model.fit`` trains one network after the other.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import time
from dataclasses import replace
from itertools import pairwise

import keras
import numpy as np

from simpor.lab.network import PREPRINT, NetworkStack


def rows_of(n_members, n_rows, n_features):
    rng = np.random.default_rng(0)
    Xs = [rng.normal(size=(n_rows, n_features)).astype("float32") for _ in range(n_members)]
    return Xs, [(X[:, 0] > 0.5).astype("int32") for X in Xs]


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def stack_against_fit(n_members=45, n_rows=1800, epochs=200, timed_epochs=10, turns=5):
    """Seconds for all members: stack on all cores, stack on one thread, ``model.fit``."""
    network = replace(PREPRINT["moon"], epochs=timed_epochs)
    Xs, ys = rows_of(n_members, n_rows, 2)
    seeds = range(n_members)

    layers = [keras.layers.Dense(units, activation="relu") for units in network.hidden_layers]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(network.learning_rate), loss="sparse_categorical_crossentropy"
    )

    ways = {
        "stack, all cores": lambda: NetworkStack(network, n_jobs=-1, verbose=0).fit(Xs, ys, seeds),
        "stack, one thread": lambda: NetworkStack(network, verbose=0).fit(Xs, ys, seeds),
        "model.fit": lambda: model.fit(
            Xs[0], ys[0], epochs=timed_epochs, batch_size=network.batch_size, verbose=0
        ),
    }
    for call in ways.values():
        call()
    times = {name: [] for name in ways}
    for _ in range(turns):
        for name, call in ways.items():
            networks_trained = 1 if name == "model.fit" else n_members
            share = n_members / networks_trained * epochs / timed_epochs
            times[name].append(seconds(call) * share)
    print(f"{n_members} networks of 3 x 100 units, {n_rows} rows, {epochs} epochs:")
    for name, values in times.items():
        print(f"  {name:18s} {np.median(values):8.1f} s ({min(values):.1f} to {max(values):.1f})")
    for name in list(ways)[:2]:
        ratios = np.array(times["model.fit"]) / np.array(times[name])
        print(
            f"  {name} is {np.median(ratios):.1f} times as fast as model.fit "
            f"({ratios.min():.1f} to {ratios.max():.1f})"
        )


def rates(turns=3):
    """Arithmetic of both shapes: 6 operations for each weight, row and epoch."""
    for source, n_rows, n_features in (("moon", 1800, 2), ("credit-card", 4000, 30)):
        network = replace(PREPRINT[source], epochs=4)
        widths = (n_features, *network.hidden_layers, 2)
        n_weights = sum(a * b for a, b in pairwise(widths))
        for n_members in (1, 4, 8, 16):
            Xs, ys = rows_of(n_members, n_rows, n_features)
            stack = NetworkStack(network, n_jobs=-1, verbose=0)
            stack.fit(Xs, ys, range(n_members))
            best = min(seconds(lambda: stack.fit(Xs, ys, range(n_members))) for _ in range(turns))
            n_operations = 6 * n_weights * n_members * n_rows * network.epochs
            print(
                f"{network.hidden_layers}, batch {network.batch_size}, {n_members:2d} members: "
                f"{n_operations / best / 1e9:5.1f} GFLOP/s"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time the stack of networks.")
    parser.add_argument("--turns", type=int, default=5, help="repetitions, default: %(default)s")
    turns = parser.parse_args().turns
    stack_against_fit(turns=turns)
    rates(turns=turns)
