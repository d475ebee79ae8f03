"""What rig tests share: the program under test, a temporary directory, real nodes of one mesh."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools" / "lib"))

import ebb_node  # noqa: E402

PROGRAM = os.environ.get("EBB_PROGRAM", str(ROOT / "build" / "gcc" / "ebb"))
SHARED = pathlib.Path(os.environ.get("EBB_SHARED", ROOT.parent / "shared"))


def readelf(*flags):
    """What the program under test is made of, in readelf's words."""
    return subprocess.run(["readelf", "-W", *flags, PROGRAM], capture_output=True, text=True,
                          check=True, timeout=120).stdout


def is_sanitized():
    """Whether it is built with a sanitizer, whose memory is none that a user has."""
    symbols = readelf("--dyn-syms")
    return "__asan_init" in symbols or "__tsan_init" in symbols


class RigTest(unittest.TestCase):
    """A directory that goes with the test, and nodes that are ended with it."""

    def setUp(self):
        if not os.access(PROGRAM, os.X_OK):
            self.fail(f"{PROGRAM} is not there: build it, or set EBB_PROGRAM")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ebb-rig-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.started = []

    def node(self, name="a"):
        """A node with a mesh of its own, not started."""
        node = ebb_node.EbbNode(PROGRAM, self.dir / name, name)
        node.init()
        return self.watched(node)

    def watched(self, node):
        self.addCleanup(self.end, node)
        return node

    @staticmethod
    def end(node):
        if node.process is not None:
            node.process.kill()
            node.process.wait()

    def mesh(self, count):
        """`count` nodes of one mesh, started, each dialling those before it."""
        names = [f"n{number}" for number in range(count)]
        nodes = ebb_node.make_mesh(PROGRAM, self.dir, names)
        self.addresses = []
        for node in nodes:
            self.watched(node)
            node.start("--listen", "127.0.0.1:0", *self.peer_flags(nodes.index(node)))
            self.addresses.append(node.status()["listen"])
        return nodes

    def peer_flags(self, index):
        known = [a for number, a in enumerate(self.addresses) if number != index]
        return [flag for address in known for flag in ("--peer", address)]

    def restart(self, nodes, index):
        """Starts a node again on the address it had."""
        nodes[index].start("--listen", self.addresses[index], *self.peer_flags(index))

    def wait(self, condition, what, seconds=60):
        return ebb_node.wait_until(condition, seconds, what)

    def converged(self, nodes, events=None, seconds=60):
        self.wait(lambda: ebb_node.in_sync(nodes, events), "nodes in sync", seconds)

    def assert_exit(self, done, code, *words):
        """The exit code, and each of the words in what was said on stderr."""
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
