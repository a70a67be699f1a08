#!/usr/bin/env python3
"""CPU time of `qt replay` over a day of 5.5 million records, and of `qt synth`.

    python benches/peers/replay.py [options]

The day of market_day.py is loaded into a catalog and played to NDJSON (goal: 150 ns of CPU a record)
and to Arrow (60 ns), on one thread, into /dev/null; then with update ids on the depth records, as most
venues send them. `qt synth` makes 20 million records as NDJSON and must reach 5 million per CPU second.
CPU time is of the whole process, as the kernel counts it. NDJSON, Arrow and both thread counts must
give one digest; the exit code is 1 if they do not.

Needs the packages of python/requirements.txt and numba.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import contest

DATE = "2024-05-01"
SYNTH_EVENTS = 20_000_000


def last_line(command):
    """The last line of NDJSON that a command prints, as it passes by."""
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
    tail = subprocess.run(["tail", "-n", "1"], stdin=child.stdout, capture_output=True, check=True).stdout
    child.stdout.close()
    if child.wait() != 0:
        raise SystemExit(f"exit code {child.returncode} from: {' '.join(map(str, command))}")
    return json.loads(tail)


def load(qt, folder, with_ids):
    inputs, data = folder / "day", folder / "data"
    # In another process, so that this one stays small: what a parent holds when it forks counts as
    # the peak of its child.
    day = Path(__file__).with_name("market_day.py")
    contest.run([sys.executable, day, inputs, *(["--ids"] if with_ids else [])])
    contest.run([qt, "--quiet", "--data", data, "catalog", "add", "--allow-truncated", "--input",
                 inputs / "depth.arrow", inputs / "trades.arrow"])
    size = sum(file.stat().st_size for file in data.rglob("*.parquet"))
    return data, size


def digests(qt, data):
    """The `end` of a replay by every road, which must be one."""
    replay = [qt, "--data", data, "replay", "--date", DATE]
    ends = {
        "ndjson, 1 thread": last_line([*replay, "--threads", "1"]),
        "ndjson, 2 threads": last_line([*replay, "--threads", "2"]),
    }
    arrow = subprocess.Popen([str(word) for word in [*replay, "--threads", "1", "-o", "arrow"]], stdout=subprocess.PIPE)
    back = subprocess.Popen([qt, "replay", "--input", "-", "--verify"], stdin=arrow.stdout, stdout=subprocess.PIPE)
    arrow.stdout.close()
    tail = subprocess.run(["tail", "-n", "1"], stdin=back.stdout, capture_output=True, check=True).stdout
    back.stdout.close()
    if (arrow.wait(), back.wait()) != (0, 0):
        raise contest.Different("the Arrow stream does not verify")
    ends["arrow, 1 thread"] = json.loads(tail)
    found = {name: (end["records"], end["digest"]) for name, end in ends.items()}
    if len(set(found.values())) != 1:
        raise contest.Different(f"digests differ: {found}")
    return next(iter(found.values()))


def say(name, records, runs, goal):
    each = [found["process_cpu_s"] * 1e9 / records for found in runs]
    middle = statistics.median(each)
    peak = max(found["peak_mib"] for found in runs)
    verdict = "" if goal is None else f"  goal {goal} ns: {'met' if middle <= goal else 'MISSED'}"
    print(f"{name:28} {middle:7.1f} ns/record  min {min(each):6.1f} max {max(each):6.1f}  "
          f"{1e3 / middle:6.2f} M/s  peak {peak:4.0f} MiB{verdict}", flush=True)


def contest_replay(qt, rounds, with_ids):
    with tempfile.TemporaryDirectory() as temporary:
        data, size = load(qt, Path(temporary), with_ids)
        records, digest = digests(qt, data)
        print(f"\n## the day{', with update ids' if with_ids else ''}: {records} records, "
              f"{size / records:.2f} B each in Parquet, {digest}")
        replay = [qt, "--data", data, "replay", "--date", DATE, "--threads", "1", "--output"]
        results = {"ndjson": [], "arrow": []}
        with open("/dev/null", "wb") as nowhere:
            for _ in range(rounds):
                for name, runs in results.items():
                    runs.append(contest.run([*replay, name], stdout=nowhere)[1])
        say("replay to NDJSON", records, results["ndjson"], 150)
        say("replay to Arrow", records, results["arrow"], 60)


def contest_synth(qt, rounds):
    print("\n## synth")
    for name, flags in {"to NDJSON": [], "to Arrow": ["-o", "arrow"]}.items():
        with open("/dev/null", "wb") as nowhere:
            command = [qt, "synth", "--events", str(SYNTH_EVENTS), *flags]
            runs = [contest.run(command, stdout=nowhere)[1] for _ in range(rounds)]
        say(f"synth {name}", SYNTH_EVENTS, runs, 200)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--qt", type=Path, help="the program; by default it is built")
    args = parser.parse_args()
    qt = (args.qt or Path(contest.build_qt())).resolve()
    try:
        contest_replay(qt, args.rounds, with_ids=False)
        contest_replay(qt, args.rounds, with_ids=True)
    except contest.Different as difference:
        print(f"replay.py: {difference}", file=sys.stderr)
        return 1
    contest_synth(qt, args.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
