"""Passphrases: what is left of them at a terminal and in memory."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios

import rig

PASSPHRASE = "kettle-drummer-under-nine-bridges"


class Terminal:
    """A terminal of its own for one process, and what that wrote to it."""

    def __init__(self, command, env):
        self.ours, theirs = os.openpty()
        self.theirs = theirs
        self.text = b""

        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs,
                                        stderr=theirs, preexec_fn=take_terminal)

    def wait_text(self, word, seconds=60):
        while word not in self.text:
            ready, _, _ = select.select([self.ours], [], [], seconds)
            if not ready:
                raise AssertionError(f"no {word!r} in {self.text!r}")
            self.text += os.read(self.ours, 4096)

    def type(self, text):
        os.write(self.ours, text)

    def shows_typing(self):
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


class PassphraseTest(rig.RigTest):
    def asked(self, node, *command):
        terminal = Terminal(node.command(*command), node.environment())
        self.addCleanup(terminal.close)
        return terminal

    def newcomer(self):
        return self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "a", "a"))

    def sealed(self):
        """A node whose keys that sign are under the passphrase, and the file that has that."""
        node, secret = self.newcomer(), self.dir / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text(PASSPHRASE + "\n")
        env = {**node.environment(), "EBB_PASSPHRASE_FILE": str(secret)}
        subprocess.run(node.command("init", "--passphrase"), env=env, check=True, timeout=60,
                       capture_output=True, stdin=subprocess.DEVNULL)
        return node, env

    def test_a_signal_at_the_prompt_leaves_the_terminal_as_it_was(self):
        for number, send in ((signal.SIGINT, lambda t: t.type(b"half\x03")),
                             (signal.SIGTERM, lambda t: t.process.terminate())):
            terminal = self.asked(self.newcomer(), "init", "--passphrase")
            terminal.wait_text(b"new passphrase: ")
            self.assertFalse(terminal.shows_typing())
            send(terminal)
            self.assertEqual(terminal.process.wait(timeout=60), -number)
            self.assertTrue(terminal.shows_typing())
            self.assertFalse((self.dir / "a" / "keys").exists())

    def test_who_stops_it_at_the_prompt_and_goes_on_is_asked_again(self):
        terminal = self.asked(self.newcomer(), "init", "--passphrase")
        terminal.wait_text(b"new passphrase: ")
        terminal.text = b""
        # Ctrl-Z would not stop it: nobody stands above a group that is alone in its session.
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.wait_text(b"new passphrase: ")
        terminal.type(PASSPHRASE.encode() + b"\n")
        terminal.wait_text(b"the same again: ")
        terminal.type(PASSPHRASE.encode() + b"\n")
        self.assertEqual(terminal.process.wait(timeout=60), 0)
        self.assertTrue(terminal.shows_typing())
        self.assertNotIn(PASSPHRASE.encode(), terminal.text)

    def test_no_memory_of_a_running_node_has_the_passphrase(self):
        self.needs_own_memory()
        node, env = self.sealed()
        log = open(node.dir / "rig.log", "ab")
        node.process = subprocess.Popen(node.command("run", "--listen", "127.0.0.1:0"), env=env,
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.wait(node.ready, "the node")
        self.assertTrue(node.status()["issuer"])
        self.assertTrue(self.in_memory(node.process.pid, str(node.dir).encode()))
        self.assertFalse(self.in_memory(node.process.pid, PASSPHRASE[4:].encode()))

    def test_no_memory_of_a_running_node_has_the_answer_with_an_invite(self):
        self.needs_own_memory()
        node = self.node()
        node.start("--listen", "127.0.0.1:0")
        line = node.run("-q", "invite").stdout.strip()
        answer = line[-40:] + '","id":"'
        self.assertFalse(self.in_memory(node.process.pid, answer.encode()))

    def needs_own_memory(self):
        if rig.is_sanitized():
            self.skipTest("a sanitizer maps terabytes, and keeps what was given back")

    @staticmethod
    def in_memory(pid, what):
        """Whether any page that the process may write has the bytes."""
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, modes = line.split()[:2]
                if not modes.startswith("rw"):
                    continue
                begin, end = (int(text, 16) for text in span.split("-"))
                with contextlib.suppress(OSError):  # pages that the kernel keeps to itself
                    memory.seek(begin)
                    if what in memory.read(end - begin):
                        return True
        return False

    def test_a_root_under_a_passphrase_leaves_under_another(self):
        node, env = self.sealed()
        new, file = self.dir / "new", self.dir / "root.key"
        new.touch(mode=0o600)
        new.write_text("another\n")
        key = node.dir / "keys" / "root.key"
        before = key.read_text()

        def move(**more):
            return subprocess.run(node.command("mesh", "export-root", file, "--passphrase"),
                                  env={**env, **more}, capture_output=True, text=True, timeout=60,
                                  stdin=subprocess.DEVNULL, check=False, start_new_session=True)
        self.assert_exit(move(), 1, "EBB_NEW_PASSPHRASE_FILE")
        self.assertEqual(key.read_text(), before)
        self.assert_exit(move(EBB_NEW_PASSPHRASE_FILE=str(new)), 0, "the root's key is in")
        self.assertFalse(key.exists())
        self.assertNotEqual(file.read_text(), before)
        self.assertTrue(file.read_text().startswith("ebb-sealed-key"), file.read_text()[:20])
