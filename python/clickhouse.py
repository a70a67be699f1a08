#!/usr/bin/env python3
"""ClickHouse's own engine behind its HTTP interface, in one process: what `scripts/test-clickhouse` tests against.

    python/clickhouse.py FOLDER

Keeps its data in FOLDER, listens on a free port of the loopback and prints its address in one line. It knows of the
interface what a client with compressed bodies needs: statements in the body or, in front of the rows of an insert, in
the address; settings; LZ4 blocks both ways; exceptions with their code. Statements run one after the other.
"""

import re
import struct
import sys
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import lz4.block
from chdb import session
from clickhouse_cityhash.cityhash import CityHash128

LZ4 = 0x82
# Method, size with these nine bytes, size of the content.
HEAD = struct.Struct("<BII")
HASH_BYTES = 16
BLOCK_BYTES = 1 << 20


def inflated(body):
    """The content of compressed blocks."""
    out = []
    while body:
        method, packed, whole = HEAD.unpack_from(body, HASH_BYTES)
        if method != LZ4:
            raise ValueError(f"a block of method {method:#x}; expected LZ4")
        content = body[HASH_BYTES + HEAD.size : HASH_BYTES + packed]
        out.append(lz4.block.decompress(content, uncompressed_size=whole))
        body = body[HASH_BYTES + packed :]
    return b"".join(out)


def deflated(content):
    """The same as compressed blocks."""
    out = []
    for start in range(0, len(content), BLOCK_BYTES):
        piece = content[start : start + BLOCK_BYTES]
        packed = lz4.block.compress(piece, store_size=False)
        block = HEAD.pack(LZ4, len(packed) + HEAD.size, len(piece)) + packed
        digest = CityHash128(block)
        out.append(struct.pack("<QQ", digest >> 64, digest & (1 << 64) - 1) + block)
    return b"".join(out)


class Engine:
    def __init__(self, folder):
        self.session = session.Session(folder)
        self.turn = threading.Lock()

    def answer(self, sql, form):
        named = re.search(r"\sFORMAT\s+(\w+)\s*$", sql)
        with self.turn:
            return self.session.query(sql, named[1] if named else form).bytes() or b""

    def insert(self, sql, rows, settings):
        """An insert whose rows came with it."""
        into = re.fullmatch(r"(INSERT INTO .*) FORMAT (\w+)\s*", sql, re.DOTALL)
        if not into:
            raise RuntimeError(f"Code: 62. no insert with rows: {sql}")
        named = ", ".join(f"{name} = '{value}'" for name, value in settings.items())
        settings = f" SETTINGS {named}" if named else ""
        with tempfile.NamedTemporaryFile(suffix=".rows") as file:
            file.write(rows)
            file.flush()
            return self.answer(f"{into[1]}{settings} SELECT * FROM file('{file.name}', '{into[2]}')", "Null")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine = None

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def do_POST(self):
        pairs = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query, keep_blank_values=True))
        body = self.body()
        if pairs.pop("decompress", "0") == "1":
            body = inflated(body)
        is_packed = pairs.pop("compress", "0") == "1"
        form = pairs.pop("default_format", "TabSeparated")
        sql = pairs.pop("query", None)
        settings = {name: value for name, value in pairs.items() if "insert" in name}
        try:
            answer = self.engine.answer(body.decode(), form) if sql is None else self.engine.insert(sql, body, settings)
            self.respond(200, deflated(answer) if is_packed else answer, {})
        except RuntimeError as error:
            code = re.search(r"Code: (\d+)", str(error))
            code = {"X-ClickHouse-Exception-Code": code[1] if code else "1002"}
            self.respond(500, str(error).encode(), code)

    def respond(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    Handler.engine = Engine(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
