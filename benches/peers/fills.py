#!/usr/bin/env python3
"""One market maker, two simulators: the fills of the simulated venue against those of hftbacktest.

    python benches/peers/fills.py [--records N] [--keep FOLDER]

The day of market_day.py, the same quotes every tenth of a second, a millisecond each way, whole fills,
and the queue model `power3(3)` on both sides. The fills must be equal one by one: venue time, side,
price, size. The first differences are printed; the exit code is 1 if there are any. CPU time of both is
printed as well, and so is that of a replay in which nobody trades, from memory, and of the market maker
from a compressed file, reading included. Needs the packages of python/requirements-peers.txt; without hftbacktest it says that it
skips.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import contest

TICK, LOT = 0.1, 0.001
ORDER_LOTS, POSITION_LOTS = 10, 100
LATENCY_NS = 1_000_000
EVERY_NS = 100 * LATENCY_NS

try:
    import hftbacktest as peer
    import numpy as np
    from numba import njit
except ImportError as error:
    print(f"skipped: {error}; python/requirements-peers.txt lists what is needed")
    sys.exit(0)

import market_day


def events(records):
    """The day as hftbacktest takes it."""
    kind, side, tick, size, ts_event, ts_recv = (column[:records] for column in market_day.make())
    names = {market_day.SNAPSHOT: peer.DEPTH_SNAPSHOT_EVENT, market_day.CHANGE: peer.DEPTH_EVENT,
             market_day.TRADE: peer.TRADE_EVENT}
    rows = np.zeros(len(kind), peer.event_dtype)
    kinds = np.zeros(len(kind), np.uint64)
    for ours, theirs in names.items():
        kinds[kind == ours] = theirs
    sides = np.where(side == 0, peer.BUY_EVENT, peer.SELL_EVENT).astype(np.uint64)
    rows["ev"] = kinds | sides | np.uint64(peer.EXCH_EVENT) | np.uint64(peer.LOCAL_EVENT)
    rows["exch_ts"], rows["local_ts"] = ts_event, ts_recv
    rows["px"], rows["qty"] = np.round(tick * TICK, 1), np.round(size * LOT, 3)
    return rows


@njit
def trade(hbt, found):
    """Quotes a tick beyond the best prices, and notes each order that was filled."""
    order_qty, position_max = ORDER_LOTS * LOT, POSITION_LOTS * LOT
    count, number = 0, 1
    stale = np.zeros(16, np.uint64)
    while hbt.elapse(EVERY_NS) == 0:
        values = hbt.orders(0).values()
        while values.has_next():
            order = values.get()
            if order.status == peer.FILLED:
                found[count, 0] = order.exch_timestamp
                found[count, 1] = order.side
                found[count, 2] = order.price_tick
                found[count, 3] = np.int64(np.round(order.exec_qty / LOT))
                count += 1
        hbt.clear_inactive_orders(0)
        position = hbt.position(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick - 1, depth.best_ask_tick + 1
        wants_bid, wants_ask = position < position_max - LOT / 2, position > -position_max + LOT / 2
        stales = 0
        values = hbt.orders(0).values()
        while values.has_next():
            order = values.get()
            if order.side == peer.BUY and wants_bid and order.price_tick == bid:
                wants_bid = False
            elif order.side == peer.SELL and wants_ask and order.price_tick == ask:
                wants_ask = False
            elif order.cancellable:
                stale[stales] = order.order_id
                stales += 1
        for at in range(stales):
            hbt.cancel(0, stale[at], False)
        if wants_bid:
            hbt.submit_buy_order(0, number, bid * TICK, order_qty, peer.GTX, peer.LIMIT, False)
            number += 1
        if wants_ask:
            hbt.submit_sell_order(0, number, ask * TICK, order_qty, peer.GTX, peer.LIMIT, False)
            number += 1
    return count


@njit
def watch(hbt, found):
    """Trades nothing: one step to the end of the day."""
    hbt.elapse(10**15)
    return 0


def theirs(rows):
    def run(rows, play=trade, records=None):
        begun = time.process_time()
        asset = (
            peer.BacktestAsset()
            .data([rows])
            .linear_asset(1.0)
            .constant_order_latency(LATENCY_NS, LATENCY_NS)
            .power_prob_queue_model3(3.0)
            .no_partial_fill_exchange()
            .trading_value_fee_model(-0.00005, 0.0007)
            .tick_size(TICK)
            .lot_size(LOT)
            .roi_lb(0.0)
            .roi_ub(200_000.0)
        )
        hbt = peer.ROIVectorMarketDepthBacktest([asset])
        found = np.zeros((records or len(rows), 4), np.int64)
        # What is read from a file is read on the clock.
        begun = begun if isinstance(rows, str) else time.process_time()
        count = play(hbt, found)
        spent = time.process_time() - begun
        hbt.close()
        return found[:count], spent

    # The first runs compile.
    run(rows[:5_000].copy())
    run(rows[:5_000].copy(), watch)
    found, spent = run(rows)
    say("a replay", len(rows), run(rows, watch)[1])
    with tempfile.TemporaryDirectory() as scratch:
        file = str(Path(scratch) / "day.npz")
        np.savez_compressed(file, data=rows)
        again, from_file = run(file, trade, len(rows))
        say("from npz", len(rows), from_file)
        assert len(again) == len(found)
    words = {peer.BUY: "buy", peer.SELL: "sell"}
    return [f"{at} {words[side]} {tick} {lots}" for at, side, tick, lots in found.tolist()], spent


def say(what, records, spent):
    print(f"hftbacktest, {what:10} {records} records  {spent / records * 1e9:6.1f} ns each")


def ours(folder):
    program = contest.build("venue", "bench", "--locked", "--no-run", "--bench", "venue")
    output = contest.subprocess.run(
        [program, "--day", folder / "day.npy", "--fills", folder / "fills.txt"],
        check=True, capture_output=True, text=True).stdout
    return (folder / "fills.txt").read_text().splitlines(), output


def compare(left, right):
    """Prints the first differences and returns how many there are."""
    only_left, only_right = sorted(set(left) - set(right)), sorted(set(right) - set(left))
    for name, lines in (("ours alone", only_left), ("theirs alone", only_right)):
        for line in lines[:10]:
            print(f"{name}: {line}")
    return len(only_left) + len(only_right)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=None)
    parser.add_argument("--keep", type=Path, help="leave the day and the fills in this folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rows = events(args.records)
        np.save(folder / "day.npy", rows)
        left, output = ours(folder)
        print(output, end="")
        right, spent = theirs(rows)
        print(f"hftbacktest     {len(rows)} records  {spent / len(rows) * 1e9:6.1f} ns each  {len(right)} fills")
        differences = compare(left, right)
    print(f"{len(left)} fills against {len(right)}, {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
