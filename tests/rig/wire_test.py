"""What can be read on the wire, by tshark on loopback, and what a scanner is answered."""

import base64
import pathlib
import shutil
import socket
import struct
import subprocess

import apart
import rig
from rig import ebb_node

# Words that stand in what devices say to each other, and in nothing else.
NAMES = ("quokkatill", "numbatkiosk")
TYPE = "wombatsale"
TOPIC = "pademelonshop"
PAYLOAD = "bandicootcustomer"
CONTROL = b"here is something that anybody can read"


class Capture:
    """tshark on loopback, for some ports, into a file."""

    def __init__(self, path, ports):
        self.path = pathlib.Path(path)
        wanted = " or ".join(f"port {port}" for port in ports)
        # -l and -P: a line for each packet, so that it can be waited for.
        self.process = subprocess.Popen(
            ["tshark", "-i", "lo", "-f", wanted, "-w", str(self.path), "-l", "-P"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.wait_for("Capture started")

    def wait_for(self, text):
        for line in self.process.stdout:
            if text in line:
                return
        raise ebb_node.EbbError(f"tshark ended before it said: {text}")

    def end(self):
        self.process.terminate()
        self.process.communicate(timeout=60)

    def decoded(self):
        """All that tshark makes of it, in words."""
        return subprocess.run(["tshark", "-r", str(self.path), "-V", "-x"], capture_output=True,
                              text=True, check=True, timeout=300).stdout

    def payloads(self, display_filter):
        """The bytes in the packets that a filter names, one after the other."""
        fields = ["-T", "fields", "-e", "tcp.payload", "-e", "udp.payload"]
        lines = subprocess.run(["tshark", "-r", str(self.path), "-Y", display_filter, *fields],
                               capture_output=True, text=True, check=True, timeout=300).stdout
        return [bytes.fromhex(word.replace(":", ""))
                for line in lines.splitlines() for word in line.split()]


def free_port():
    """A UDP port at which nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class WireTest(rig.RigTest):
    def setUp(self):
        super().setUp()
        if shutil.which("tshark") is None:
            self.fail("tshark is not installed (Debian: tshark)")

    def capture(self, ports):
        capture = Capture(self.dir / "wire.pcapng", ports)
        self.addCleanup(capture.process.kill)
        return capture

    @staticmethod
    def port_of(node):
        return int(node.status()["listen"].rsplit(":", 1)[1])

    def say_control(self, capture, port):
        """A datagram that must be in the capture, or the capture proves nothing."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(CONTROL, ("127.0.0.1", port))
        capture.wait_for(f"{port} Len={len(CONTROL)}")

    def test_tshark_reads_no_name_topic_type_or_payload(self):
        nodes = ebb_node.make_mesh(rig.PROGRAM, self.dir, NAMES)
        first, second = (self.watched(node) for node in nodes)
        control = free_port()
        first.start("--listen", "127.0.0.1:0")
        capture = self.capture([self.port_of(first), control])
        second.start("--listen", "127.0.0.1:0", "--peer", first.status()["listen"])
        for node in nodes:
            for number in range(20):
                node.run("append", TYPE, f"who={PAYLOAD}{number}", "--topic", TOPIC)
        self.converged(nodes, 40)
        self.say_control(capture, control)
        capture.end()
        spoken = capture.payloads("tcp")
        self.assertGreater(sum(map(len, spoken)), 5000)
        self.assert_nothing_readable(capture, nodes, spoken)

    def test_tshark_reads_none_of_it_where_datagrams_alone_pass(self):
        if rig.is_sanitized():
            self.skipTest("a sanitizer opens pipes to look at objects, and the node may open none")
        nodes = ebb_node.make_mesh(rig.PROGRAM, self.dir, NAMES)
        first, second = (self.watched(node) for node in nodes)
        between = apart.link(first, second)
        self.addCleanup(between.cut)
        self.converged(nodes)
        self.wait(lambda: all(node.metric("ebb_datagram_sessions") == 1 for node in nodes),
                  "keys of datagrams")
        control = free_port()
        ports = [self.port_of(node) for node in nodes]
        capture = self.capture([*ports, control])
        apis = [apart.HeldApi(node) for node in nodes]
        for api in apis:
            self.addCleanup(api.close)
        with apart.without_streams(between, *nodes):
            self.wait(lambda: all([api.get("/v1/status")["links"] == 0 for api in apis]), "no link")
            for api in apis:
                api.ask("POST", "/v1/events", [{"type": TYPE, "topic": TOPIC, "payload": PAYLOAD}
                                               for _ in range(3)])
            # Both are asked each time, as a connection that is idle is closed.
            self.wait(lambda: all([api.get("/v1/status")["events"] == 6 for api in apis]),
                      "events by datagram", 120)
            self.assertEqual([api.get("/v1/status")["links"] for api in apis], [0, 0])
        self.say_control(capture, control)
        capture.end()
        for here, there in (ports, ports[::-1]):
            way = capture.payloads(f"udp.srcport == {here} and udp.dstport == {there}")
            # More than three payloads: the events are among it.
            self.assertGreater(sum(map(len, way)), 400)
            self.assert_nothing_readable(capture, nodes, way)

    def assert_nothing_readable(self, capture, nodes, spoken):
        """No word that only devices say, in the packets, in what they carry, or in what tshark
        makes of it; `spoken`: what they have said to each other."""
        raw, decoded = capture.path.read_bytes(), capture.decoded()
        self.assertTrue(CONTROL in raw, "the capture sees what anybody can read")
        self.assertIn(CONTROL.hex(), "".join(part.hex() for part in capture.payloads("udp")))
        places = [raw, b"".join(spoken)]
        words = (*NAMES, TYPE, TOPIC, PAYLOAD)
        secrets = [word.encode() for word in (*words, "_ebb")]
        secrets += [self.device_key(node) for node in nodes]
        seen = [secret for secret in secrets if any(secret in place for place in places)]
        seen += [word for word in words if word in decoded]
        self.assertEqual(seen, [])

    @staticmethod
    def device_key(node):
        """The 32 bytes behind the text of a device."""
        text = node.status()["device"].replace("-", "").upper()
        return base64.b32decode(text + "=" * (-len(text) % 8))

    def test_a_scanner_gets_no_byte(self):
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        port = self.port_of(node)
        control = free_port()
        capture = self.capture([port, control])
        before = node.metric("ebb_peer_faults_total")
        streams = self.streams()
        for said in streams:
            self.scan_stream(port, said)
        self.wait(lambda: node.metric("ebb_peer_faults_total") >= before + len(streams) - 1,
                  "strangers counted")
        dropped = node.metric("ebb_datagrams_dropped_total")
        for said in self.datagrams():
            self.scan_datagram(port, said)
        self.wait(lambda: node.metric("ebb_datagrams_dropped_total")
                  >= dropped + len(self.datagrams()) - 1, "datagrams counted")
        self.say_control(capture, control)
        capture.end()
        to_node = f"tcp.dstport == {port} or udp.dstport == {port}"
        self.assertGreater(len(capture.payloads(to_node)), 10)
        self.assertEqual(capture.payloads(f"tcp.srcport == {port} or udp.srcport == {port}"), [])

    @staticmethod
    def streams():
        """What may come first on a connection: other protocols, lengths of a message 1 without its
        mac, nothing at all and its end."""
        tls = bytes.fromhex("1603010200010001fc0303") + bytes(508)
        return [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", tls,
                struct.pack(">H", 48) + bytes(48), struct.pack(">H", 64) + b"\xff" * 64,
                struct.pack(">H", 0), b"\xff" * 70000]

    @staticmethod
    def datagrams():
        """Each type of datagram, sealed by nobody; other protocols; each size there may be."""
        header = [struct.pack(">BBHIQ", kind, 1, 0, index, counter)
                  for kind in range(8) for index in (0, 1) for counter in (0, 1)]
        shapes = [one + bytes(size) for one in header for size in (0, 16, 200)]
        return shapes + [b"x", b"\x00" * 48, b"M-SEARCH * HTTP/1.1\r\n\r\n", b"\xff" * 1200]

    def scan_stream(self, port, said):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as stranger:
            try:
                stranger.sendall(said)
                stranger.shutdown(socket.SHUT_WR)
                answer = stranger.recv(4096)
            except ConnectionError:  # closed before all was said
                answer = b""
        self.assertEqual(answer, b"", said[:20])

    @staticmethod
    def scan_datagram(port, said):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(said, ("127.0.0.1", port))
