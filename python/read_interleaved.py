#!/usr/bin/env python3
"""Reads an Arrow stream of several kinds of records, in order.

    qt synth -o arrow | python/read_interleaved.py
    python/read_interleaved.py FILE

One JSON object per record goes to standard output: its kind `k`, its number `n`, times as integer
nanoseconds, decimals as strings, absent values left out. The format is told in docs/stream-format.md.
This is the whole of a reader, for copying; it gathers the channels before it merges them, which a
reader of long streams would not.
"""

import heapq
import io
import itertools
import json
import struct
import sys

import pyarrow
import pyarrow.ipc

MARK = b"QTARROW1"
CONTROL = 0


def exactly(file, count):
    data = file.read(count)
    if len(data) != count:
        raise EOFError(f"the stream is cut: {count} bytes were announced, {len(data)} are there")
    return data


def channels_of(file):
    """The kind and the bytes of each channel; each is a plain Arrow IPC stream."""
    if exactly(file, len(MARK)) != MARK:
        raise ValueError("not an interleaved stream")
    channels = {}
    while True:
        number, length = struct.unpack("<IQ", exactly(file, 12))
        payload = exactly(file, length)
        if number != CONTROL:
            channels[number][1].write(payload)
            continue
        line = json.loads(payload)
        if line["k"] == "channel":
            channels[line["channel"]] = (line["kind"], io.BytesIO())
        elif line["k"] == "end":
            return channels.values()


def rows_of(kind, data):
    table = pyarrow.ipc.open_stream(data.getvalue()).read_all()
    for at, field in enumerate(table.schema):
        # Python's own times end at microseconds.
        if pyarrow.types.is_timestamp(field.type):
            table = table.set_column(at, field.name, table[at].cast(pyarrow.int64()))
    for row in table.to_pylist():
        yield {"k": kind, **{name: value for name, value in row.items() if value is not None}}


def records_of(rows):
    """A depth record is as many rows as it has levels; all of them carry its number."""
    for _, group in itertools.groupby(rows, key=lambda row: row["n"]):
        group = list(group)
        record = group[0]
        if record["k"] == "depth":
            levels = [[row["side"], row["px"], row["qty"]] for row in group if "px" in row]
            for name in ("level", "side", "px", "qty"):
                record.pop(name, None)
            record["levels"] = levels
        yield record


def main(arguments):
    file = open(arguments[0], "rb") if arguments else sys.stdin.buffer
    sources = [records_of(rows_of(kind, data)) for kind, data in channels_of(file)]
    for record in heapq.merge(*sources, key=lambda record: record["n"]):
        print(json.dumps(record, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
