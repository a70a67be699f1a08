#!/usr/bin/env python3
"""Decoding and encoding against Polars, DuckDB and orjson.

    python benches/peers/storage.py [parquet] [decode] [encode] [options]

parquet   trades from zstd Parquet, against Polars on its own file and on ours; goal 1.5x
decode    trades from NDJSON, against DuckDB with declared columns; goal 6x
encode    trades to NDJSON, against orjson; goal 5x

The trades come from numpy with fixed seeds. The contenders run in turn, each in a process of its own
with one thread; times are CPU seconds around the work. The exit code is 1 if they do not find the
same values: sums of exact mantissas for each, and the digest of the stream for what orjson wrote.

Needs the packages of python/requirements.txt.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import contest

SEED = 20240501
START_NS = 1_714_521_600_000_000_000  # 2024-05-01T00:00:00Z
SYMBOL = "sim:BTCUSDT"
CHUNK = 1 << 20
ZSTD_LEVEL = 3

# What all contenders must agree on. The scale stands behind the sign.
SUMS = ["rows", "ts_recv", "px@2", "qty@3"]


# ---------------------------------------------------------------------------------------- inputs

def trades(seed, rows, first_px):
    """Chunks of trades: times, price and size mantissas at scales 2 and 3, who was passive, ids."""
    import numpy as np

    dice = np.random.default_rng(seed)
    ts, px, number = START_NS, first_px, 1
    while rows > 0:
        count = min(CHUNK, rows)
        times = ts + np.cumsum(dice.integers(1_000, 3_000_000, count))
        steps = np.rint(dice.normal(0, 0.7, count)).astype(np.int64)
        prices = px + np.cumsum(steps)
        sizes = dice.integers(1, 20_000, count)
        buyer_maker = dice.integers(0, 2, count).astype(bool)
        ids = number + np.arange(count, dtype=np.int64)
        yield times, prices, sizes, buyer_maker, ids
        ts, px, number, rows = int(times[-1]), int(prices[-1]), number + count, rows - count


def our_schema():
    import pyarrow as pa

    words = pa.dictionary(pa.int32(), pa.utf8())
    clock = pa.timestamp("ns", "UTC")
    return pa.schema([
        ("ts_event", clock), ("ts_recv", clock), ("sym", words), ("px", pa.decimal64(18, 2)),
        ("qty", pa.decimal64(18, 3)), ("side", words), ("id", pa.uint64()), ("seq", pa.uint64())],
        metadata={"qt.stream": contest.header("trade", SYMBOL, 2, 3)})


def our_batch(times, prices, sizes, buyer_maker, ids):
    """The columns of our `trade` table over the same memory."""
    import numpy as np
    import pyarrow as pa

    def column(kind, values):
        return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])

    def words(indices, texts):
        return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(texts))

    schema = our_schema()
    clock = column(schema.field("ts_recv").type, times)
    return pa.record_batch([
        clock, clock, words(np.zeros(len(times), np.int32), [SYMBOL]),
        column(schema.field("px").type, prices), column(schema.field("qty").type, sizes),
        words(buyer_maker.astype(np.int32), ["buy", "sell"]),
        column(pa.uint64(), ids), column(pa.uint64(), ids - 1)], schema=schema)


def pipe_to_qt(qt, batches, out, *flags):
    """Streams record batches into `qt replay` and has it write a file."""
    import subprocess

    import pyarrow as pa

    # pyarrow cannot add the closing record.
    command = [qt, "replay", "--input", "-", "--allow-truncated", "--out", out, *flags]
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE)
    with pa.ipc.new_stream(child.stdin, our_schema()) as stream:
        for batch in batches:
            stream.write_batch(batch)
    child.stdin.close()
    if child.wait() != 0:
        raise SystemExit("qt replay could not take the trades")


def make_parquet(qt, theirs, ours, rows):
    """One file as Polars likes it, and one of ours with the same values."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([
        ("ts", pa.int64()), ("price", pa.float64()), ("qty", pa.float64()), ("buyer_maker", pa.bool_()),
        ("trade_id", pa.int64())])

    def batches(writer):
        for times, prices, sizes, buyer_maker, ids in trades(SEED + 6, rows, 3_000_000):
            columns = [times, np.round(prices * 0.01, 2), np.round(sizes * 0.001, 3), buyer_maker, ids]
            writer.write_table(pa.table(columns, schema=schema))
            yield our_batch(times, prices, sizes, buyer_maker, ids)

    with pq.ParquetWriter(theirs, schema, compression="zstd", compression_level=ZSTD_LEVEL) as writer:
        pipe_to_qt(qt, batches(writer), ours, "-o", "parquet")


def make_lines(qt, theirs, ours, rows):
    """Our NDJSON, and short lines as other programs write them: one clock, as a number, no header."""

    def batches(lines):
        for columns in trades(SEED + 7, rows, 6_000_000):
            for ts, px, qty, buyer_maker, number in zip(*(column.tolist() for column in columns)):
                lines.write(
                    f'{{"k":"trade","ts_recv":{ts},"sym":"{SYMBOL}","px":{px // 100}.{px % 100:02},'
                    f'"qty":{qty // 1000}.{qty % 1000:03},"side":"{"sell" if buyer_maker else "buy"}",'
                    f'"id":{number}}}\n')
            yield our_batch(*columns)

    with open(theirs, "w") as lines:
        pipe_to_qt(qt, batches(lines), ours, "-o", "ndjson")


MAKERS = {"parquet": make_parquet, "ndjson": make_lines}


def inputs(tools, folder, ending, rows):
    """The two files of one ending. Made in another process, so that this one stays small: what a
    parent holds when it forks counts as the peak of its child."""
    files = [folder / f"{owner}-{rows}.{ending}" for owner in ("theirs", "ours")]
    if not all(file.exists() for file in files):
        contest.run([sys.executable, __file__, "--make", ending, tools.qt, *files, rows], stdout=sys.stderr)
    theirs, ours = files
    each = [file.stat().st_size / rows for file in files]
    print(f"# bytes a row: theirs {each[0]:.2f}, ours {each[1]:.2f}")
    return theirs, ours


# ----------------------------------------------------------------------------------------- peers

def say(cpu_s, rows, **values):
    values = {name.replace("_at_", "@"): value for name, value in values.items()}
    print("cpu_s", cpu_s, "rows", rows, " ".join(f"{name} {value}" for name, value in values.items()))


def timed(work):
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def mantissas(frame, price):
    """Exact sums, whether a column holds doubles or decimals."""
    import polars as pl

    def total(name, digits):
        column = pl.col(name)
        if frame.schema[name] == pl.Float64:
            return (column * 10**digits).round().cast(pl.Int64).sum()
        return column.sum()

    px, qty = frame.select(total(price, 2).alias("px"), total("qty", 3).alias("qty")).row(0)
    scaled = lambda value, digits: value if isinstance(value, int) else int(value.scaleb(digits))
    return scaled(px, 2), scaled(qty, 3)


def time_sum(frame, name):
    """The sum of the nanoseconds; in two halves, since it is beyond 64 bits."""
    import polars as pl

    ns = pl.col(name).cast(pl.Int64)
    high, low = frame.select((ns // 10**9).sum().alias("high"), (ns % 10**9).sum().alias("low")).row(0)
    return high * 10**9 + low


def peer_polars_read(path):
    """All columns into memory."""
    import polars as pl

    cpu_s, frame = timed(lambda: pl.read_parquet(path))
    price = "price" if "price" in frame.columns else "px"
    px, qty = mantissas(frame, price)
    ts = time_sum(frame, "ts" if price == "price" else "ts_recv")
    say(cpu_s, frame.height, ts_recv=ts, px_at_2=px, qty_at_3=qty)


def peer_polars_stream(path):
    """All columns read once, in a stream, and summed or counted: nothing is kept."""
    import polars as pl

    scan = pl.scan_parquet(path)
    schema = scan.collect_schema()

    def reduced(name):
        kind = schema[name]
        column = pl.col(name)
        if kind.is_temporal() or kind in (pl.String, pl.Categorical):
            return column.max()
        return column.sum()

    columns = [reduced(name) for name in schema.names()]
    cpu_s, row = timed(lambda: scan.select(pl.len().alias("rows"), *columns).collect(engine="streaming"))
    say(cpu_s, row["rows"][0])


def peer_duckdb(path, shape):
    """Lines into a table in memory, with every column declared."""
    import duckdb

    number = "DOUBLE" if shape != "decimal" else "DECIMAL(18,{})"
    columns = {"k": "VARCHAR", "sym": "VARCHAR", "px": number.format(2), "qty": number.format(3), "side": "VARCHAR",
               "id": "UBIGINT"}
    if shape == "short":
        columns |= {"ts_recv": "BIGINT"}
        time_ns = "ts_recv"
    else:
        columns |= {"ts_event": "TIMESTAMP_NS", "ts_recv": "TIMESTAMP_NS", "seq": "UBIGINT"}
        time_ns = "epoch_ns(ts_recv)"
    con = duckdb.connect()
    con.execute("SET threads=1")
    query = (f"create temp table lines as select * from "
             f"read_json('{path}', format='newline_delimited', columns={columns})")
    cpu_s, _ = timed(lambda: con.execute(query).fetchall())
    whole = lambda name, digits: f"sum(round({name} * {10**digits})::HUGEINT)"
    rows, times, px, qty = con.execute(
        f"select count(*), sum({time_ns}::HUGEINT), {whole('px', 2)}, {whole('qty', 3)} "
        f"from lines where k = 'trade'").fetchone()
    say(cpu_s, rows, ts_recv=int(times), px_at_2=int(px), qty_at_3=int(qty))


def peer_orjson(path, form, out=None):
    """Dictionaries to lines, one call for each, or to one array in a single call."""
    import orjson

    with open(path, "rb") as lines:
        records = [orjson.loads(line) for line in lines if line.startswith(b'{"k":"trade"')]

    def lines():
        dumps, option = orjson.dumps, orjson.OPT_APPEND_NEWLINE
        for record in records:
            dumps(record, option=option)

    work = {"lines": lines, "array": lambda: orjson.dumps(records)}[form]
    cpu_s = statistics.median(timed(work)[0] for _ in range(3))
    if out:
        with open(out, "wb") as target:
            target.writelines(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
    say(cpu_s, len(records))


PEERS = {
    "polars-read": peer_polars_read,
    "polars-stream": peer_polars_stream,
    "duckdb": peer_duckdb,
    "orjson": peer_orjson,
}


# -------------------------------------------------------------------------------------- contests

def peer(name, *args):
    return [sys.executable, __file__, "--peer", name, *args]


def contest_parquet(tools, folder, rows, rounds):
    theirs, ours = inputs(tools, folder, "parquet", rows)
    results = contest.in_turn({
        "polars read, its file": peer("polars-read", theirs),
        "qt": [tools.codec, "parquet-decode", ours],
        "polars read, our file": peer("polars-read", ours),
        "polars stream, its file": peer("polars-stream", theirs),
        "polars stream, our file": peer("polars-stream", ours),
    }, rounds)
    streams = {name for name in results if "stream" in name}
    values = contest.require_equal(results, SUMS, silent=streams)
    peers = ["polars read, its file", "polars read, our file"]
    contest.report("decode Parquet", results, rows, "qt", 1.5, peers, values)


def contest_decode(tools, folder, rows, rounds):
    short, ours = inputs(tools, folder, "ndjson", rows)
    for title, path, shapes in [
        ("decode NDJSON, our lines", ours, ["decimal", "double"]),
        ("decode NDJSON, short lines", short, ["short"]),
    ]:
        contenders = {"qt": [tools.codec, "ndjson-decode", path]}
        contenders |= {f"duckdb, {shape}": peer("duckdb", path, shape) for shape in shapes}
        results = contest.in_turn(contenders, rounds)
        values = contest.require_equal(results, SUMS)
        contest.report(title, results, rows, "qt", 6.0, [name for name in results if name != "qt"], values)


def contest_encode(tools, folder, rows, rounds):
    _, ours = inputs(tools, folder, "ndjson", rows)
    written = folder / "orjson.ndjson"
    results = contest.in_turn({
        "orjson, a call per line": peer("orjson", ours, "lines", written),
        "qt": [tools.codec, "ndjson-encode", ours, "3"],
        "orjson, one array": peer("orjson", ours, "array"),
    }, rounds)
    # The digest is over values, so it is the same for both if, and only if, all values are.
    lines = {"qt": results["qt"], "orjson": [contest.measure([tools.codec, "ndjson-decode", written])]}
    values = contest.require_equal(lines, [*SUMS, "digest"])
    contest.report("encode NDJSON", results, rows, "qt", 5.0, [name for name in results if name != "qt"], values)


CONTESTS = {
    "parquet": (contest_parquet, 50_000_000),
    "decode": (contest_decode, 2_000_000),
    "encode": (contest_encode, 2_000_000),
}


def main():
    if sys.argv[1:2] == ["--peer"]:
        return PEERS[sys.argv[2]](*sys.argv[3:])
    if sys.argv[1:2] == ["--make"]:
        ending, qt, theirs, ours, rows = sys.argv[2:]
        return MAKERS[ending](qt, Path(theirs), Path(ours), int(rows))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contests", nargs="*", metavar="CONTEST", help=f"{', '.join(CONTESTS)}; by default all")
    parser.add_argument("--rows", type=int, help="in place of 50 and 2 million")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where inputs are made and kept; by default a temporary one")
    parser.add_argument("--qt", help="the program; by default it is built")
    parser.add_argument("--codec", help="the benchmark program; by default it is built")
    tools = parser.parse_args()
    unknown = [name for name in tools.contests if name not in CONTESTS]
    if unknown:
        parser.error(f"no contest named {unknown[0]}: expected {', '.join(CONTESTS)}")
    tools.qt = tools.qt or contest.build_qt()
    tools.codec = tools.codec or contest.build_codec()
    with tempfile.TemporaryDirectory() as temporary:
        folder = tools.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in tools.contests or CONTESTS:
            work, rows = CONTESTS[name]
            try:
                work(tools, folder, tools.rows or rows, tools.rounds)
            except contest.Different as difference:
                print(f"storage.py: {name}: {difference}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
