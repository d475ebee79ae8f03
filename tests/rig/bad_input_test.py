"""Wrong use and broken surroundings: a clear message, the right exit code, nothing half done."""

import json
import os
import signal
import socket

import rig


class BadInputTest(rig.RigTest):
    def test_a_broken_line_is_named_and_earlier_lines_stay(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        lines = "".join(json.dumps({"type": "t", "payload": n}) + "\n" for n in range(3))
        done = node.run("append", "--ndjson", "-", stdin=lines + '{"type": oops\n' + lines,
                        check=False)
        self.assert_exit(done, 1, "line 4", "not JSON", "3 events")
        self.assertEqual(node.digest()["events"], 3)

    def test_numbers_out_of_range_duplicate_keys_and_depth_are_refused_by_name(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        deep = "[" * 9 + "]" * 9
        cases = {'{"type":"t","payload":18446744073709551616}': "out_of_range",
                 '{"type":"t","payload":-9223372036854775809}': "out_of_range",
                 '{"type":"t","payload":1e999}': "out_of_range",
                 '{"type":"t","payload":{"a":1,"a":2}}': "duplicate_key",
                 '{"type":"t","payload":%s}' % deep: "too_deep",
                 '{"type":"t","payload":"%s"}' % ("x" * 66000): "too_large",
                 '{"type":"t","colour":1}': "invalid_argument"}
        for body, code in cases.items():
            with self.subTest(code=code, body=body[:60]):
                status, answer, _ = node.request("POST", "/v1/events", body.encode())
                self.assertIn(status, (400, 413), answer)
                self.assertEqual(json.loads(answer)["error"]["code"], code, answer)
        self.assertEqual(node.digest()["events"], 0)

    def test_payload_over_the_limit_says_so(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        done = node.run("append", "t", "--payload", json.dumps("x" * 70000), check=False)
        self.assert_exit(done, 1, "65536")

    def test_an_unknown_config_key_is_refused_with_a_suggestion(self):
        node = self.node()
        config = node.dir / "ebb.toml"
        config.write_text(config.read_text().replace("[node]", "[node]\npeer = []"))
        self.assert_exit(node.run("run", check=False), 1, "node.peer", "did you mean node.peers")
        self.assert_exit(node.run("config", "check", check=False), 1, "node.peer")

    def test_a_port_in_use_is_named(self):
        node = self.node()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_exit(node.run("run", "--listen", address, check=False), 1, address,
                             "in use")

    def test_a_second_process_on_a_directory_is_refused(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        done = node.run("run", "--listen", "127.0.0.1:0", check=False)
        self.assert_exit(done, 1, "running")
        self.assertEqual(node.status()["verdict"]["level"], "ok")

    def test_missing_damaged_and_readable_keys_are_refused(self):
        key = "keys/identity.key"
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        node.stop()
        path = node.dir / key
        good = path.read_bytes()
        path.write_bytes(good[:-6])
        self.assert_exit(node.run("run", check=False), 1, key)
        path.write_bytes(good)
        path.chmod(0o644)
        self.assert_exit(node.run("run", check=False), 1, key, "chmod")
        path.unlink()
        self.assert_exit(node.run("run", check=False), 1, key)

    def test_usage_and_missing_daemon_have_their_exit_codes(self):
        node = self.node()
        self.assert_exit(node.run("status", "--colour", check=False), 2, "--colour")
        self.assert_exit(node.run("statsu", check=False), 2)
        self.assert_exit(node.run("status", check=False), 3, "ebb up")
        nowhere = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "nothing")
        self.assert_exit(nowhere.run("run", check=False), 1, "ebb init")

    def test_a_full_disk_acknowledges_nothing_it_does_not_store(self):
        node = self.node()
        config = node.dir / "ebb.toml"
        line = "disk_budget_bytes = "
        config.write_text(config.read_text().replace(f"# {line}0", f"{line}1048576"))
        node.start("--listen", "127.0.0.1:0")
        stored, status = 0, 200
        while status == 200 and stored < 100000:
            noise = [{"type": "t", "payload": os.urandom(300).hex()} for _ in range(50)]
            status, answer = node.post("/v1/events", noise)
            stored += 50 if status == 200 else 0
        self.assertEqual(status, 507, answer)
        self.assertEqual(answer["error"]["code"], "disk_full")
        self.assertEqual(sum(1 for _ in node.event_lines()), stored)
        self.assertNotEqual(node.status()["verdict"]["level"], "ok")
        done = node.run("append", "t", "--payload", json.dumps("x" * 50000), check=False)
        self.assert_exit(done, 1, "disk")

    def test_a_stream_on_a_full_disk_is_stored_as_far_as_it_is_told(self):
        for attempt in range(4):
            node = self.node(f"full{attempt}")
            config = node.dir / "ebb.toml"
            line = "disk_budget_bytes = "
            config.write_text(config.read_text().replace(f"# {line}0", f"{line}520000"))
            node.start("--listen", "127.0.0.1:0")
            # Short lines behind long ones find room where those found none.
            lines = [json.dumps({"type": "t", "payload": os.urandom(size).hex()})
                     for size in [300] * 4000 + [1] * 4000]
            status, answer, _ = node.request("POST", "/v1/events", "\n".join(lines).encode(),
                                             "application/x-ndjson", 60)
            self.assertEqual(status, 507, answer)
            told = json.loads(answer)
            self.assertEqual(told["error"]["line"], told["appended"] + 1)
            self.assertEqual(sum(1 for _ in node.event_lines()), told["appended"])

    def test_a_stranger_on_the_port_is_dropped_and_counted(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        host, port = node.status()["listen"].rsplit(":", 1)
        for noise in (b"GET / HTTP/1.1\r\n\r\n" * 10, b"\xff" * 100, b"ebb-plain-1" + b"x" * 32
                      + b"\xff\xff\xff\xff"):
            with socket.create_connection((host, int(port)), timeout=20) as stranger:
                stranger.sendall(noise)
                while stranger.recv(4096):
                    pass
        self.wait(lambda: node.metric("ebb_peer_faults_total") >= 3, "faults counted")
        self.assertEqual(node.status()["verdict"]["level"], "ok")

    def test_down_ends_a_background_node(self):
        node = self.node()
        node.run("up", "--listen", "127.0.0.1:0")
        pid = int((node.dir / "ebb.pid").read_text())
        self.addCleanup(self.kill_quietly, pid)
        self.assertEqual(node.status()["verdict"]["level"], "ok")
        node.run("down")
        self.assert_exit(node.run("status", check=False), 3)

    @staticmethod
    def kill_quietly(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
