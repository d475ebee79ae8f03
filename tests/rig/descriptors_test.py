"""A node that may open few files, and more connections than it has room for: it keeps serving."""

import contextlib
import resource
import socket

import rig

FILES = 64
CONNECTS = 1000


class DescriptorsTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CONNECTS + 200:
            self.fail(f"this test needs {CONNECTS + 200} files, the limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_node_with_64_files_serves_under_1000_connects_with_its_configuration(self):
        names = ["few", "peer"]
        few, peer = map(self.watched, rig.ebb_node.make_mesh(rig.PROGRAM, self.dir, names))
        few.launcher = ["prlimit", f"--nofile={FILES}:{FILES}"]
        few.start("--listen", "127.0.0.1:0")
        address = few.status()["listen"]
        peer.start("--listen", "127.0.0.1:0", "--peer", address)
        self.append_and_meet(few, peer, 1)
        config = few.run("config", "show", "--origin").stdout
        host, port = address.rsplit(":", 1)
        with contextlib.ExitStack() as strangers:
            for number in range(CONNECTS):
                stranger = socket.create_connection((host, int(port)), timeout=20)
                strangers.enter_context(stranger)
                if number % 100 == 99:
                    self.append_and_meet(few, peer, 1 + number // 100 + 1)
        # They are refused before they could use up what connections there may be.
        self.assertGreater(few.metric("ebb_handshakes_refused_total"), CONNECTS * 9 // 10)
        self.assertEqual(few.log_text("connection_refused"), "")
        self.assertEqual(few.run("config", "show", "--origin").stdout, config)
        self.assertEqual(few.status()["listen"], address)
        self.assertEqual(few.status()["verdict"]["level"], "ok")

    def append_and_meet(self, few, peer, events):
        """One event more on the node reaches its peer over the link that they have."""
        status, answer = few.post("/v1/events", {"type": "t", "payload": events})
        self.assertEqual((status, answer["appended"]), (200, 1))
        self.wait(lambda: peer.status()["events"] == events, f"{events} events on the peer")
