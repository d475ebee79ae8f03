"""A TCP relay in front of one node that breaks its first connection in the middle."""

import contextlib
import socket
import struct
import threading


class CutProxy:
    """Passes the streams on to `target` ("host:port"). The first is reset, both ways and without
    a goodbye, once `cut_after` bytes have come from the target; what comes after it is whole."""

    def __init__(self, target, cut_after):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.cut_after = cut_after
        self.cuts = 0
        self.sockets = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
                far = socket.create_connection(self.target, timeout=10)
            except OSError:
                return
            far.settimeout(None)
            limit = self.cut_after if not self.sockets else None
            self.sockets += [near, far]
            threading.Thread(target=self.pump, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, limit), daemon=True).start()

    def pump(self, source, sink, limit):
        passed = 0
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536 if limit is None else min(65536, limit - passed))
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
                passed += len(data)
                if passed == limit:
                    self.reset(source, sink)
                    self.cuts += 1
                    return

    @staticmethod
    def reset(*sockets):
        for end in sockets:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.shutdown(socket.SHUT_RD)  # wakes the pump that reads from it
            end.close()

    def close(self):
        for end in [self.server, *self.sockets]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
