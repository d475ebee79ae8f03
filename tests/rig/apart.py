"""Two nodes with keys of a handshake and no stream, and what one says to the other meanwhile."""

import contextlib
import json
import resource
import socket
import struct
import threading

ETH_P_IP = 0x0800
UDP_HEADER_BYTES = 8


def parts(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


class StreamPassage:
    """A TCP relay in front of `target` ("host:port"), until it is cut."""

    def __init__(self, target):
        self.target = parts(target)
        self.sockets = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                far = socket.create_connection(self.target)
                self.sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=ends, daemon=True).start()

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def cut(self):
        """Resets what there is; who dials again is refused."""
        for end in [self.server, *self.sockets]:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)  # wakes who reads from it
            end.close()


@contextlib.contextmanager
def no_new_files(*nodes):
    """Meanwhile their processes open nothing, no connection either, also at their API; what they
    have open stays as it is, their sockets of datagrams among it."""
    before = [resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE) for node in nodes]
    for node, (_, hard) in zip(nodes, before):
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        for node, limits in zip(nodes, before):
            resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, limits)


def link(first, second):
    """Starts both, the second with the first as its peer; the passage that their stream takes."""
    first.start("--listen", "127.0.0.1:0")
    between = StreamPassage(first.status()["listen"])
    second.start("--listen", "127.0.0.1:0", "--peer", between.address)
    return between


@contextlib.contextmanager
def without_streams(between, *nodes):
    """Meanwhile they have no stream, and begin none: what they say to each other are datagrams."""
    with no_new_files(*nodes):  # or they would dial each other again
        between.cut()
        yield


class HeldApi:
    """A connection to a node's API, which is answered also while the node opens none."""

    def __init__(self, node):
        self.connection = node.connect()
        self.ask("GET", "/livez")  # it is not accepted before

    def ask(self, method, path, value=None):
        body = None if value is None else json.dumps(value).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise OSError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text

    def get(self, path):
        return json.loads(self.ask("GET", path))

    def close(self):
        self.connection.close()


class Sniffer:
    """The datagrams on loopback from one address to another, copied as they go by."""

    def __init__(self, source, target):
        self.ends = (*parts(source), *parts(target))
        self.seen = []
        # May be read by who may capture packets, as tshark has to.
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.socket.bind(("lo", ETH_P_IP))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with contextlib.suppress(OSError):
            while True:
                packet, where = self.socket.recvfrom(65536)
                # Each packet of loopback is seen as it leaves, too.
                if where[2] != socket.PACKET_OUTGOING:
                    self.take(packet)

    def take(self, packet):
        size = 4 * (packet[0] & 15)
        if packet[9] != socket.IPPROTO_UDP:
            return
        source, target = (socket.inet_ntoa(packet[at:at + 4]) for at in (12, 16))
        ports = struct.unpack(">HH", packet[size:size + 4])
        if (source, ports[0], target, ports[1]) == self.ends:
            self.seen.append(packet[size + UDP_HEADER_BYTES:])

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RD)
        self.socket.close()
