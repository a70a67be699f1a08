#!/usr/bin/env python3
"""What other tools read in our files.

    python/interop.py DIRECTORY [FILE...]

Opens trades.parquet, trades.arrow, trades.ndjson and depth.parquet (or the named files) in DIRECTORY
with DuckDB, Polars, pyarrow and, for NDJSON, the standard library and orjson. Every reader is called
as its manual's first example does, without options. One JSON object per reader and file goes to
standard output:

    {"reader": "duckdb", "version": "...", "file": "trades.parquet", "rows": 3,
     "types": {"px": "DECIMAL(18,2)", ...}, "sums": {"px": "123642.00", "qty": "..."}}

Sums are taken with `decimal`, over the values as the reader hands them out. Readers that have no
decimals in JSON hand out doubles; such a value is taken by its shortest digits, which are the digits
in the file as long as there are at most fifteen of them, and we write longer ones as strings.
A reader that cannot open a file gives an object with "error" in place of rows, types and sums, and the
exit code is 1. Absent on purpose: any repair of what a reader does.
"""

import decimal
import importlib
import json
import sys
from pathlib import Path

EXPECTED = ["trades.parquet", "trades.arrow", "trades.ndjson", "depth.parquet"]
SUMMED = ["px", "qty"]

# The default context rounds at 28 digits; nothing here may round.
EXACT = decimal.Context(prec=400, traps=[decimal.Inexact, decimal.InvalidOperation])


def exact(value):
    """A value as a decimal, or None where there is none."""
    if value is None or isinstance(value, decimal.Decimal):
        return value
    if isinstance(value, float):
        return decimal.Decimal(repr(value))
    # DuckDB hands out a column of numbers and strings as JSON text.
    return decimal.Decimal(str(value).strip('"'))


def total(values):
    """The sum without exponent, or None if there is no value."""
    present = [number for number in map(exact, values) if number is not None]
    if not present:
        return None
    result = present[0]
    for number in present[1:]:
        result = EXACT.add(result, number)
    return format(result, "f")


def summary(rows, types, column):
    sums = {name: total(column(name)) for name in SUMMED if name in types}
    return {"rows": rows, "types": types, "sums": sums}


def duckdb_reads(path):
    import duckdb

    if path.suffix == ".arrow":
        # DuckDB reads Arrow through pyarrow and scans the variable by its name.
        import pyarrow

        # Every call below is a pass of its own, and a stream is spent after one.
        stream = pyarrow.ipc.open_stream(str(path)).read_all()  # noqa: F841
        found = duckdb.sql("select * from stream")
    else:
        found = duckdb.sql(f"select * from '{path}'")
    types = dict(zip(found.columns, map(str, found.types)))
    rows = found.aggregate("count(*)").fetchall()[0][0]
    return summary(rows, types, lambda name: (row[0] for row in found.project(name).fetchall()))


def polars_reads(path):
    import polars

    readers = {
        ".parquet": polars.read_parquet,
        ".arrow": polars.read_ipc_stream,
        ".ndjson": polars.read_ndjson,
    }
    frame = readers[path.suffix](path)
    types = {name: str(kind) for name, kind in frame.schema.items()}
    return summary(frame.height, types, lambda name: frame[name].to_list())


def pyarrow_reads(path):
    import pyarrow.ipc
    import pyarrow.json
    import pyarrow.parquet

    readers = {
        ".parquet": pyarrow.parquet.read_table,
        ".arrow": lambda name: pyarrow.ipc.open_stream(name).read_all(),
        ".ndjson": pyarrow.json.read_json,
    }
    table = readers[path.suffix](str(path))
    types = {field.name: str(field.type) for field in table.schema}
    return summary(table.num_rows, types, lambda name: table[name].to_pylist())


def lines_read(path, loads):
    """Records of NDJSON one by one; the type of a column is the Python types seen in it."""
    records = [loads(line) for line in path.read_bytes().splitlines() if line]
    types = {}
    for record in records:
        for name, value in record.items():
            types.setdefault(name, set()).add(type(value).__name__)
    types = {name: "|".join(sorted(seen)) for name, seen in types.items()}
    return summary(len(records), types, lambda name: (record.get(name) for record in records))


def json_reads(path):
    return lines_read(path, lambda line: json.loads(line, parse_float=decimal.Decimal))


def orjson_reads(path):
    import orjson

    return lines_read(path, orjson.loads)


READERS = {
    "duckdb": (duckdb_reads, [".parquet", ".arrow", ".ndjson"]),
    "polars": (polars_reads, [".parquet", ".arrow", ".ndjson"]),
    "pyarrow": (pyarrow_reads, [".parquet", ".arrow", ".ndjson"]),
    "json": (json_reads, [".ndjson"]),
    "orjson": (orjson_reads, [".ndjson"]),
}


def reading(name, read, path):
    version = getattr(importlib.import_module(name), "__version__", "")
    head = {"reader": name, "version": version, "file": path.name}
    try:
        return {**head, **read(path)}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # A panic inside a reader is not an Exception, and is its answer.
        return {**head, "error": f"{type(error).__name__}: {error}"}


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    failed = False
    for file in arguments[1:] or EXPECTED:
        path = folder / file
        for name, (read, suffixes) in READERS.items():
            if path.suffix in suffixes:
                answer = reading(name, read, path)
                failed = failed or "error" in answer
                print(json.dumps(answer), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
