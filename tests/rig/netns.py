"""Hosts with networks of their own behind the router of tests/rig/router: real processes on poor
links, in namespaces that end with the router."""

import json
import os
import pathlib
import re
import subprocess
import sys

import rig

ESTABLISHED = "01"  # of /proc/net/tcp
_SOCKET = re.compile(r"socket:\[(\d+)\]")


class Unavailable(Exception):
    """This machine gives no namespaces or TUN devices; the text says what is missing."""


class Network:
    """A router and its hosts: numbers from 0, host n at 10.77.0.(n + 1)."""

    def __init__(self, program, hosts, seed):
        self.hosts = hosts
        self.process = subprocess.Popen([program, str(hosts), str(seed)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        words = self.process.stdout.readline().split()
        if not words:
            code, said = self.process.wait(), self.process.stderr.read().strip()
            self.close()
            kind = Unavailable if code == 3 else rig.ebb_node.EbbError
            raise kind(f"router: exit {code}: {said}")
        self.pid, self.handles = words[1], words[2:]

    def close(self):
        """Ends the router, and with it what no process uses any more: all of it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def tell(self, *words):
        """One command; its answer."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise rig.ebb_node.EbbError(f"router: {words}: {answer or 'it has ended'}")
        return answer

    def path(self, here, there, latency_ms=0, jitter_ms=0, rate=0, loss_permille=0, queue=0):
        """Both directions; `rate` in bytes a second, `queue` in bytes, 0 for no limit."""
        for pair in ((here, there), (there, here)):
            self.tell("path", *pair, latency_ms * 1000, jitter_ms * 1000, rate, loss_permille,
                      queue)

    def cut(self, here, there):
        """Both directions become black holes."""
        self.tell("block", here, there)
        self.tell("block", there, here)

    def heal(self):
        self.tell("open", "*", "*")

    def counts(self):
        return json.loads(self.tell("counts"))

    def launcher(self, host):
        """What runs a command on that host, and kills it when this process ends."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter",
                f"--net=/proc/{self.pid}/fd/{self.handles[host]}"]

    @staticmethod
    def address(host):
        return f"10.77.0.{host + 1}"


def sockets_held(node):
    """Socket numbers that the process of a node has open."""
    held = set()
    for entry in os.scandir(f"/proc/{node.process.pid}/fd"):
        try:
            match = _SOCKET.fullmatch(os.readlink(entry.path))
        except FileNotFoundError:
            continue  # closed since it was listed
        if match:
            held.add(match.group(1))
    return held


def established(node):
    """Socket number -> address of the other side, of the TCP connections that a node holds."""
    held, found = sockets_held(node), {}
    table = pathlib.Path(f"/proc/{node.process.pid}/net/tcp").read_text()
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == ESTABLISHED and fields[9] in held:
            found[fields[9]] = address_of(fields[2])
    return found


def address_of(field):
    """The address of a field of /proc/net/tcp, which prints it as a number of this machine."""
    number = int(field.split(":")[0], 16)
    return ".".join(map(str, number.to_bytes(4, sys.byteorder)))
