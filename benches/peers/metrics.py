"""Sharpe, Sortino and maximum drawdown of ten million returns: qt against NumPy, in turn.

    python benches/peers/metrics.py [--rounds 7]

Needs NumPy. Both read the same file of doubles; the clock runs around the figures alone. The three
values must agree within 1e-9 of their size, since the two add up in different orders.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import contest

POINTS = 10_000_000


def peer(path):
    """The work as NumPy users write it."""
    import numpy as np

    r = np.fromfile(path)
    begun = time.process_time()
    mean, deviation = r.mean(), r.std(ddof=1)
    downside = np.sqrt(np.mean(np.minimum(r, 0) ** 2))
    wealth = np.cumprod(1 + r)
    deepest = (wealth / np.maximum.accumulate(wealth) - 1).min()
    cpu = time.process_time() - begun
    year = 252 ** 0.5
    print(f"cpu_s={cpu} sharpe={mean / deviation * year:.17e} sortino={mean / downside * year:.17e} "
          f"max_drawdown={deepest:.17e}")


def words(text):
    line = next(line for line in text.splitlines() if "sharpe=" in line)
    pairs = (word.split("=") for word in line.split())
    return {name: value for name, value in pairs}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return peer(args.peer)
    import numpy as np

    bench = contest.build("metrics", "bench", "--locked", "--no-run", "--bench", "metrics")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "returns.f64"
        np.random.default_rng(9).normal(2e-7, 1e-4, POINTS).tofile(path)
        commands = {"qt": [bench, path, "1"], "numpy": [sys.executable, __file__, "--peer", path]}
        times = {name: [] for name in commands}
        for _ in range(args.rounds):
            found = {}
            for name, command in commands.items():
                text, _ = contest.run(command)
                found[name] = words(text)
                times[name].append(float(found[name]["cpu_s"]) / POINTS * 1e9)
            for figure in ("sharpe", "sortino", "max_drawdown"):
                ours, theirs = (float(found[name][figure]) for name in ("qt", "numpy"))
                if abs(ours - theirs) > 1e-9 * abs(theirs):
                    raise SystemExit(f"{figure}: qt {ours}, numpy {theirs}")
    for name, each in times.items():
        print(f"{name:8} {statistics.median(each):6.2f} ns a point ({min(each):.2f}–{max(each):.2f})")
    ratio = statistics.median(times["numpy"]) / statistics.median(times["qt"])
    print(f"ratio    {ratio:6.2f}")


if __name__ == "__main__":
    main()
