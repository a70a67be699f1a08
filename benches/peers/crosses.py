#!/usr/bin/env python3
"""Averages that cross: `qt backtest` against the backtesters that people use for it.

    python benches/peers/crosses.py [quotes] [bars] [sweep] [--rows N] [--rounds N] [--qt FILE]

quotes  two million quotes, EMA(100) over EMA(500) of the mid, a market order a flip: nautilus_trader
bars    a million one-minute bars, SMA(10) over SMA(50), the same: backtesting.py, vectorbt
sweep   a hundred thousand bars, 1 035 pairs of averages, flat or long: vectorbt

Each contender is a process; the CPU time of the others is that of the run alone, with the data in
memory, ours that of the whole process with reading the file. Over quotes both must make as many orders
and the same profit to the cent. Over bars the averages of the others are sums of rounded doubles, which
take some ties for crossings; so ours must be what whole numbers give, and how far the others are from it
is said. What is not equal ends with 1. Each of the others needs a Python of its own, for their requirements exclude each
other: python/requirements-nautilus.txt and python/requirements-vectorbt.txt say what; name them with
--nautilus and --vectorbt. What is not named is skipped, and said to be.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import contest
import numpy as np

SEED = 20240501
T0_NS = 1_714_521_600_000_000_000
MINUTE_NS = 60_000_000_000
WINDOWS = range(5, 5 + 46 * 4, 4)
SWEEP_BARS = 100_000
CASH = 1_000_000

QUOTES = """name = "ema-cross"
[entry]
long = "ema(mid, 100) >= ema(mid, 500)"
short = "ema(mid, 100) < ema(mid, 500)"
[size]
qty = "0.1"
[venue]
taker_bps = 4
maker_bps = 2
"""
BARS = """name = "sma-cross"
[entry]
long = "sma(close, 10) >= sma(close, 50)"
short = "sma(close, 10) < sma(close, 50)"
[size]
qty = "1"
[venue]
taker_bps = 0
maker_bps = 0
"""
SWEEP = """name = "sma-sweep"
[params]
fast = 5
slow = 9
[features]
quick = "sma(close, fast)"
calm = "sma(close, slow)"
[entry]
long = "quick > calm"
[exit]
long = "quick < calm"
[size]
qty = "1"
[venue]
taker_bps = 0
maker_bps = 0
"""


def quotes(rows):
    """Prices in hundredths, sizes in thousandths; always enough for an order of ours."""
    draw = np.random.default_rng(SEED + 2)
    bid = np.maximum(150_000 + np.cumsum(np.rint(draw.normal(0, 0.6, rows)).astype(np.int64)), 20_000)
    return {
        "ts": T0_NS + np.cumsum(draw.integers(1_000_000, 80_000_000, rows)),
        "bid": bid,
        "ask": bid + draw.integers(1, 4, rows),
        "bid_qty": draw.integers(1_000, 50_000, rows),
        "ask_qty": draw.integers(1_000, 50_000, rows),
    }


def bars(rows):
    """Prices in hundredths, volumes in thousandths; each opens where the one before closed."""
    draw = np.random.default_rng(SEED + 3)
    close = np.rint(1_000_000 * np.exp(np.cumsum(draw.normal(0, 2e-4, rows)))).astype(np.int64)
    opened = np.concatenate([[1_000_000], close[:-1]])
    wick = np.abs(draw.normal(0, 1.5e-4, (2, rows)))
    return {
        "ts": T0_NS - rows * MINUTE_NS + np.arange(rows, dtype=np.int64) * MINUTE_NS,
        "open": opened,
        "high": np.ceil(np.maximum(opened, close) * (1 + wick[0])).astype(np.int64),
        "low": np.floor(np.minimum(opened, close) * (1 - wick[1])).astype(np.int64),
        "close": close,
        "volume": np.rint(draw.exponential(20_000, rows) + 1_000).astype(np.int64),
    }


def save_quotes(path, made):
    import market_day
    import pyarrow as pa

    clock, px, qty = pa.timestamp("ns", "UTC"), pa.decimal64(18, 2), pa.decimal64(18, 3)
    column = market_day.column
    write(path, "quote", "binance:ETHUSDT-PERP", {
        **common(made["ts"], clock, "binance:ETHUSDT-PERP"),
        "bid_px": column(px, made["bid"]),
        "bid_qty": column(qty, made["bid_qty"]),
        "ask_px": column(px, made["ask"]),
        "ask_qty": column(qty, made["ask_qty"]),
        "seq": column(pa.uint64(), np.arange(len(made["ts"]))),
    })


def save_bars(path, made):
    import market_day
    import pyarrow as pa

    clock, px, qty = pa.timestamp("ns", "UTC"), pa.decimal64(18, 2), pa.decimal64(18, 3)
    column, rows = market_day.column, len(made["ts"])
    step = pa.array([MINUTE_NS], pa.decimal128(38, 18))
    write(path, "bar", "sim:BARS", {
        **common(made["ts"] + MINUTE_NS, clock, "sim:BARS"),
        "clock": market_day.words(["time"], np.zeros(rows, np.int32)),
        "step": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), step).dictionary_decode(),
        "open_ts": column(clock, made["ts"]),
        **{name: column(px, made[name]) for name in ("open", "high", "low", "close")},
        "volume": column(qty, made["volume"]),
        "seq": column(pa.uint64(), np.arange(rows)),
    })


def common(ts, clock, symbol):
    import market_day

    return {
        "ts_event": market_day.column(clock, ts),
        "ts_recv": market_day.column(clock, ts),
        "sym": market_day.words([symbol], np.zeros(len(ts), np.int32)),
    }


def write(path, kind, symbol, columns):
    import pyarrow as pa

    table = pa.table(columns, metadata={"qt.stream": contest.header(kind, symbol, 2, 3)})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        for batch in table.to_batches(max_chunksize=1 << 16):
            stream.write_batch(batch)


def exact(close, fast, slow):
    """Which of two averages of prices in hundredths is above, from the first bar that has both: in
    whole numbers, so that a tie is one."""
    total = np.concatenate([[0], np.cumsum(close)])
    at = np.arange(max(fast, slow) - 1, len(close))
    return np.sign((total[at + 1] - total[at + 1 - fast]) * slow - (total[at + 1] - total[at + 1 - slow]) * fast)


def always_in(close):
    """Orders and profit of SMA(10) over SMA(50), long or short, filled at the close."""
    side = np.where(exact(close, 10, 50) >= 0, 1, -1)
    moves = np.diff(close[-len(side):])
    return int(1 + (np.diff(side) != 0).sum()), float((side[:-1] * moves).sum() / 100)


def long_or_flat(close, fast, slow):
    """Profit of one average over another, long or flat; a tie changes nothing."""
    above = exact(close, fast, slow)
    decided = np.maximum.accumulate(np.where(above != 0, np.arange(len(above)), 0))
    held = above[decided] > 0
    return float((held[:-1] * np.diff(close[-len(above):])).sum() / 100)


def spent(work):
    """CPU seconds of a call, and what it returned."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def say(cpu, orders, profit, **more):
    print("cpu_s", f"{cpu:.6f}", "orders", orders, "profit", f"{profit:.2f}",
          *(word for pair in more.items() for word in pair))


def play_qt(what, folder, program):
    (folder / f"{what}.toml").write_text({"quotes": QUOTES, "bars": BARS, "sweep": SWEEP}[what])
    data = {"quotes": "quotes", "bars": "bars", "sweep": "few"}[what]
    command = [program, "backtest", folder / f"{what}.toml", "--input", folder / f"{data}.arrow",
               "--allow-truncated", "--no-run", "--json"]
    if what == "sweep":
        last = WINDOWS[-1]
        command += ["--sweep", f"fast={WINDOWS[0]}..{last}:4", "--sweep", f"slow={WINDOWS[0]}..{last}:4"]
    else:
        command.append("--no-band")
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **contest.ONE_THREAD})
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, own = used.ru_utime + used.ru_stime, round(used.ru_maxrss / 1024)
    if what == "sweep":
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        (folder / "ours.json").write_text(json.dumps(lines))
        print("cpu_s", cpu, "combos", len(lines), "own_mib", own)
        return
    band = json.loads(done.stdout)["band"][0]
    say(cpu, band["orders"], float(band["profit"]), own_mib=own)


def play_nautilus(folder, with_orders):
    from decimal import Decimal

    import pandas as pd
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
    from nautilus_trader.indicators import ExponentialMovingAverage
    from nautilus_trader.model.currencies import USDT
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, PriceType
    from nautilus_trader.model.identifiers import TraderId, Venue
    from nautilus_trader.model.objects import Money
    from nautilus_trader.persistence.wranglers import QuoteTickDataWrangler
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.trading.strategy import Strategy

    instrument = TestInstrumentProvider.ethusdt_perp_binance()

    class Config(StrategyConfig, frozen=True):
        is_trading: bool

    class Cross(Strategy):
        def __init__(self, config):
            super().__init__(config)
            self.fast, self.slow = (ExponentialMovingAverage(n, PriceType.MID) for n in (100, 500))
            self.side = 0

        def on_start(self):
            for average in (self.fast, self.slow):
                self.register_indicator_for_quote_ticks(instrument.id, average)
            self.subscribe_quote_ticks(instrument.id)

        def on_quote_tick(self, _):
            if not self.slow.initialized:
                return
            side = 1 if self.fast.value >= self.slow.value else -1
            if side == self.side:
                return
            if self.config.is_trading:
                size = instrument.make_qty(Decimal("0.2") if self.side else Decimal("0.1"))
                way = OrderSide.BUY if side > 0 else OrderSide.SELL
                self.submit_order(self.order_factory.market(instrument.id, way, size))
            self.side = side

    made = dict(np.load(folder / "quotes.npz"))
    table = pd.DataFrame({
        "bid_price": made["bid"] * 0.01, "ask_price": made["ask"] * 0.01,
        "bid_size": made["bid_qty"] * 0.001, "ask_size": made["ask_qty"] * 0.001,
    }, index=pd.DatetimeIndex(made["ts"], tz="UTC"))
    engine = BacktestEngine(BacktestEngineConfig(
        trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True),
        risk_engine=RiskEngineConfig(bypass=True), run_analysis=False))
    engine.add_venue(Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, [Money(CASH, USDT)])
    engine.add_instrument(instrument)
    engine.add_data(QuoteTickDataWrangler(instrument).process(table))
    engine.add_strategy(Cross(Config(is_trading=with_orders)))
    cpu, _ = spent(engine.run)
    cash, held = Decimal(0), Decimal(0)
    for order in engine.cache.orders():
        sign = 1 if order.side == OrderSide.BUY else -1
        size = sign * order.filled_qty.as_decimal()
        cash -= size * Decimal(str(round(order.avg_px, 2)))
        cash -= sum(fee.as_decimal() for fee in order.commissions())
        held += size
    worth = held * Decimal(int(made["bid"][-1] + made["ask"][-1])) / 200
    say(cpu, engine.cache.orders_total_count(), cash + worth)
    sys.stdout.flush()
    # Its threads need not be waited for.
    os._exit(0)


def table_of_bars(folder):
    import pandas as pd

    made = dict(np.load(folder / "bars.npz"))
    names = {name: name.capitalize() for name in ("open", "high", "low", "close")}
    columns = {title: made[name] / 100 for name, title in names.items()}
    return pd.DataFrame({**columns, "Volume": made["volume"] / 1000}, index=pd.DatetimeIndex(made["ts"]))


def play_backtesting(folder):
    import backtesting
    import pandas as pd

    backtesting.backtesting._tqdm = lambda it, **_: it

    def average(values, window):
        return pd.Series(values).rolling(window).mean()

    class Cross(backtesting.Strategy):
        def init(self):
            self.fast = self.I(average, self.data.Close, 10)
            self.slow = self.I(average, self.data.Close, 50)
            self.side, self.flips = 0, 0

        def next(self):
            side = 1 if self.fast[-1] >= self.slow[-1] else -1
            if side != self.side:
                self.position.close()
                (self.buy if side > 0 else self.sell)(size=1)
                self.side, self.flips = side, self.flips + 1

    table = table_of_bars(folder)
    test = backtesting.Backtest(table, Cross, cash=CASH * 100, commission=0.0, finalize_trades=True)
    cpu, found = spent(test.run)
    say(cpu, found["_strategy"].flips, found["Equity Final [$]"] - CASH * 100)


def play_vectorbt(folder):
    import vectorbt as vbt

    table = table_of_bars(folder)
    close = table["Close"]

    def work():
        fast, slow = vbt.MA.run(close, 10).ma, vbt.MA.run(close, 50).ma
        known = slow.notna()
        return vbt.Portfolio.from_signals(
            close, entries=(fast >= slow) & known, short_entries=(fast < slow) & known,
            size=1.0, init_cash=CASH * 100, freq="1min")

    work()
    cpu, found = spent(lambda: (lambda made: (int(made.orders.count()), float(made.total_profit())))(work()))
    say(cpu, *found)


def play_vectorbt_sweep(folder):
    import pandas as pd
    import vectorbt as vbt

    vbt.settings["caching"]["enabled"] = False
    close = table_of_bars(folder)["Close"][:SWEEP_BARS]

    def work():
        means = np.ascontiguousarray(vbt.MA.run(close, list(WINDOWS)).ma.values)
        pairs = np.array([(a, b) for a in range(len(WINDOWS)) for b in range(a + 1, len(WINDOWS))])
        profits = []
        for first in range(0, len(pairs), 45):
            part = pairs[first:first + 45]
            fast, slow = means[:, part[:, 0]], means[:, part[:, 1]]
            made = vbt.Portfolio.from_signals(
                close, entries=pd.DataFrame(fast > slow, index=close.index),
                exits=pd.DataFrame(fast < slow, index=close.index),
                size=1.0, init_cash=CASH, freq="1min")
            profits.append(np.asarray(made.total_profit()))
        return pairs, np.concatenate(profits)

    work()
    cpu, (pairs, profits) = spent(work)
    named = [(WINDOWS[a], WINDOWS[b], float(p)) for (a, b), p in zip(pairs.tolist(), profits)]
    (folder / "theirs.json").write_text(json.dumps(named))
    print("cpu_s", cpu, "combos", len(named))


def agree(results, expected=None):
    """Whether contenders made as many orders and the same profit: all of them, or ours the expected."""
    first = results["qt"][0]
    orders, profit = expected or (int(first["orders"]), float(first["profit"]))
    is_equal = True
    for name, runs in results.items():
        off = int(runs[0]["orders"]) - orders, float(runs[0]["profit"]) - profit
        print(f"{name:26} {runs[0]['orders']:>8} orders, profit {runs[0]['profit']}")
        if off[0] != 0 or abs(off[1]) > 0.01:
            print(f"{'':26} {off[0]:+} orders, {off[1]:+.2f} of profit off")
            is_equal = is_equal and expected is not None and name != "qt"
    return is_equal


def peak(runs):
    """Ours is started by a script, whose memory is not meant."""
    return max(float(found.get("own_mib", found["peak_mib"])) for found in runs)


def table(title, results, rows):
    print(f"\n## {title}: {rows} rows, ns of CPU time each")
    ours = contest.spread(results["qt"])[0]
    for name, runs in results.items():
        middle, low, high = (value * 1e9 / rows for value in contest.spread(runs))
        print(f"{name:26} {middle:9.1f} ({low:.1f} to {high:.1f}), {peak(runs):.0f} MiB, "
              f"{contest.spread(runs)[0] / ours:.1f} of ours")


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "play":
        _, _, name, folder, *rest = sys.argv
        folder = Path(folder)
        return {
            "qt": lambda: play_qt(rest[0], folder, rest[1]),
            "nautilus": lambda: play_nautilus(folder, rest[0] == "orders"),
            "backtesting": lambda: play_backtesting(folder),
            "vectorbt": lambda: play_vectorbt(folder),
            "vectorbt-sweep": lambda: play_vectorbt_sweep(folder),
        }[name]()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contests", nargs="*", default=["quotes", "bars", "sweep"])
    parser.add_argument("--rows", type=int, help="of quotes, in place of two million; bars: half as many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--qt", help="a program that is built already")
    parser.add_argument("--nautilus", help="a Python that has nautilus_trader")
    parser.add_argument("--vectorbt", help="a Python that has backtesting and vectorbt")
    args = parser.parse_args()
    program = args.qt or contest.build_qt()
    rows = args.rows or 2_000_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        is_equal = all([contend(name, args, folder, program, rows) for name in args.contests])
    sys.exit(0 if is_equal else 1)


def contend(name, args, folder, program, rows):
    player = [sys.executable, __file__, "play", "qt", folder, name, program]
    contenders = {"qt": player}

    def join(title, python, *words):
        if python is None:
            print(f"skipped: {title}, for which no Python was named")
        else:
            contenders[title] = [python, __file__, "play", words[0], folder, *words[1:]]

    if name == "quotes":
        made = quotes(rows)
        np.savez(folder / "quotes.npz", **made)
        save_quotes(folder / "quotes.arrow", made)
        join("nautilus_trader", args.nautilus, "nautilus", "orders")
    else:
        rows = SWEEP_BARS if name == "sweep" else rows // 2
        made = bars(rows)
        np.savez(folder / "bars.npz", **made)
        save_bars(folder / ("few.arrow" if name == "sweep" else "bars.arrow"), made)
        if name == "sweep":
            join("vectorbt, lean", args.vectorbt, "vectorbt-sweep")
        else:
            join("backtesting.py", args.vectorbt, "backtesting")
            join("vectorbt", args.vectorbt, "vectorbt")
    results = contest.in_turn(contenders, args.rounds)
    if name == "sweep":
        return sweep(results, folder, made["close"])
    table(name, results, rows)
    return agree(results, always_in(made["close"]) if name == "bars" else None)


def sweep(results, folder, close):
    """A point more or less does not matter to the time of one, so each side divides by its own."""
    for name, runs in results.items():
        points = int(runs[0]["combos"])
        middle, low, high = (value * 1e9 / len(close) / points for value in contest.spread(runs))
        print(f"{name:26} {points} points, {middle:.1f} ns a point and bar ({low:.1f} to {high:.1f}), {peak(runs):.0f} MiB")
    pairs = [(a, b) for a in WINDOWS for b in WINDOWS if a < b]
    wanted = {pair: long_or_flat(close, *pair) for pair in pairs}

    def off(profits, whose):
        apart = [pair for pair in pairs if abs(profits[pair] - wanted[pair]) > 0.01]
        print(f"{whose}: {len(pairs) - len(apart)} of {len(pairs)} points have the profit of whole numbers")
        for pair in apart[:3]:
            print(f"  sma{pair}: {profits[pair]:.2f} for {wanted[pair]:.2f}")
        return not apart

    ours = {(point["params"]["fast"], point["params"]["slow"]): float(point["outline"]["profit"])
            for point in json.loads((folder / "ours.json").read_text())}
    is_equal = off(ours, "qt")
    if (folder / "theirs.json").exists():
        theirs = json.loads((folder / "theirs.json").read_text())
        off({(fast, slow): profit for fast, slow, profit in theirs}, "vectorbt")
    return is_equal


if __name__ == "__main__":
    main()
