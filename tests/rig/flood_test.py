"""Strangers by the thousand at the sockets of a running node: datagrams, and first messages."""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import apart
import rig
from rig import ebb_node

FLOOD = os.environ.get("EBB_FLOOD", str(rig.ROOT / "build" / "gcc" / "tests" / "rig_flood"))
LONG = bool(os.environ.get("EBB_LONG"))

DATAGRAMS = 1000000  # that the node has seen, not that were sent
CHUNK = 50000
DATAGRAM_RATE = 150000  # a second
CAPTURED = 8
LIVE_EVENTS = 20
HANDSHAKE_RATE = 10000
HANDSHAKE_SECONDS = 60 if LONG else 5
ANSWERS_AT_ONCE, ANSWERS_PER_SECOND = 100, 500  # core/limits.h
# Of that rate: a machine that has other work lets fewer connections stand at a time.
SENT_LEAST = 0.9 if LONG else 0.2
# What live events, and the log of faults, may take meanwhile. Four bytes for each datagram.
GROWTH_KB = 4096


def memory_kb(node):
    """What of the process is in memory now."""
    lines = pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def by_reason(node, name):
    _, body, _ = node.request("GET", "/metrics")
    found = {}
    for line in body.decode().splitlines():
        if line.startswith(name + "{"):
            label, value = line.rsplit(" ", 1)
            found[label.split('"')[1]] = int(float(value))
    return found


def grown(before, after):
    return {key: count - before.get(key, 0) for key, count in after.items()
            if count != before.get(key, 0)}


class Datagrams:
    """What a node counts of those that came."""

    def __init__(self, node):
        self.seen = by_reason(node, "ebb_datagrams_total").get("in", 0)
        self.dropped = by_reason(node, "ebb_datagrams_dropped_total")

    def taken(self):
        return self.seen - sum(self.dropped.values())


class FloodTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        if not os.access(FLOOD, os.X_OK):
            self.fail(f"{FLOOD} is not there: build it, or set EBB_FLOOD")

    def flood(self, *arguments, stdin=""):
        done = subprocess.run([FLOOD, *map(str, arguments)], input=stdin, capture_output=True,
                              text=True, timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def during(self, work, live):
        """Runs `work` in a thread, and `live` again and again until it has ended."""
        done = []
        thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
        thread.start()
        while thread.is_alive():
            live()
        thread.join()
        self.assertEqual(len(done), 1, "the flood was sent")
        return done[0]

    def only_link(self, node):
        """Its id, which a link that took its place would not have."""
        states = [link for link in node.get("/v1/links")["links"] if link["state"] == "in_sync"]
        self.assertEqual(len(states), 1)
        return states[0]["link"]

    def one_live_event(self, author, reader):
        count = author.status()["events"] + 1
        author.run("append", "visit")
        self.wait(lambda: reader.status()["events"] == count, "a live event at the other node")
        self.live_events += 1

    def pair_with_keys_alone(self):
        """A node, and one that it has datagram keys with but no stream, which says nothing more for
        now, with what it has said; a third one that has not been started."""
        names = ("target", "lonely", "linked")
        target, lonely, linked = map(self.watched,
                                     ebb_node.make_mesh(rig.PROGRAM, self.dir, names))
        between = apart.link(target, lonely)
        self.addCleanup(between.cut)
        sniffer = apart.Sniffer(lonely.status()["listen"], target.status()["listen"])
        self.addCleanup(sniffer.close)
        self.converged([target, lonely])
        with apart.without_streams(between, target, lonely):
            self.wait(lambda: len(sniffer.seen) >= CAPTURED, "datagrams between the two")
            lonely.pause()
        sniffer.close()
        self.wait(lambda: Datagrams(target).taken() == len(sniffer.seen), "all that it said taken")
        return target, lonely, linked, sniffer.seen

    def assert_flat(self, growth):
        # A sanitizer keeps what was given back: 256 MiB of it, and what it notes of each thread.
        if not rig.is_sanitized():
            self.assertLess(growth, GROWTH_KB)

    def assert_rate(self, sent):
        """That first messages came about as fast as the claim says, half of them with a mac."""
        self.assertAlmostEqual(sent["with_mac"] / sent["sent"], 0.5, delta=0.01)
        if rig.is_sanitized():  # such a node does not accept as many
            return
        wanted = HANDSHAKE_RATE * HANDSHAKE_SECONDS
        begun = sent["sent"] + sent["not_reached"] + sent["beyond"]
        self.assertGreaterEqual(begun, 0.9 * wanted)
        self.assertGreaterEqual(sent["sent"], SENT_LEAST * wanted)
        self.assertLessEqual(sent["not_reached"], 0.05 * wanted)

    def test_a_million_datagrams_of_strangers_are_silence_and_take_no_memory(self):
        target, lonely, linked, said = self.pair_with_keys_alone()
        captured = "".join(data.hex() + "\n" for data in said)
        address = target.status()["listen"]
        linked.start("--listen", "127.0.0.1:0", "--peer", address)
        self.wait(lambda: target.metric("ebb_links") == 1, "the link to stand")
        self.live_events = 0
        self.one_live_event(target, linked)
        self.flood("datagrams", address, CHUNK, DATAGRAM_RATE, 0, stdin=captured)
        link, before, memory = self.only_link(target), Datagrams(target), memory_kb(target)
        sent = {"sent": 0, "captured": 0, "answers": 0}
        self.live_events = 0

        def send():
            seed = 0
            while (Datagrams(target).seen - before.seen < DATAGRAMS
                   or self.live_events < LIVE_EVENTS):
                seed += 1
                answer = self.flood("datagrams", address, CHUNK, DATAGRAM_RATE, seed,
                                    stdin=captured)
                for key in sent:
                    sent[key] += answer[key]
            return True

        begun = time.monotonic()
        self.during(send, lambda: self.one_live_event(target, linked))
        after, growth = Datagrams(target), memory_kb(target) - memory
        why = grown(before.dropped, after.dropped)
        print(f"datagrams: {sent}, seen {after.seen - before.seen}, dropped {why}, memory "
              f"{growth:+d} kB of {memory} kB, {self.live_events} live events, "
              f"{time.monotonic() - begun:.1f} s", file=sys.stderr)
        self.assertEqual(sent["answers"], 0)
        self.assertEqual(after.taken() - before.taken(), 0)
        self.assertGreaterEqual(after.seen - before.seen, DATAGRAMS)
        # Nothing else: what goes further than these was opened.
        self.assertEqual(set(why), {"malformed", "unknown_index", "bad_tag", "replayed"})
        for reason, count in why.items():
            self.assertGreater(count, DATAGRAMS // 10, reason)
        self.assert_flat(growth)
        self.assertEqual(self.only_link(target), link)
        # The keys of whose datagrams were repeated are there, and it comes back.
        self.assertEqual(target.metric("ebb_datagram_sessions"), 2)
        lonely.resume()
        self.converged([target, lonely, linked])

    def test_first_messages_by_the_thousand_end_no_link_and_are_answered_to_a_bound(self):
        target, linked = self.mesh(2)
        self.converged([target, linked])
        address, mesh_file = self.addresses[0], self.dir / "fleet.mesh"
        self.live_events = 0
        self.flood("handshakes", address, mesh_file, 1, HANDSHAKE_RATE)
        link, memory = self.only_link(target), memory_kb(target)
        before = by_reason(target, "ebb_handshakes_refused_total")
        begun = time.monotonic()
        sent = self.during(
            lambda: self.flood("handshakes", address, mesh_file, HANDSHAKE_SECONDS, HANDSHAKE_RATE),
            lambda: self.one_live_event(target, linked))
        took, growth = time.monotonic() - begun, memory_kb(target) - memory
        why = grown(before, by_reason(target, "ebb_handshakes_refused_total"))
        print(f"first messages: {sent}, refused {why}, memory {growth:+d} kB of {memory} kB, "
              f"{self.live_events} live events", file=sys.stderr)
        self.assert_rate(sent)
        self.assertEqual(sent["bytes_back"], 0)
        self.assertGreater(sent["answered"], 0)
        self.assertLessEqual(sent["answered"], ANSWERS_AT_ONCE + ANSWERS_PER_SECOND * took)
        for reason in ("no_access", "not_answered"):
            self.assertGreater(why.get(reason, 0), 0, reason)
        self.assertLessEqual(sum(why.values()) + sent["answered"], sent["sent"])
        self.assertGreater(self.live_events, 0)
        self.assert_flat(growth)
        self.assertEqual(self.only_link(target), link)
