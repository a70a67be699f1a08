"""What the benchmarks against other tools share: runs in turn, CPU time, and checks of equality.

Every contender is a process of its own that may use one thread. It prints one line of names and
values; `cpu_s` is the CPU time around the work alone, without the start of an interpreter. The kernel
adds what it saw: CPU time and peak memory of the whole process.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Each library has its own word for it.
ONE_THREAD = {
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "QT_THREADS": "1",
    "QT_PROGRESS": "never",
}


class Different(Exception):
    """Two contenders disagree about the values."""


def header(kind, symbol, px_scale, qty_scale):
    """The record that opens one of our streams, for the metadata of an Arrow schema."""
    instrument = {"sym": symbol, "px_scale": px_scale, "qty_scale": qty_scale}
    return json.dumps({"k": "stream", "schema": 1, "kinds": [kind], "instruments": [instrument]})


def build(target, *command):
    """Builds with cargo and returns the path of the program that it names."""
    done = subprocess.run(
        ["cargo", *command, "--message-format=json-render-diagnostics"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == target:
            return message["executable"]
    raise SystemExit(f"cargo built no {target}")


def build_qt():
    return build("qt", "build", "--locked", "--release", "--bin", "qt")


def build_codec():
    return build("codec", "bench", "--locked", "--no-run", "--bench", "codec")


def run(command, stdin=None, stdout=None):
    """Runs one process. Returns what it printed, if that was asked for, and what it used."""
    out = tempfile.TemporaryFile() if stdout is None else stdout
    begun = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command], stdin=stdin, stdout=out, env={**os.environ, **ONE_THREAD})
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"exit code {child.returncode} from: {' '.join(map(str, command))}")
    used = {
        "process_cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": wall,
        "peak_mib": usage.ru_maxrss / 1024,
    }
    if stdout is not None:
        return "", used
    out.seek(0)
    return out.read().decode(), used


def measure(command):
    """Runs a contender: the names and values it printed, and what the kernel saw."""
    text, used = run(command)
    words = text.split()
    # A leading word without a value is a title.
    words = words[len(words) % 2:]
    return {**dict(zip(words[::2], words[1::2])), **used}


def in_turn(contenders, rounds):
    """Runs all of them, round after round, and returns the list of results of each."""
    results = {name: [] for name in contenders}
    for number in range(rounds):
        for name, command in contenders.items():
            found = measure(command)
            results[name].append(found)
            print(f"# round {number + 1}: {name}: {float(found['cpu_s']):.3f} s of CPU", file=sys.stderr)
    return results


def require_equal(results, keys, silent=()):
    """Raises unless every run of every contender agrees on the values of those names. The silent
    ones only have to agree on the number of rows, since the sums are not part of their work."""
    expected = {}
    for name, runs in results.items():
        for found in runs:
            for key in ["rows"] if name in silent else keys:
                value, other = found.get(key), expected.setdefault(key, found.get(key))
                if value is None or value != other:
                    raise Different(f"{key} is {value} by {name} and {other} by others")
    return expected


def spread(runs, key="cpu_s", per=1.0):
    values = [float(found[key]) / per for found in runs]
    return statistics.median(values), min(values), max(values)


def report(title, results, rows, ours, goal, peers, values):
    """Prints a table of the contenders, the ratios to ours, and the goal against the best of `peers`."""
    print(f"\n## {title}: {rows} rows")
    print(f"{'':26} {'ns/row':>8} {'min':>8} {'max':>8} {'M/s':>7} {'process s':>10} {'peak MiB':>9}")
    medians = {}
    for name, runs in results.items():
        middle, low, high = (value * 1e9 / rows for value in spread(runs))
        medians[name] = middle
        process, peak = spread(runs, "process_cpu_s")[0], max(found["peak_mib"] for found in runs)
        print(f"{name:26} {middle:8.1f} {low:8.1f} {high:8.1f} {1e3 / middle:7.2f} {process:10.2f} {peak:9.0f}")
    for name, middle in medians.items():
        if name != ours:
            print(f"ratio {name} / {ours}: {middle / medians[ours]:.2f}")
    peer = min(peers, key=lambda name: medians[name])
    ratio = medians[peer] / medians[ours]
    print(f"goal {goal:.1f}x of {peer}: {ratio:.2f}x, {'met' if ratio >= goal else 'MISSED'}")
    print("equal:", " ".join(f"{key} {value}" for key, value in values.items()))
    sys.stdout.flush()
