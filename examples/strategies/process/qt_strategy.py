"""A strategy for qt in Python, with the standard library alone.

Copy this file beside yours, make a class with the methods that you need, and call `run` with it:

    class Mine(Strategy):
        wants = ["quote"]

        def record(self, record, position):
            if record["bid_qty"] > 10 * record["ask_qty"]:
                self.buy(record["sym"], "0.01")

    run(Mine)

Prices and sizes are Decimals: what is read and what is sent keeps all its digits. Decide from what the
methods are told alone, and the same records will lead to the same decisions. Standard output belongs to
the protocol; print to standard error.
"""

import json
import sys
from decimal import Decimal

PROTOCOL = 1


class Strategy:
    wants = []
    features = []

    def __init__(self, params, instruments, seed):
        self.params = params
        self.instruments = instruments
        self.seed = seed
        self.now = 0
        self._actions = []
        self._count = 0

    # What happens.

    def start(self):
        pass

    def record(self, record, position):
        pass

    def row(self, sym, values, position):
        pass

    def order(self, order):
        pass

    def timer(self, timer):
        pass

    def stop(self):
        pass

    # What can be asked.

    def submit(self, sym, side, qty, px=None, trigger=None, time_in_force=None, reduce_only=False):
        self._count += 1
        name = f"o{self._count}"
        action = {"do": "submit", "id": name, "sym": sym, "side": side, "qty": str(qty)}
        if px is not None:
            action["px"] = str(px)
        if trigger is not None:
            action["trigger"] = str(trigger)
        if time_in_force is not None:
            action["time_in_force"] = time_in_force
        if reduce_only:
            action["reduce_only"] = True
        self._actions.append(action)
        return name

    def buy(self, sym, qty, px=None):
        return self.submit(sym, "buy", qty, px)

    def sell(self, sym, qty, px=None):
        return self.submit(sym, "sell", qty, px)

    def amend(self, name, qty=None, px=None):
        action = {"do": "amend", "id": name}
        if qty is not None:
            action["qty"] = str(qty)
        if px is not None:
            action["px"] = str(px)
        self._actions.append(action)

    def cancel(self, name):
        self._actions.append({"do": "cancel", "id": name})

    def wake(self, timer, at):
        self._actions.append({"do": "timer", "id": timer, "at": at})

    def note(self, text, sym=None):
        self._actions.append({"do": "note", "text": text, "sym": sym})


def run(kind, lines=sys.stdin, out=sys.stdout):
    def say(message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    strategy = None
    for line in lines:
        message = json.loads(line, parse_float=Decimal)
        what = message["type"]
        if what == "hello":
            if message["protocol"] != PROTOCOL:
                raise SystemExit(f"protocol {message['protocol']} is not {PROTOCOL}")
            instruments = {each["sym"]: each for each in message["instruments"]}
            strategy = kind(message["params"], instruments, message["seed"])
            strategy.start()
            say({"ready": PROTOCOL, "wants": strategy.wants, "features": strategy.features})
            continue
        strategy.now = message.get("now", strategy.now)
        if what == "record":
            strategy.record(message["record"], Decimal(message["position"]))
        elif what == "features":
            strategy.row(message["sym"], message["values"], Decimal(message["position"]))
        elif what == "order":
            strategy.order(message)
        elif what == "timer":
            strategy.timer(message["id"])
        elif what == "stop":
            strategy.stop()
            return
        actions, strategy._actions = strategy._actions, []
        say({"actions": actions})
