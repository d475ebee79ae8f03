"""The demo as people run it, on the program under test."""

import argparse
import contextlib
import json
import pathlib
import re
import subprocess
import sys

import rig

import demo  # noqa: E402
import ebb_node  # noqa: E402

ALTER = r"""
import os, pathlib, sqlite3, subprocess, sys
program, marker = sys.argv[1:3]
home = pathlib.Path(os.environ["EBB_DEMO_DIR"]) / "kiosk-b"
ebb = [program, "--dir", str(home)]
subprocess.run([*ebb, "down"], check=True)
db = sqlite3.connect(home / "store" / "ebb.db")
rows = db.execute("select id, body from segments").fetchall()
hits = [(body.replace(marker.encode(), marker[::-1].encode()), key)
        for key, body in rows if marker.encode() in body]
assert len(hits) == 1, f"{len(hits)} segments hold the marker"
db.executemany("update segments set body = ? where id = ?", hits)
db.commit()
db.close()
subprocess.run([*ebb, "up"], check=True)
"""


LONG = b"x" * 70000
LINES_REFUSED = [
    b"5", b"[]", b'{"type":', b'{"type":"t"} x', b'{"type":"t"}{"type":"u"}',
    b'\xef\xbb\xbf{"type":"t"}',
    b"{}", b'{"type":null}', b'{"type":""}', b'{"type":5}', b'{"type":"ebb.x"}', b'{"type":"\xff"}',
    b'{"type":"' + b"x" * 129 + b'"}', b'{"type":"t","colour":1}', b'{"type":"t","type":"u"}',
    b'{"type":"t","payload":18446744073709551616}', b'{"type":"t","payload":-9223372036854775809}',
    b'{"type":"t","payload":1e999}', b'{"type":"t","payload":NaN}', b'{"type":"t","payload":01}',
    b'{"type":"t","payload":{"a":{"b":1,"b":2}}}', b'{"type":"t","payload":"\\ud800"}',
    b'{"type":"t","payload":' + b"[" * 9 + b"]" * 9 + b"}",
    b'{"type":"t","payload":[' + b"0," * 4096 + b"0]}", b'{"type":"t","payload":"' + LONG + b'"}',
    b'{"type":"t","payload":"' + b"x" * 65534 + b'"}',
    b'{"type":"t","ts":1.5}', b'{"type":"t","ts":true}', b'{"type":"t","ts":"soon"}',
    b'{"type":"t","ts":9223372036854775808}', b'{"type":"t","ts":"2015-05-17T10:05:00"}',
    b'{"type":"t","ts":"2015-02-30T10:05:00Z"}', b'{"type":"t","ts":"2015-05-17T24:05:00Z"}',
    b'{"type":"t","source":5}', b'{"type":"t","source":""}',
    b'{"type":"t","source":"a","device":"b"}',
    b'{"type":"t","schema":-1}', b'{"type":"t","schema":1.0}', b'{"type":"t","id":"5"}',
    b'{"type":"t","topic":"_ebb"}', b'{"type":"t","topic":"A"}', b'{"type":"t","topic":"a b"}',
    b'{"type":"t","topic":"' + b"x" * 65 + b'"}',
]
LINES_TAKEN = [
    b'{"type":"t"}', b' {"type":"t","payload":null} ', b'{"type":"' + b"x" * 128 + b'"}',
    b'{"type":"t","payload":18446744073709551615}', b'{"type":"t","payload":-9223372036854775808}',
    b'{"type":"t","payload":1e308}', b'{"type":"t","payload":18446744073709551616.0}',
    b'{"type":"t","payload":' + b"[" * 8 + b"]" * 8 + b"}",
    b'{"type":"t","payload":[' + b"0," * 4095 + b"0]}",
    b'{"type":"t","payload":"' + b"x" * 65533 + b'"}',
    b'{"type":"t","ts":-9223372036854775808}',
    b'{"type":"t","ts":"2016-12-31 23:59:60.1234-12:30"}',
    b'{"type":"t","source":null,"device":"d","schema":18446744073709551615,"topic":".-_"}',
    b'{"type":"t","id":"0F0e0d0c-0b0a-0908-0706-05040302010a"}',
]


def commands_running():
    """The command lines of all processes, one a line."""
    texts = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            texts.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(texts)


class DemoTest(rig.RigTest):
    def demo(self, *arguments):
        script = rig.ROOT / "tools" / "lib" / "demo.py"
        return subprocess.run([sys.executable, script, "--program", rig.PROGRAM, *arguments],
                              capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL)

    def write(self, events):
        path = self.dir / "input.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        return path

    def assert_converged(self, done, events):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        last = done.stdout.splitlines()[-1]
        self.assertRegex(last, rf"^converged: 3/3 nodes, {events} events, digest [0-9a-f]{{64}}$")

    def test_page_views_converge_on_three_nodes(self):
        data = rig.SHARED / "data" / "page_views.ndjson"
        if not data.is_file():
            self.skipTest("needs ../shared/data/page_views.ndjson")
        self.assert_converged(self.demo("--input", str(data)), 9999)

    def test_vitals_of_this_machine_converge(self):
        done = self.demo()
        count = re.search(r"nodes, (\d+) events", done.stdout)
        self.assertIsNotNone(count, done.stdout + done.stderr)
        self.assertGreater(int(count.group(1)), 100)
        self.assert_converged(done, count.group(1))

    def test_any_payloads_converge(self):
        payloads = [None, True, 0, -2**63, 2**64 - 1, 1.0, -0.0, 5e-324, "", "x" * 60000, [], {},
                    "\u0000\u2028\U0001f642", {"": {"": [None]}}, {"é": "ü", "a": [1, 1.0]}]
        events = [{"type": f"t{number % 3}", "ts": 1000 * number - 5000, "payload": payload,
                   "device": f"d{number % 5}"} for number, payload in enumerate(payloads)]
        self.assert_converged(self.demo("--input", str(self.write(events))), len(events))

    def test_one_line_and_no_ts_converge(self):
        path = self.write([{"type": "only", "payload": 1}])
        self.assert_converged(self.demo("--input", str(path)), 1)

    def test_one_altered_payload_is_found(self):
        marker = "qwertyuiop"
        path = self.write([{"type": "t", "ts": 0, "device": "d", "payload": {"text": marker}}])
        script = self.dir / "alter.py"
        script.write_text(ALTER)
        hook = f"{sys.executable} {script} {rig.PROGRAM} {marker}"
        done = self.demo("--input", str(path), "--before-compare", hook)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("differs", done.stderr)
        self.assertNotIn("converged", done.stdout)

    def test_an_input_that_cannot_be_used_is_told_before_anything_is_built_or_started(self):
        empty = self.dir / "empty.ndjson"
        empty.write_text("\n\n")
        broken = self.dir / "broken.ndjson"
        broken.write_text('{"type":"a","ts":"soon"}\n')
        for path, code, word in ((empty, 1, f"no events in {empty}"), (broken, 1, "line 1: ts"),
                                 (self.dir / "none", 2, "no such file")):
            for check in (["--check"], []):
                with self.subTest(path=path, check=check):
                    done = self.demo(*check, "--input", str(path))
                    self.assertEqual(done.returncode, code, done.stderr)
                    self.assertIn(word, done.stderr)
                    self.assertNotIn("nodes are up", done.stderr)
        self.assertEqual(self.demo("--check").returncode, 0)

    def test_nodes_that_are_kept_say_how_to_stop_them(self):
        path = self.write([{"type": "t", "ts": 0, "device": "d", "payload": 1}])
        done = self.demo("--keep", "--input", str(path))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = [line.strip() for line in done.stdout.splitlines()]
        commands = lines[lines.index("stop them and remove what they stored:") + 1:]
        self.assertEqual(len(commands), 4, done.stdout)
        folder = pathlib.Path(commands[3].split()[-1])
        for command in commands:
            subprocess.run(command, shell=True, check=True, capture_output=True)
        self.assertFalse(folder.exists())

    def test_nodes_are_kept_when_the_demo_fails_too(self):
        path = self.write([{"type": "t", "ts": 0, "device": "d", "payload": 1}])
        done = self.demo("--keep", "--input", str(path), "--before-compare", "false")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        lines = [line.strip() for line in done.stdout.splitlines()]
        commands = lines[lines.index("stop them and remove what they stored:") + 1:]
        for command in commands:
            subprocess.run(command, shell=True, check=True, capture_output=True)

    def test_a_demo_that_is_told_to_end_leaves_no_node_behind(self):
        path = self.write([{"type": "t", "ts": 0, "device": "d", "payload": 1}])
        note = self.dir / "where"
        # Told in the middle, when all nodes are up.
        hook = f"echo $EBB_DEMO_DIR > {note}; kill -TERM $PPID; exec sleep 60"
        done = self.demo("--input", str(path), "--before-compare", hook)
        self.assertEqual(done.returncode, 143, done.stdout + done.stderr)
        folder = pathlib.Path(note.read_text().strip())
        self.assertFalse(folder.exists())
        self.assertNotIn(str(folder), commands_running())

    def test_null_is_as_absent_for_what_stands_behind_an_event(self):
        path = self.write([{"type": "t", "ts": 0, "source": None, "device": "x", "payload": 1},
                           {"type": "t", "source": "y", "device": None, "payload": 2}])
        self.assert_converged(self.demo("--input", str(path)), 2)

    def test_a_broken_line_ends_the_demo_with_its_number(self):
        path = self.dir / "input.ndjson"
        path.write_text('{"type":"a","payload":1}\n{"type":\n')
        done = self.demo("--input", str(path))
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 2", done.stderr)

    def test_what_a_node_refuses_is_refused_before_and_nothing_else(self):
        # The node is the judge of each line; the check has to say the same.
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        path = self.dir / "input.ndjson"
        taken = 0
        for line in LINES_REFUSED + LINES_TAKEN:
            with self.subTest(line=line[:60]):
                status, answer, _ = node.request("POST", "/v1/events", line,
                                                 "application/x-ndjson")
                path.write_bytes(b'{"type":"a"}\n \n' + line + b"\n")
                done = self.demo("--check", "--input", str(path))
                if line in LINES_TAKEN:
                    self.assertEqual((status, done.returncode), (200, 0), (answer, done.stderr))
                    taken += 1
                    continue
                self.assertIn(status, (400, 413), answer)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, r"^error: line 3: .", answer)
                self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(node.digest()["events"], taken)

    def test_an_id_that_is_there_twice_is_refused_with_both_lines(self):
        name = "0f0e0d0c-0b0a-0908-0706-05040302010a"
        path = self.write([{"type": "t", "id": name}, {"type": "t"},
                           {"type": "t", "id": name.upper()}])
        done = self.demo("--check", "--input", str(path))
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: line 3: the id of line 1 again", done.stderr)

    def test_a_line_that_only_a_node_refuses_has_its_number_in_the_file(self):
        # The check cannot know how many topics a device has.
        events = [{"type": "t", "ts": 0, "device": f"d{number % 3}", "topic": f"t{number // 3}"}
                  for number in range(3 * 33)]
        done = self.demo("--input", str(self.write(events)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("too many topics: t32", done.stderr)
        # Each of the three nodes has one line of the last topic, which are the file's last three.
        told = re.search(r"line (\d+): too many topics", done.stderr)
        self.assertIsNotNone(told, done.stderr)
        self.assertIn(int(told.group(1)), (97, 98, 99), done.stderr)

    def test_what_is_held_when_the_time_is_over_is_told_and_the_time_grows_with_the_input(self):
        class Node:
            def __init__(self, name, held):
                self.name, self.held = name, held

            def status(self):
                self.held += 1
                return {"events": self.held}

        def words(timeout, events):
            run = demo.Demo.__new__(demo.Demo)
            run.nodes = [Node("a", 0), Node("b", 6)]
            run.options = argparse.Namespace(timeout=timeout)
            with self.assertRaises(ebb_node.EbbError) as caught:
                run.converge(events)
            return str(caught.exception)

        self.assertEqual(words(0, 9), "timed out after 0 s: not in sync with all 9 events; "
                                      "held: a 1, b 7")
        self.addCleanup(setattr, demo, "TIMEOUT_SECONDS", demo.TIMEOUT_SECONDS)
        demo.TIMEOUT_SECONDS = 0.001 - 1000000 / demo.EVENTS_A_SECOND
        self.assertIn("timed out after 0.001 s", words(None, 1000000))
