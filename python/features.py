#!/usr/bin/env python3
"""Features of ours beside those of TA-Lib, NumPy and Polars.

    python/features.py FEATURES BARS

Reads the rows that `qt features --only` wrote for the list of `python/features.py --list`, and the bars
that they were computed from, both as NDJSON. Prints one JSON object a feature: which peer, how many
rows both have a value in, and the worst relative difference. The exit code is 1 where a difference is
above 1e-12 of the larger of the two values or of the feature's own spread, or where one has a value and
the other has none.

Where definitions differ there is nothing to compare, and this is why:

- ema: TA-Lib begins with the mean of the first n values, ours with the first value.
- macd: as ema.
- obv: TA-Lib begins with the volume of the first bar, ours with nothing, so ours is compared with that
  much added.
- rsi without any change: TA-Lib says 0, ours 100. The bars here always change.
- z, quantile, cov, percentile: TA-Lib has none; NumPy and Polars are the peers.
"""

import json
import sys

LIST = {
    "sma": "sma(close,20)",
    "wma": "wma(close,20)",
    "std": "std(close,20)",
    "var": "var(close,20)",
    "sum": "sum(volume,20)",
    "highest": "highest(high,30)",
    "lowest": "lowest(low,30)",
    "rsi": "rsi(close,14)",
    "atr": "atr(14)",
    "bb_upper": "bb_upper(close,20,2)",
    "bb_lower": "bb_lower(close,20,2)",
    "roc": "roc(close,10)",
    "corr": "corr(close,volume,30)",
    "obv": "obv()",
    "z": "z(close,50)",
    "cov": "cov(close,volume,30)",
    "logret": "logret(close,1)",
    "quantile": "quantile(close,40,0.3)",
    "median": "median(close,41)",
    "diff": "diff(close,5)",
}

BOUND = 1e-12


def peers(bars):
    """What the peers make of the same bars: a name and a column for each feature."""
    import numpy as np
    import polars as pl
    import talib

    column = {name: np.array([float(bar[name]) for bar in bars]) for name in ["open", "high", "low", "close", "volume"]}
    high, low, close, volume = column["high"], column["low"], column["close"], column["volume"]
    upper, _, lower = talib.BBANDS(close, 20, 2, 2)
    windows = np.lib.stride_tricks.sliding_window_view

    def rolling(values, size, of):
        return np.concatenate([np.full(size - 1, np.nan), [of(window) for window in windows(values, size)]])

    pairs = np.column_stack([close, volume])
    covariance = [np.cov(pair[0], pair[1], bias=True)[0, 1] for pair in windows(pairs, 30, axis=0)]
    series = pl.Series(close)
    return {
        "sma": ("talib", talib.SMA(close, 20)),
        "wma": ("talib", talib.WMA(close, 20)),
        "std": ("numpy", rolling(close, 20, np.std)),
        "var": ("numpy", rolling(close, 20, np.var)),
        "sum": ("talib", talib.SUM(volume, 20)),
        "highest": ("talib", talib.MAX(high, 30)),
        "lowest": ("talib", talib.MIN(low, 30)),
        "rsi": ("talib", talib.RSI(close, 14)),
        "atr": ("talib", talib.ATR(high, low, close, 14)),
        "bb_upper": ("talib", upper),
        "bb_lower": ("talib", lower),
        "roc": ("talib", talib.ROC(close, 10)),
        "corr": ("numpy", np.concatenate([np.full(29, np.nan), [np.corrcoef(p[0], p[1])[0, 1] for p in windows(pairs, 30, axis=0)]])),
        "obv": ("talib", talib.OBV(close, volume) - volume[0]),
        "z": ("numpy", rolling(close, 50, lambda w: (w[-1] - w.mean()) / w.std())),
        "cov": ("numpy", np.concatenate([np.full(29, np.nan), covariance])),
        "logret": ("numpy", np.concatenate([[np.nan], np.log(close[1:] / close[:-1])])),
        "quantile": ("polars", series.rolling_quantile(0.3, interpolation="linear", window_size=40).fill_null(np.nan).to_numpy()),
        "median": ("polars", series.rolling_median(41).fill_null(np.nan).to_numpy()),
        "diff": ("polars", series.diff(5).fill_null(np.nan).to_numpy()),
    }


def records(path, kind):
    with open(path, encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        return [row for row in rows if row["k"] == kind]


def compare(name, peer, ours, theirs):
    """The worst difference, relative to the values or to how far they spread."""
    import numpy as np

    ours = np.array([np.nan if value is None else value for value in ours])
    # A value that exists once only: on the first bar of an index that starts with a sum, none.
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    alone = int(np.sum(np.isnan(ours) != np.isnan(theirs)))
    if name == "obv":
        # Ours has no value before the second bar, since nothing has changed yet.
        alone -= 1
    scale = np.maximum(np.abs(theirs[both]), np.ptp(theirs[both]))
    worst = float(np.max(np.abs(ours[both] - theirs[both]) / scale))
    print(json.dumps({"feature": name, "peer": peer, "rows": int(np.sum(both)), "alone": alone, "worst": worst}))
    return alone == 0 and worst <= BOUND


def main():
    if sys.argv[1:] == ["--list"]:
        print(", ".join(f"{name} = {text}" for name, text in LIST.items()))
        return 0
    features, bars = sys.argv[1:]
    rows = records(features, "feature")
    theirs = peers(records(bars, "bar"))
    good = [
        compare(name, *theirs[name][:1], [row["values"][at] for row in rows], theirs[name][1])
        for at, name in enumerate(LIST)
    ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
