#!/usr/bin/env python3
"""CPU time of twelve rolling features over ten million quotes, from memory to memory.

    python benches/peers/features.py [options]

qt against TA-Lib with NumPy, and against Polars (lazy), each a process that may use one thread and
that has the quotes in memory before its clock starts: as columns of doubles, or of exact mantissas
for qt. Results lie in memory as columns. All have had a pass before the one that counts.
Definitions are those of qt: population deviations, Wilder's averages, the true range of quotes. Where
an average begins with other values, the first thousand rows differ and are not summed. Sums from
there on and the last row must agree; the exit code is 1 if they do not.

Needs the packages of python/requirements.txt.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import contest

SYMBOL, PX_SCALE, QTY_SCALE, SEED = "sim:X", 2, 3, 20240503
FEATURES = ["mid", "spread", "microprice", "imbalance", "ret", "ema", "rsi", "atr", "roc", "vol", "boll", "z"]
LIST = ("mid, spread, microprice, imbalance, ret = logret(mid, 1), ema(mid, 20), rsi(mid, 14), "
        "atr = wilder(max(spread, max(abs(ask - lag(mid, 1)), abs(bid - lag(mid, 1)))), 14), "
        "roc(mid, 10), vol = std(ret, 100), boll = (mid - sma(mid, 20)) / (2 * std(mid, 20)), z(mid, 100)")
SETTLED = 1_000


def quotes(rows):
    """Bids and asks in hundredths, sizes in thousandths, and times."""
    import numpy as np

    dice = np.random.default_rng(SEED)
    mid = 1_500_000 + np.cumsum(dice.integers(-3, 4, rows))
    half = dice.integers(1, 5, rows)
    ts = 1_714_521_600_000_000_000 + np.cumsum(dice.integers(10_000, 17_000_000, rows))
    sizes = (dice.integers(1, 50_000, rows) for _ in range(2))
    return ts, mid - half, mid + half, *sizes


def make(folder, rows):
    """The quotes twice: as a stream with exact decimals, and as a table of doubles."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as parquet

    from market_day import column, words

    ts, bid, ask, bid_qty, ask_qty = quotes(rows)
    parquet.write_table(pa.table({
        "bid": bid / 100, "ask": ask / 100, "bid_qty": bid_qty / 1000, "ask_qty": ask_qty / 1000,
    }), folder / "quotes.parquet")
    px, qty = pa.decimal64(18, PX_SCALE), pa.decimal64(18, QTY_SCALE)
    clock = pa.timestamp("ns", "UTC")
    metadata = {"qt.stream": contest.header("quote", SYMBOL, PX_SCALE, QTY_SCALE)}
    table = pa.table({
        "ts_event": column(clock, ts), "ts_recv": column(clock, ts),
        "sym": words([SYMBOL], np.zeros(rows, np.int32)),
        "bid_px": column(px, bid), "bid_qty": column(qty, bid_qty),
        "ask_px": column(px, ask), "ask_qty": column(qty, ask_qty),
        "seq": column(pa.uint64(), np.arange(rows)),
    }, metadata=metadata)
    with pa.OSFile(str(folder / "quotes.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        for batch in table.to_batches(max_chunksize=1 << 13):
            stream.write_batch(batch)


def with_talib(path):
    import numpy as np
    import pyarrow.parquet as parquet
    import talib

    table = parquet.read_table(path)
    bid, ask, bid_qty, ask_qty = (table[name].to_numpy() for name in ["bid", "ask", "bid_qty", "ask_qty"])

    def work():
        mid = (bid + ask) * 0.5
        both = bid_qty + ask_qty
        ret = np.empty_like(mid)
        ret[0] = 0.0
        ret[1:] = np.diff(np.log(mid))
        mean, deviation = talib.SMA(mid, 20), talib.STDDEV(mid, 20)
        return [
            mid, ask - bid, (bid * ask_qty + ask * bid_qty) / both, (bid_qty - ask_qty) / both, ret,
            talib.EMA(mid, 20), talib.RSI(mid, 14), talib.ATR(ask, bid, mid, 14), talib.ROC(mid, 10),
            talib.STDDEV(ret, 100), (mid - mean) / (2 * deviation),
            (mid - talib.SMA(mid, 100)) / talib.STDDEV(mid, 100),
        ]

    return work, len(bid)


def with_polars(path):
    import polars

    frame = polars.read_parquet(path).rechunk()
    col = polars.col
    bid, ask, bid_qty, ask_qty, mid, step = (col(name) for name in ["bid", "ask", "bid_qty", "ask_qty", "mid", "step"])

    def wilder(expression):
        return expression.ewm_mean(alpha=1 / 14, adjust=False)

    def work():
        lazy = frame.lazy().with_columns(
            mid=(bid + ask) * 0.5, spread=ask - bid,
            microprice=(bid * ask_qty + ask * bid_qty) / (bid_qty + ask_qty),
            imbalance=(bid_qty - ask_qty) / (bid_qty + ask_qty),
        ).with_columns(ret=mid.log().diff(), step=mid.diff(), before=mid.shift(1)).with_columns(
            ema=mid.ewm_mean(span=20, adjust=False),
            up=wilder(step.clip(lower_bound=0)), down=wilder((-step).clip(lower_bound=0)),
            atr=wilder(polars.max_horizontal(ask - bid, (ask - col("before")).abs(), (bid - col("before")).abs())),
            roc=100 * (mid / mid.shift(10) - 1), vol=col("ret").rolling_std(100, ddof=0),
            mean20=mid.rolling_mean(20), std20=mid.rolling_std(20, ddof=0),
            mean100=mid.rolling_mean(100), std100=mid.rolling_std(100, ddof=0),
        ).with_columns(
            rsi=100 - 100 / (1 + col("up") / col("down")),
            boll=(mid - col("mean20")) / (2 * col("std20")), z=(mid - col("mean100")) / col("std100"),
        )
        return lazy.select(FEATURES).collect().get_columns()

    return work, len(frame)


PEERS = {"talib": with_talib, "polars": with_polars}


def peer(name, path):
    """Runs one of the peers: the sums of a first pass, and the CPU time of the second."""
    work, rows = PEERS[name](path)
    columns = [column.to_numpy() if name == "polars" else column for column in work()]
    sums = ",".join(f"{column[SETTLED:].sum():.12e}" for column in columns)
    last = ",".join(f"{column[-1]:.12e}" for column in columns)
    del columns
    begun = time.process_time()
    kept = work()
    print(f"rows {rows} cpu_s {time.process_time() - begun:.6f} sums {sums} last {last}")
    del kept


def near(ours, theirs, bound, floor):
    return all(abs(a - b) <= bound * max(abs(a), abs(b), floor)
               for a, b in zip(map(float, ours.split(",")), map(float, theirs.split(","))))


def require_near(results):
    ours = results["qt"][0]
    for name, runs in results.items():
        for found in runs:
            # TA-Lib subtracts squares of prices, which leaves half of the digits of a deviation.
            if not near(ours["last"], found["last"], 1e-6, 1e-3):
                raise contest.Different(f"the last row is {ours['last']} by qt and {found['last']} by {name}")
            rows = float(found["rows"])
            means = [",".join(str(float(it) / rows) for it in side["sums"].split(",")) for side in (ours, found)]
            if not near(*means, 1e-6, 1.0):
                raise contest.Different(f"the sums are {ours['sums']} by qt and {found['sums']} by {name}")


def main():
    if sys.argv[1:2] == ["--peer"]:
        return peer(*sys.argv[2:])
    if sys.argv[1:2] == ["--make"]:
        return make(Path(sys.argv[2]), int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bench", help="the benchmark program; by default it is built")
    tools = parser.parse_args()
    bench = tools.bench or contest.build("features", "bench", "--locked", "--no-run", "--bench", "features")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # In another process, so that this one stays small.
        contest.run([sys.executable, __file__, "--make", folder, tools.rows])
        results = contest.in_turn({
            "qt": [bench, "columns", LIST, folder / "quotes.arrow", "3", SETTLED],
            **{name: [sys.executable, __file__, "--peer", name, folder / "quotes.parquet"] for name in PEERS},
        }, tools.rounds)
        try:
            require_near(results)
        except contest.Different as difference:
            print(f"features.py: {difference}", file=sys.stderr)
            return 1
        values = {"rows": results["qt"][0]["rows"], "last": results["qt"][0]["last"]}
        contest.report("twelve features, against TA-Lib", results, tools.rows, "qt", 3.0, ["talib"], values)
        contest.report("twelve features, against Polars", results, tools.rows, "qt", 8.0, ["polars"], values)
    return 0


if __name__ == "__main__":
    sys.exit(main())
