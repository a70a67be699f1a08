"""A day of one busy order book: 5.0 million depth changes and half a million trades, always the same.

    python benches/peers/market_day.py FOLDER [--ids]

writes depth.arrow and trades.arrow into FOLDER, as Arrow streams that every `qt` command takes with
`--allow-truncated`, since pyarrow cannot add our closing record. The book opens with a snapshot of 500 levels a side and never crosses. `--ids` adds update ids to the depth
records, as most venues send them. Needs numpy, numba and pyarrow.
"""

import argparse
from pathlib import Path

import contest
import numpy as np

SEED = 20240501
START_NS = 1_714_521_600_000_000_000
DAY_NS = 86_400_000_000_000
ACTIONS = 5_000_000
TRADE_SHARE = 0.10
SYMBOL = "sim:BTCUSDT"
# Prices have one decimal and sizes three.
PX_SCALE, QTY_SCALE = 1, 3
OPENING_TICK, REACH, OPENING_LEVELS = 600_000, 40_000, 500
ROWS_PER_BATCH = 1 << 16

SNAPSHOT, CHANGE, TRADE = 0, 1, 2


def walk(action, buyer, amount, choice, distance, kind, side, tick, size, source):
    """Plays the actions against a book; fills the five columns and returns how many rows there are."""
    books = np.zeros((2, 2 * REACH), np.int64)  # bids, asks: sizes by level
    best = np.array([REACH - 1, REACH + 1])
    base = OPENING_TICK - REACH
    rows = 0
    for at in range(OPENING_LEVELS):
        for book in range(2):
            level = REACH - 1 - at if book == 0 else REACH + 1 + at
            books[book, level] = 200 + (at * 7919) % 5000
            kind[rows], side[rows], tick[rows] = SNAPSHOT, book, base + level
            size[rows], source[rows] = books[book, level], 0
            rows += 1
    for at in range(len(action)):
        if action[at] < TRADE_SHARE:
            # A market order takes from the best level of the other side: a print, then the change.
            hit = 1 if buyer[at] else 0
            level = best[hit]
            taken = min(1 + int(-np.log(1.0 - amount[at]) * 400), books[hit, level])
            books[hit, level] -= taken
            kind[rows], side[rows], tick[rows] = TRADE, 0 if buyer[at] else 1, base + level
            size[rows], source[rows] = taken, at
            rows += 1
            book = hit
        else:
            book = 0 if buyer[at] else 1
            inward = 1 if book == 0 else -1
            fresh = 1 + int(-np.log(1.0 - amount[at]) * 2500)
            if best[1] - best[0] > 1 and choice[at] < 0.30:
                best[book] += inward
                level = best[book]
                books[book, level] = fresh
            else:
                level = best[book] - inward * distance[at]
                removes = books[book, level] != 0 and choice[at] > 0.70
                books[book, level] = 0 if removes else fresh
        kind[rows], side[rows], tick[rows] = CHANGE, book, base + level
        size[rows], source[rows] = books[book, level], at
        rows += 1
        outward = -1 if book == 0 else 1
        while books[book, best[book]] == 0:
            best[book] += outward
    return rows


def make():
    """The day as columns: kind, side (0 bid or buy), tick, size, ts_event, ts_recv."""
    from numba import njit

    dice = np.random.default_rng(SEED)
    action, buyer, amount, choice = (dice.random(ACTIONS) for _ in range(4))
    distance = np.minimum(dice.geometric(0.12, ACTIONS) - 1, 120).astype(np.int64)
    pauses = np.cumsum(dice.exponential(1.0, ACTIONS) * np.exp(dice.normal(0, 1.2, ACTIONS)))
    times = START_NS + 10**9 + (pauses / pauses[-1] * (DAY_NS - 2 * 10**9)).astype(np.int64)

    room = 2 * ACTIONS + 2 * OPENING_LEVELS
    kind, side = np.empty(room, np.int8), np.empty(room, np.int8)
    tick, size, source = (np.empty(room, np.int64) for _ in range(3))
    rows = njit(walk)(action, buyer < 0.5, amount, choice, distance, kind, side, tick, size, source)
    kind, side, tick, size, source = (column[:rows] for column in (kind, side, tick, size, source))

    ts_event = np.where(kind == SNAPSHOT, START_NS, times[source])
    delay = (1_500_000 + np.exp(dice.normal(0, 0.6, rows)) * 500_000).astype(np.int64)
    delay[kind == SNAPSHOT] = delay[0]
    ts_recv = np.maximum.accumulate(ts_event + delay)
    return kind, side, tick, size, ts_event, ts_recv


def column(kind, values):
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def words(texts, indices):
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(texts))


def write(path, kind, columns):
    import pyarrow as pa

    metadata = {"qt.stream": contest.header(kind, SYMBOL, PX_SCALE, QTY_SCALE)}
    table = pa.table(columns, metadata=metadata)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        for batch in table.to_batches(max_chunksize=ROWS_PER_BATCH):
            stream.write_batch(batch)


def save(folder, with_ids):
    """Writes both files and returns the number of records."""
    import pyarrow as pa

    kind, side, tick, size, ts_event, ts_recv = make()
    clock = pa.timestamp("ns", "UTC")
    px, qty = pa.decimal64(18, PX_SCALE), pa.decimal64(18, QTY_SCALE)

    def common(rows):
        return {
            "ts_event": column(clock, ts_event[rows]),
            "ts_recv": column(clock, ts_recv[rows]),
            "sym": words([SYMBOL], np.zeros(rows.sum(), np.int32)),
        }

    rows = kind == TRADE
    number = np.arange(rows.sum())
    write(folder / "trades.arrow", "trade", {
        **common(rows),
        "px": column(px, tick[rows]),
        "qty": column(qty, size[rows]),
        "side": words(["buy", "sell"], side[rows]),
        "id": column(pa.uint64(), number + 1),
        "seq": column(pa.uint64(), number),
    })
    trades = int(rows.sum())

    rows = kind != TRADE
    is_snapshot = kind[rows] == SNAPSHOT
    number = np.maximum(np.arange(rows.sum()) - (is_snapshot.sum() - 1), 0)
    ids = {"first_id": number + 1, "last_id": number + 1, "prev_id": number} if with_ids else {}
    write(folder / "depth.arrow", "depth", {
        **common(rows),
        "action": words(["snapshot", "delta"], (~is_snapshot).astype(np.int32)),
        **{name: column(pa.uint64(), values) for name, values in ids.items()},
        "level": pa.array(np.where(is_snapshot, np.arange(rows.sum()), 0), pa.uint32()),
        "side": words(["buy", "sell"], side[rows]),
        "px": column(px, tick[rows]),
        "qty": column(qty, size[rows]),
        "seq": column(pa.uint64(), number),
    })
    return trades + int(number[-1]) + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ids", action="store_true", help="depth records carry update ids")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    print("records", save(args.folder, args.ids))


if __name__ == "__main__":
    main()
