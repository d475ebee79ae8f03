"""Nodes that are killed, stopped and cut off while others append: nothing acknowledged is lost."""

import http.client
import json
import os
import random
import threading
import time

import rig
from cut_proxy import CutProxy

KILLS = 200 if os.environ.get("EBB_LONG") else 20
SEED = int(os.environ.get("EBB_RIG_SEED", "7"))


class Writer(threading.Thread):
    """Appends small batches to one node for as long as it is told to, through its deaths."""

    def __init__(self, node, label):
        super().__init__(daemon=True)
        self.node, self.label = node, label
        self.acknowledged = {}  # dot -> payload
        self.acks = 0
        self.ending = threading.Event()
        self.failure = None

    def run(self):
        number = 0
        try:
            while not self.ending.is_set():
                payloads = [{"writer": self.label, "n": number + i} for i in range(5)]
                number += len(payloads)
                self.append(payloads)
        except Exception as error:  # shown by the test that joins us
            self.failure = error

    def append(self, payloads):
        events = [{"type": "kill_test", "payload": payload} for payload in payloads]
        try:
            status, answer = self.node.post("/v1/events", events, timeout=20)
        except (OSError, http.client.HTTPException):
            return  # the node is dead or died under us: nothing was acknowledged
        if status != 200:
            raise AssertionError(f"append answered {status}: {answer}")
        dots = [f"{r['log']}:{seq}" for r in answer["dots"]
                for seq in range(r["first"], r["first"] + r["count"])]
        if len(dots) != len(payloads):
            raise AssertionError(f"{len(dots)} dots for {len(payloads)} events")
        for dot, payload in zip(dots, payloads):
            if self.acknowledged.setdefault(dot, payload) != payload:
                raise AssertionError(f"sequence number reused: {dot}")
        self.acks += 1

    def finish(self):
        self.ending.set()
        self.join(timeout=60)
        if self.failure is not None:
            raise self.failure


class KillTest(rig.RigTest):
    def stored(self, node):
        events = [json.loads(line) for line in node.event_lines()]
        dots = [event["dot"] for event in events]
        self.assertEqual(len(dots), len(set(dots)), "a dot appears twice")
        return {event["dot"]: event["payload"] for event in events}

    def test_sigkill_under_load_loses_nothing_acknowledged(self):
        nodes = self.mesh(3)
        chance = random.Random(SEED)
        writers = [Writer(node, node.name) for node in nodes]
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            victim = chance.randrange(len(nodes))
            goal = writers[victim].acks + chance.randint(1, 12)
            writer = writers[victim]
            self.wait(lambda writer=writer, goal=goal: writer.acks >= goal or writer.failure,
                      "the writer to go on")
            nodes[victim].kill()
            self.restart(nodes, victim)
        for writer in writers:
            writer.finish()
        self.converged(nodes)
        acknowledged = {}
        for writer in writers:
            acknowledged.update(writer.acknowledged)
        self.assertGreater(len(acknowledged), KILLS)
        for node in nodes:
            stored = self.stored(node)
            lost = {dot for dot, payload in acknowledged.items() if stored.get(dot) != payload}
            self.assertEqual(lost, set(), f"acknowledged and not on {node.name}")
            self.assertEqual(node.metric("ebb_forks_suspected_total"), 0)
        for node in nodes:
            self.assertEqual(node.stop(), 0)
            report = node.run("verify", "--state")
            self.assertEqual(report.returncode, 0, report.stdout + report.stderr)

    def test_a_stopped_process_resumes_without_getting_stored_segments_again(self):
        nodes = self.mesh(2)
        self.append_many(nodes[0], 2000, "before")
        self.converged(nodes, 2000)
        received = nodes[1].metric("ebb_events_received_total")
        nodes[1].pause()
        self.append_many(nodes[0], 3000, "while stopped")
        time.sleep(30)  # style-ok(sleep): the stop itself, past two unanswered pings
        nodes[1].resume()
        self.converged(nodes, 5000)
        again = nodes[1].metric("ebb_events_redundant_total")
        fresh = nodes[1].metric("ebb_events_received_total") - received
        self.assertEqual((fresh, again), (3000, 0))

    def test_a_cut_in_the_middle_of_catch_up_resumes_where_it_was(self):
        nodes = self.mesh(1)
        total = 300_000
        self.append_many(nodes[0], total, "bulk")
        late, before = self.cut_in_the_middle(total)
        late.start("--listen", "127.0.0.1:0", "--peer", self.addresses[0])
        self.converged([nodes[0], late], total)
        everything = nodes[0].status()
        missing = everything["events"] + everything["records"] - before
        self.assertEqual(late.metric("ebb_events_received_total"), missing)
        self.assertEqual(late.metric("ebb_events_redundant_total"), 0)

    def test_a_stream_reset_inside_a_delta_resumes_where_it_was(self):
        nodes = self.mesh(1)
        total = 300_000
        self.append_many(nodes[0], total, "bulk")
        proxy = CutProxy(self.addresses[0], 300_001)
        self.addCleanup(proxy.close)
        late = self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "late", "late"))
        late.init("--mesh", self.dir / "fleet.mesh")
        late.start("--listen", "127.0.0.1:0", "--peer", proxy.address)
        self.converged([nodes[0], late], total)
        self.assertEqual(proxy.cuts, 1)
        everything = nodes[0].status()
        missing = everything["events"] + everything["records"] - 1  # late's own opening
        self.assertEqual(late.metric("ebb_events_received_total"), missing)
        self.assertEqual(late.metric("ebb_events_redundant_total"), 0)

    def cut_in_the_middle(self, total):
        """A node killed while it caught up, now stopped, and how much it had stored by then."""
        for attempt in range(20):
            directory = self.dir / f"late-{attempt}"
            late = self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, directory, "late"))
            late.init("--mesh", self.dir / "fleet.mesh")
            late.start("--listen", "127.0.0.1:0", "--peer", self.addresses[0])
            self.wait(lambda late=late: late.status()["events"] > 0, "catch-up to begin")
            late.kill()  # sockets drop wherever the DELTA happens to be
            late.start("--listen", "off")  # alone: counts what had been stored
            status = late.status()
            late.stop()
            if 0 < status["events"] < total:
                return late, status["events"] + status["records"]
        return self.fail("no kill fell into the middle of the catch-up")

    def append_many(self, node, count, note):
        lines = "".join(json.dumps({"type": "bulk", "payload": {"n": n, "note": note}}) + "\n"
                        for n in range(count))
        status, body, _ = node.request("POST", "/v1/events", lines.encode(),
                                       "application/x-ndjson")
        self.assertEqual(status, 200, body)
