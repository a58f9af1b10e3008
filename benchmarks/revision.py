"""The module as it was at an earlier revision, in a process of its own beside today's."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def checked_out(revision):
    """A temporary folder with the module of a revision of git, and with today's benchmarks."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", revision, "simpor"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
        (Path(folder) / "benchmarks").symlink_to(ROOT / "benchmarks")
        yield Path(folder)


class Worker:
    """A Python that answers calls of a function of the benchmarks with the module of a folder."""

    def __init__(self, folder, module, function):
        code = (
            "import json, sys\n"
            f"from benchmarks.{module} import {function}\n"
            "for line in sys.stdin:\n"
            f"    print(json.dumps({function}(*json.loads(line))), flush=True)\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *args):
        self.process.stdin.write(json.dumps(args) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The benchmark ended with code {self.process.wait()}.")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait()
