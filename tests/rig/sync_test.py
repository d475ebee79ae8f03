"""What real nodes tell each other: fidelity, quiet reconnects, one id on both ends."""

import json
import math
import sys
import time

import rig

EXACT = [0, 1, -1, -2**63, 2**63 - 1, 2**63, 2**64 - 1, 1.0, -0.0, 5e-324, 1.7976931348623157e308,
         0.1, True, False, None, "", "\u0000\u001f\"\\/", "grüße \U0001f6a2 \u2028", [], {},
         {"": {"": None}}, [[1, 1.0], {"b": 1, "a": 2}], [[[[[[[[]]]]]]]]]


def same(a, b):
    """Equal value and equal kind: 1 and 1.0 differ, -0.0 and 0.0 differ."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


class SyncTest(rig.RigTest):
    def test_payload_type_ts_and_source_read_back_equal_on_the_other_node(self):
        nodes = self.mesh(2)
        sent = [{"type": f"exact.{n}", "ts": 1000 * n - 7, "source": f"sénsor {n}",
                 "payload": payload} for n, payload in enumerate(EXACT)]
        status, answer = nodes[0].post("/v1/events", sent)
        self.assertEqual((status, answer["appended"]), (200, len(sent)))
        self.converged(nodes, len(sent))
        for node in nodes:
            stored = [json.loads(line) for line in node.event_lines()]
            for before, after in zip(sent, stored, strict=True):
                for key in before:
                    self.assertTrue(same(before[key], after[key]), (key, before, after))

    def test_ts_keeps_its_instant_to_the_millisecond(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        instants = {"2015-05-17T10:05:03Z": 1431857103000, "1969-12-31T23:59:59.999Z": -1,
                    "2015-05-17T12:05:03.5+02:00": 1431857103500, "1970-01-01T00:00:00.0019Z": 1}
        for text in instants:
            self.assertEqual(node.post("/v1/events", {"type": "t", "ts": text})[0], 200)
        stored = [json.loads(line)["ts"] for line in node.event_lines()]
        self.assertEqual(stored, list(instants.values()))

    def test_a_repeated_client_id_returns_the_first_dot(self):
        nodes = self.mesh(2)
        event = {"type": "once", "payload": 1, "id": "6f1c1e0e-95f7-4d3e-9a51-0d4b3b8a1c11"}
        first = nodes[0].post("/v1/events", event)[1]
        again = nodes[0].post("/v1/events", event)[1]
        self.assertEqual((first["duplicates"], again["duplicates"]), (0, 1))
        self.assertEqual(first["dots"][0]["first"], again["dots"][0]["first"])
        nodes[0].kill()
        self.restart(nodes, 0)
        self.assertEqual(nodes[0].post("/v1/events", event)[1]["duplicates"], 1)
        self.converged(nodes, 1)

    def test_two_nodes_in_sync_reconnect_with_auth_hello_and_your_logs_alone(self):
        nodes = self.mesh(2)
        nodes[0].post("/v1/events", [{"type": "t", "payload": n} for n in range(50)])
        nodes[1].post("/v1/events", [{"type": "t", "payload": n} for n in range(50)])
        self.converged(nodes, 100)
        # Where each listens is told once; a node that was stopped before would tell it after.
        self.wait(lambda: all(self.messages(node, "in").get("peers") for node in nodes),
                  "both to know where the other listens")
        self.wait(lambda: self.reconnected_by_one_dial(nodes), "one dial and not two at once")
        rows = [node.get("/v1/reconciliations?limit=1")["reconciliations"][0] for node in nodes]
        self.assertEqual(rows[0]["id"], rows[1]["id"])
        for node, row in zip(nodes, rows):
            self.assertEqual((row["outcome"], row["events_in"], row["events_out"]),
                             ("in_sync", 0, 0))
            # With the opening record of each.
            self.assertEqual((row["held_before"], row["known_before"]), (102, 102))
            sent = self.messages(node, "out")
            self.assertEqual({kind for kind, count in sent.items() if count > 0},
                             {"auth", "hello", "your_logs"}, sent)

    def reconnected_by_one_dial(self, nodes):
        """Restarts both; false when both dialled at once, which costs a second HELLO and a BYE."""
        for node in nodes:
            node.stop()
        for index in (0, 1):
            self.restart(nodes, index)
        self.converged(nodes, 100)
        return not any(self.messages(node, "out").get("bye") for node in nodes)

    def messages(self, node, direction):
        _, body, _ = node.request("GET", "/metrics")
        return {line.split('kind="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1])
                for line in body.decode().splitlines()
                if line.startswith("ebb_messages_total{") and f'direction="{direction}"' in line}

    def test_a_reconciliation_has_one_id_on_both_ends_and_completeness_before_and_after(self):
        nodes = self.mesh(1)
        nodes[0].post("/v1/events", [{"type": "t", "payload": n} for n in range(300)])
        late = self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "late", "late"))
        late.init("--mesh", self.dir / "fleet.mesh")
        late.start("--listen", "127.0.0.1:0", "--peer", self.addresses[0])
        self.converged([nodes[0], late], 300)

        def row(node):
            rows = node.get("/v1/reconciliations")["reconciliations"]
            return next((r for r in rows if r["outcome"] == "in_sync"), None)

        self.wait(lambda: row(nodes[0]) and row(late), "both rows")
        here, there = row(nodes[0]), row(late)
        self.assertEqual(here["id"], there["id"])
        self.assertEqual((here["events_out"], there["events_in"]), (301, 301))  # with an opening
        self.assertEqual((there["held_before"], there["held_after"]), (1, 302))
        self.assertEqual(there["known_after"], 302)
        self.assertEqual(here["root_after"], there["root_after"])

    def test_counters_and_sets_agree_on_every_node(self):
        nodes = self.mesh(3)
        for number, node in enumerate(nodes):
            self.assertEqual(node.post("/v1/counters/sold", {"add": 10 + number})[0], 200)
            self.assertEqual(node.post("/v1/sets/open", {"add": f"till-{number}"})[0], 200)
        self.converged(nodes, 6)
        self.assertEqual(nodes[2].post("/v1/sets/open", {"remove": "till-0"})[0], 200)
        self.converged(nodes, 7)
        for node in nodes:
            self.assertEqual(node.get("/v1/counters/sold")["value"], 33)
            self.assertEqual(node.get("/v1/sets/open")["elements"], ["till-1", "till-2"])

    def test_a_node_of_another_mesh_is_refused_with_a_word(self):
        here = self.mesh(1)[0]
        stranger = self.node("stranger")
        stranger.start("--listen", "127.0.0.1:0", "--peer", self.addresses[0])
        self.wait(lambda: "mesh" in stranger.log_text("unanswered"), "the refusal in the log")
        self.assertEqual(here.status()["links"], 0)
        self.assertEqual(here.status()["verdict"]["level"], "ok")

    def test_a_tour_by_invite_with_nodes_in_the_background(self):
        first, second = (rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / name, name)
                         for name in ("first", "second"))
        begun = time.monotonic()
        first.init()
        for node in (first, second):
            self.addCleanup(node.run, "down", check=False)
        first.run("up", "--listen", "127.0.0.1:0")
        second.run("join", first.run("-q", "invite").stdout.strip(), "--name", "second")
        second.run("up", "--listen", "127.0.0.1:0")
        first.run("append", "visit", "page=home")
        self.wait(lambda: second.run("query", "visit").stdout == "1   in sync with 1 link\n",
                  "1 visit, in sync")
        took = time.monotonic() - begun
        print(f"tour by invite with `ebb up`: in sync after {took:.2f} s", file=sys.stderr)
        if not rig.is_sanitized():
            self.assertLess(took, 10)
        self.assertEqual(first.digest()["digest"], second.digest()["digest"])

    def test_a_tour_by_peer_list(self):
        first = self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "first", "first"))
        first.init("--admit", "secret")
        mesh_file = self.dir / "fleet.mesh"
        first.run("mesh", "export", mesh_file)
        second = self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "second", "second"))
        second.run("init", "--mesh", mesh_file)
        for node in (first, second):
            self.addCleanup(node.run, "down", check=False)
        first.run("up", "--listen", "127.0.0.1:0")
        second.run("up", "--listen", "127.0.0.1:0", "--peer", first.status()["listen"])
        first.run("append", "visit", "page=home")
        self.wait(lambda: second.run("query", "visit").stdout.startswith("1"), "1 visit")
        self.assertIn("in sync", second.run("query", "visit").stdout)
        pages = "select payload ->> '$.page' as page from events where type='visit'"
        answer = json.loads(second.run("sql", "--json", pages).stdout)
        self.assertEqual(answer["rows"], [["home"]])
        self.assertEqual(second.run("sql", pages).stdout, "home\n")
