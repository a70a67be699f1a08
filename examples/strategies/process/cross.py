#!/usr/bin/env python3
"""Long while a fast average is above a slow one, short while it is below: as a program of its own."""

from qt_strategy import Strategy, run


class Cross(Strategy):
    features = ["ema(mid, 100)", "ema(mid, 500)"]

    def start(self):
        self.working = {}

    def row(self, sym, values, position):
        fast, slow = values
        if fast is None or slow is None or sym in self.working:
            return
        lot = self.instruments[sym]["lot"] or "1"
        unit = type(position)(lot) * 10
        want = unit if fast > slow else -unit
        if want != position:
            side = "buy" if want > position else "sell"
            self.working[sym] = self.submit(sym, side, abs(want - position))

    def order(self, order):
        if order["leaves"] == "0" or order["status"] in ("rejected", "cancelled", "expired"):
            self.working.pop(order["sym"], None)


run(Cross)
