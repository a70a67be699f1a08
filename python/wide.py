"""Reads a wide table of features with Polars and DuckDB, as they read any table, and prints what
both saw: the names and types of the columns, the number of rows, and for each column of numbers how
many values there are and their sum. Usage: wide.py FILE
"""

import json
import sys

import duckdb
import polars


def main():
    path = sys.argv[1]
    is_csv = path.endswith(".csv")
    frame = polars.read_csv(path) if is_csv else polars.read_parquet(path)
    numbers = [name for name, kind in frame.schema.items() if kind == polars.Float64]
    seen = {
        "columns": frame.columns,
        "rows": frame.height,
        "values": {name: [frame[name].count(), frame[name].sum()] for name in numbers},
    }
    rows = duckdb.read_csv(path) if is_csv else duckdb.read_parquet(path)
    assert rows.columns == frame.columns, rows.columns
    assert rows.shape[0] == frame.height, rows.shape
    for name, (count, total) in seen["values"].items():
        quoted = '"' + name.replace('"', '""') + '"'
        found = duckdb.sql(f"select count({quoted}), coalesce(sum({quoted}), 0) from rows").fetchall()[0]
        assert found[0] == count and abs(found[1] - total) <= 1e-9 * abs(total), (name, found, count, total)
    if not is_csv:
        kinds = {name: str(kind) for name, kind in zip(rows.columns, rows.types)}
        assert kinds["ts_recv"].startswith("TIMESTAMP"), kinds
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
