"""Training networks as a stack against ``model.fit`` one by one: ``python -m benchmarks network``.

Both train the same networks on the same rows in this one process, turn and turn about, after a run
that compiles. Each is timed on a few epochs and reckoned up in proportion: the time of an epoch
does not depend on its number, and ``model.fit`` trains one network after the other.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time
from dataclasses import replace

import keras
import numpy as np
import pandas as pd

from simpor.lab.network import PREPRINT, NetworkStack


def rows_of(n_members, n_rows, n_features):
    rng = np.random.default_rng(0)
    Xs = [rng.normal(size=(n_rows, n_features)).astype("float32") for _ in range(n_members)]
    return Xs, [(X[:, 0] > 0.5).astype("int32") for X in Xs]


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def measure(n_members=45, n_rows=1800, epochs=200, timed_epochs=10, turns=3):
    """Seconds for all members, by way and turn: stack on all cores or on one thread, ``model.fit``."""
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
    table = []
    for turn in range(turns):
        for name, call in ways.items():
            networks_trained = 1 if name == "model.fit" else n_members
            share = n_members / networks_trained * epochs / timed_epochs
            table.append((n_members, n_rows, epochs, turn, name, round(seconds(call) * share, 2)))
    return pd.DataFrame(table, columns=["networks", "rows", "epochs", "turn", "way", "seconds"])


def show(table):
    first = table.iloc[0]
    print(
        f"{first['networks']} networks of 3 x 100 units, {first['rows']} rows, {first['epochs']} epochs:"
    )
    by_way = table.groupby("way", sort=False)["seconds"].agg(["median", "min", "max"])
    by_way["times model.fit's speed"] = by_way.loc["model.fit", "median"] / by_way["median"]
    print(by_way.round(1).to_string())
