"""Real `ebb` nodes for the demo and the rig tests: a data directory, a process, its local API."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time


class EbbError(Exception):
    """A command or request failed; the text is for people."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the Unix socket of a node."""

    def __init__(self, path, timeout):
        super().__init__("ebb", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def wait_until(condition, seconds, what, longest=0.1):
    """Polls until `condition()` is true; returns its value. A bounded wait for a condition.

    `what` is a text, or a function that makes one at the end of the time; `longest` the seconds
    from one poll to the next at most.
    """
    deadline = time.monotonic() + seconds
    pause = 0.005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            raise EbbError(f"timed out after {seconds:g} s: {text}")
        time.sleep(pause)  # a step of a bounded wait
        pause = min(pause * 1.5, longest)


class EbbNode:
    """One device: its directory and, while it runs, its process."""

    def __init__(self, program, directory, name=""):
        self.program = str(program)
        self.dir = pathlib.Path(directory)
        self.name = name or self.dir.name
        self.process = None
        self.launcher = []  # what the daemon is started by: words before its command

    # ---- commands

    def command(self, *arguments):
        return [self.program, "--dir", str(self.dir), *map(str, arguments)]

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("EBB_")}
        return {**kept, "NO_COLOR": "1"}

    def run(self, *arguments, stdin=None, check=True, timeout=120):
        """Runs one command to its end; returns the finished process with text output."""
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True,
                              text=True, timeout=timeout, env=self.environment(),
                              stdin=subprocess.DEVNULL if stdin is None else None)
        if check and done.returncode != 0:
            line = " ".join(map(str, arguments))
            raise EbbError(f"`ebb {line}` on {self.name}: exit {done.returncode}\n{done.stderr}")
        return done

    def init(self, *arguments):
        self.run("init", "--name", self.name, *arguments)

    # ---- process

    def start(self, *arguments):
        """Starts `ebb run` as a child and waits until its API answers."""
        log = open(self.dir / "rig.log", "ab")
        command = [*self.launcher, *self.command("run", *arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env=self.environment())
        log.close()
        wait_until(self.ready, 60, f"{self.name} does not answer:\n{self.log_tail()}")

    def ready(self):
        if self.process.poll() is not None:
            raise EbbError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.request("GET", "/livez")[0] == 200
        return False

    def log_tail(self, lines=12):
        with contextlib.suppress(OSError):
            text = (self.dir / "rig.log").read_text(errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def log_text(self, word):
        """Those lines of the log that hold the word."""
        lines = (self.dir / "rig.log").read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if word in line)

    def kill(self):
        """SIGKILL: no goodbye, no flush."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """SIGTERM and a clean end; the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise EbbError(f"{self.name} did not end within 60 s of SIGTERM") from None
        self.process = None
        return code

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    # ---- API

    def connect(self, timeout=60):
        return UnixConnection(self.dir / "ebb.sock", timeout)

    def request(self, method, path, body=None, content_type="application/json", timeout=60):
        """(status, body bytes, headers)."""
        connection = self.connect(timeout)
        try:
            headers = {"Content-Type": content_type} if body is not None else {}
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def get(self, path, timeout=60):
        status, body, _ = self.request("GET", path, timeout=timeout)
        if status != 200:
            raise EbbError(f"GET {path} on {self.name}: {status} {body[:300]!r}")
        return json.loads(body)

    def post(self, path, value, timeout=60):
        """(status, decoded answer)."""
        status, body, _ = self.request("POST", path, json.dumps(value).encode(), timeout=timeout)
        return status, json.loads(body)

    def status(self):
        return self.get("/v1/status")

    def digest(self):
        return self.get("/v1/digest")

    def event_lines(self, page=10000):
        """Every event as the API's own line, log by log in order of seq."""
        cursor = ""
        while True:
            query = f"/v1/events?limit={page}" + (f"&after={cursor}" if cursor else "")
            status, body, headers = self.request("GET", query)
            if status != 200:
                raise EbbError(f"GET /v1/events on {self.name}: {status} {body[:300]!r}")
            yield from body.splitlines()
            cursor = headers.get("Ebb-Cursor", "")
            if not cursor or not body:
                return

    def metric(self, name):
        """Sum over the labels of one metric."""
        _, body, _ = self.request("GET", "/metrics")
        total = 0.0
        for line in body.decode().splitlines():
            if line.startswith((name + " ", name + "{")):
                total += float(line.rsplit(" ", 1)[1])
        return total


def make_mesh(program, directory, names):
    """Directories of one mesh whose file lets in, by `mesh export` and `init --mesh`; nothing runs
    yet. The first one is the issuer: the others are certified when they meet it."""
    directory = pathlib.Path(directory)
    nodes = [EbbNode(program, directory / name, name) for name in names]
    nodes[0].init("--admit", "secret")
    mesh_file = directory / "fleet.mesh"
    nodes[0].run("mesh", "export", mesh_file)
    for node in nodes[1:]:
        node.init("--mesh", mesh_file)
    return nodes


def in_sync(nodes, events=None):
    """True when every node says in sync and all digests are equal (over `events` when given)."""
    answers = [node.digest() for node in nodes]
    if len({answer["digest"] for answer in answers}) != 1:
        return False
    if events is not None and any(answer["events"] != events for answer in answers):
        return False
    return all(node.status()["completeness"]["state"] == "in_sync" for node in nodes)
