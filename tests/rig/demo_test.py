"""The demo as people run it, on the program under test."""

import json
import re
import subprocess
import sys

import rig

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

    def test_a_broken_line_ends_the_demo_with_its_number(self):
        path = self.dir / "input.ndjson"
        path.write_text('{"type":"a","payload":1}\n{"type":\n')
        done = self.demo("--input", str(path))
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 2", done.stderr)
