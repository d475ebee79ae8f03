"""How a device becomes one of a mesh: by invite, by the mesh's file, by a file of its own."""

import pathlib
import re
import stat
import subprocess
import sys
import time

import rig

LIMIT_S = 10


class JoiningTest(rig.RigTest):
    def mesh_of_one(self, *init, listen="127.0.0.1:0"):
        node = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "a", "a")
        node.init(*init)
        self.watched(node).start("--listen", listen)
        return node

    def newcomer(self, name="b"):
        return self.watched(rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / name, name))

    @staticmethod
    def invite(node, *flags):
        return node.run("-q", "invite", *flags).stdout.strip()

    @staticmethod
    def join(node, line, check=True):
        return node.run("join", line, "--name", node.name, check=check)

    def assert_no_device(self, node):
        self.assertFalse((node.dir / "keys" / "identity.key").exists())
        self.assertFalse(node.dir.exists(), list(node.dir.glob("**/*")))

    def in_sync(self, nodes, events, seconds=60):
        self.converged(nodes, events, seconds)

    def test_two_directories_that_know_nothing_are_in_sync_by_invite(self):
        begun = time.monotonic()
        first, second = self.mesh_of_one(), self.newcomer()
        done = self.join(second, self.invite(first))
        self.assertIn("trusted; start this node with", done.stderr)
        address = first.status()["listen"]
        second.start("--listen", "127.0.0.1:0")
        first.run("append", "visit", "page=home")
        self.in_sync([first, second], 1)
        took = time.monotonic() - begun
        self.assertEqual(second.run("query", "visit").stdout.split()[0], "1")
        second.run("append", "visit", "page=back")
        self.in_sync([first, second], 2)
        print(f"tour by invite: in sync after {took:.2f} s", file=sys.stderr)
        self.assertLess(took, LIMIT_S)
        (told,) = first.get("/v1/invites")["invites"]
        self.assertEqual((told["state"], told["devices"]), ("used", [second.status()["device"]]))
        # Both remember it.
        for node in (first, second):
            node.stop()
        first.start("--listen", address)
        second.start("--listen", "127.0.0.1:0")
        first.run("append", "visit", "page=again")
        self.in_sync([first, second], 3)

    def test_a_fleet_joins_by_its_file_and_peers_where_the_policy_says_so(self):
        begun = time.monotonic()
        first = self.mesh_of_one("--admit", "secret")
        file = self.dir / "fleet.mesh"
        first.run("mesh", "export", file)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        others = [self.newcomer(name) for name in ("b", "c")]
        for node in others:
            node.init("--mesh", file)
            node.start("--listen", "127.0.0.1:0", "--peer", first.status()["listen"])
        first.run("append", "visit")
        self.in_sync([first, *others], 1)
        took = time.monotonic() - begun
        print(f"tour by peer list: in sync after {took:.2f} s", file=sys.stderr)
        self.assertLess(took, LIMIT_S)

    def test_the_file_alone_lets_nobody_in_until_the_policy_says_so(self):
        first, second = self.mesh_of_one(), self.newcomer()
        file = self.dir / "fleet.mesh"
        first.run("mesh", "export", file)
        second.init("--mesh", file)
        address = first.status()["listen"]
        second.start("--listen", "127.0.0.1:0", "--peer", address)
        first.run("append", "visit")

        def told():
            return [peer for peer in second.get("/v1/peers")["peers"] if peer["trouble"]]
        (peer,) = self.wait(told, "a word on why it was not let in")
        self.assertEqual(peer["address"], address)
        self.assertEqual(second.status()["events"], 0)
        self.wait(lambda: second.status()["membership"]["last_refusal"], "the peer's reason")
        self.assertIn("`ebb mesh admit secret` lets it in", second.run("status").stdout)
        first.run("mesh", "admit", "secret")
        second.stop()
        second.start("--listen", "127.0.0.1:0", "--peer", address)
        self.in_sync([first, second], 1)
        self.assertNotIn("refused ", second.run("status").stdout)

    def test_what_the_file_is_good_for_is_told_with_a_node_and_without(self):
        first, file = self.mesh_of_one(), self.dir / "fleet.mesh"

        def told():
            return first.run("mesh", "export", file, "--force").stderr
        self.assertIn("alone lets nobody in", told())
        first.run("mesh", "admit", "secret")
        self.assertIn("whoever has it is let in", told())
        first.stop()
        self.assertIn("whoever has it is let in", told())

    def test_who_dialled_is_away_after_its_end_also_when_this_node_was_restarted(self):
        first, second = self.mesh_of_one(), self.newcomer()
        self.join(second, self.invite(first))
        second.start("--listen", "127.0.0.1:0")
        self.in_sync([first, second], 0)
        device = second.status()["device"]

        def row():
            return next(p for p in first.get("/v1/peers")["peers"] if p["device"] == device)
        self.assertEqual(row()["state"], "linked")
        begun = time.monotonic()
        second.stop()
        self.wait(lambda: row()["state"] == "away", "the end of the link")
        self.assertLessEqual(row()["age_ms"], (time.monotonic() - begun) * 1000 + 1000)
        first.stop()
        first.start("--listen", "127.0.0.1:0")
        self.wait(lambda: row()["state"] == "away", "what the store knows")
        self.assertLessEqual(row()["age_ms"], (time.monotonic() - begun) * 1000 + 1000)

    def test_an_invite_that_is_over_says_so_and_leaves_nothing(self):
        first, second = self.mesh_of_one(), self.newcomer()
        line = self.invite(first, "--ttl", "1s")
        expires = first.get("/v1/invites")["invites"][0]["expires_ms"]
        self.wait(lambda: time.time() * 1000 > expires, "the end of the invite")
        done = self.join(second, line, check=False)
        self.assert_exit(done, 1, "the invite has expired", "ask for a new one")
        self.assert_no_device(second)
        # One that was ended there is over, too: only the inviter knows.
        line = self.invite(first)
        ident = first.get("/v1/invites")["invites"][0]["id"]
        first.run("invite", "rm", ident[:6])
        done = self.join(second, line, check=False)
        self.assert_exit(done, 1, "the invite was ended on the device that made it",
                         "ask for a new one")
        self.assertNotIn("clock", done.stderr)
        self.assert_no_device(second)

    def test_an_invite_that_was_used_says_so_and_leaves_nothing(self):
        first = self.mesh_of_one()
        line = self.invite(first)
        self.join(self.newcomer("b"), line)
        late = self.newcomer("c")
        done = self.join(late, line, check=False)
        self.assert_exit(done, 1, "the invite was used already", "ask for a new one")
        self.assertEqual(done.stderr.count("used already"), 1)
        self.assert_no_device(late)
        self.join(late, self.invite(first))

    def test_a_port_that_is_closed_says_so_and_a_repeat_works(self):
        first, second = self.mesh_of_one(), self.newcomer()
        address = first.status()["listen"]
        line = self.invite(first)
        first.stop()
        done = self.join(second, line, check=False)
        self.assert_exit(done, 1, f"{address}: refused: the port is closed", "ebb status")
        self.assert_no_device(second)
        first.start("--listen", address)
        self.join(second, line)
        self.assertTrue((second.dir / "keys" / "identity.key").exists())

    def test_who_answers_and_does_not_know_the_invite_is_told_from_a_closed_port(self):
        first, second, other = self.mesh_of_one(), self.newcomer(), self.node("other")
        address = first.status()["listen"]
        line = self.invite(first)
        first.stop()
        other.start("--listen", address)
        done = self.join(second, line, check=False)
        self.assert_exit(done, 1, "it does not know this invite, or has too much to do",
                         "asking again", "nobody has let this device in")
        self.assert_no_device(second)

    def test_a_wrong_clock_says_so_and_whose(self):
        if rig.is_sanitized():
            self.skipTest("a sanitizer must be loaded first, and so must libfaketime")
        fake = self.fake_clock(-86400 * 400)
        if fake is None:
            self.skipTest("no libfaketime here")
        first, second = self.mesh_of_one(), self.newcomer()
        line = self.invite(first)
        done = subprocess.run(second.command("join", line), capture_output=True, text=True,
                              env={**second.environment(), **fake}, timeout=60, check=False)
        self.assert_exit(done, 1, "a clock is wrong", "of this machine is wrong")
        self.assert_no_device(second)

    @staticmethod
    def fake_clock(seconds):
        for path in pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"):
            return {"LD_PRELOAD": str(path), "FAKETIME": f"{seconds:+d}"}
        return None

    def test_a_line_that_was_damaged_says_which_letter(self):
        first, second = self.mesh_of_one(), self.newcomer()
        line = self.invite(first)
        done = self.join(second, line[:40] + "1" + line[41:], check=False)
        self.assert_exit(done, 1, "the invite is damaged: letter 41 ('1') is in no invite")
        done = self.join(second, line[:-3], check=False)
        self.assert_exit(done, 1, "letters are missing or wrong", "copy the whole line again")
        self.assert_exit(self.join(second, "ebb2-" + line[5:], check=False), 1, "of version 2")
        self.assert_exit(self.join(second, "hello", check=False), 1, "this is no invite")
        self.assert_no_device(second)
        # Copied with a break in it, and read from standard input.
        second.run("join", "-", stdin=line[:70].upper() + "\r\n  " + line[70:] + "\n")
        self.assert_exit(self.join(second, line, check=False), 1, "has a device already")

    def test_of_two_at_once_one_gets_in(self):
        first = self.mesh_of_one()
        line = self.invite(first)
        nodes = [self.newcomer(name) for name in ("b", "c", "d")]
        joins = [subprocess.Popen(node.command("join", line), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, env=node.environment())
                 for node in nodes]
        said = [join.communicate(timeout=60)[1] for join in joins]
        self.assertEqual(sorted(join.returncode for join in joins), [0, 1, 1], said)
        for node, join, text in zip(nodes, joins, said):
            if join.returncode == 0:
                continue
            self.assertIn("the invite was used already", text)
            self.assert_no_device(node)
        self.assertEqual(len(first.get("/v1/invites")["invites"][0]["devices"]), 1)

    def test_as_many_join_as_the_invite_says(self):
        first = self.mesh_of_one()
        line = self.invite(first, "--uses", "2", "--ttl", "30m")
        for name in ("b", "c"):
            self.join(self.newcomer(name), line)
        self.assert_exit(self.join(self.newcomer("d"), line, check=False), 1, "used already")

    def test_a_node_killed_between_grant_and_answer_costs_nobody_the_invite(self):
        first, second = self.mesh_of_one(), self.newcomer()
        address = first.status()["listen"]
        line = self.invite(first)
        join = subprocess.Popen(second.command("join", line), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=second.environment())
        file = first.dir / "keys" / "invites"
        # The use is on the disk before the certificate; whatever came of that, it is killed now.
        while "\ndevice " not in file.read_text() and join.poll() is None:
            pass
        first.kill()
        join.communicate(timeout=60)
        first.start("--listen", address)
        if join.returncode != 0:
            self.assertFalse((second.dir / "keys" / "identity.key").exists())
            self.join(second, line)
        (told,) = first.get("/v1/invites")["invites"]
        self.assertEqual((told["state"], len(told["devices"])), ("used", 1))
        second.start("--listen", "127.0.0.1:0", "--peer", address)
        first.run("append", "visit")
        self.in_sync([first, second], 1)
        self.assert_exit(self.join(self.newcomer("c"), line, check=False), 1, "used already")

    def test_a_batch_of_files_makes_a_device_of_each(self):
        first = self.mesh_of_one()
        names, folder = self.dir / "names", self.dir / "cards"
        names.write_text("till-1\ntill-2\r\n\n")
        first.run("cert", "issue", names, folder)
        files = sorted(path.name for path in folder.iterdir())
        self.assertEqual(files, ["till-1.ebb", "till-2.ebb"])
        self.assertEqual(stat.S_IMODE((folder / "till-1.ebb").stat().st_mode), 0o600)
        before = (folder / "till-1.ebb").read_text()
        names.write_text("till-1\ntill-2\ntill-3\n")
        self.assertIn("1 file in", first.run("cert", "issue", names, folder).stderr)
        self.assertEqual((folder / "till-1.ebb").read_text(), before)
        address = first.status()["listen"]
        nodes = []
        for name in ("till-1", "till-3"):
            node = self.newcomer(name)
            node.run("init", "--mesh", folder / f"{name}.ebb")
            node.start("--listen", "127.0.0.1:0", "--peer", address)
            self.assertEqual(node.status()["name"], name)
            nodes.append(node)
        first.run("append", "visit")
        self.in_sync([first, *nodes], 1)
        names.write_text("../x\n")
        self.assert_exit(first.run("cert", "issue", names, folder, check=False), 2,
                         "cannot be a name")

    def test_a_device_writes_what_its_invite_said_and_no_more(self):
        first, second = self.mesh_of_one(), self.newcomer()
        address = first.status()["listen"]
        line = self.invite(first, "--roles", "reader,writer", "--prefix", "pump.", "--days", "30")
        # It is what the invite says after a restart of the inviter, too.
        first.stop()
        first.start("--listen", address)
        self.join(second, line)
        second.start("--listen", "127.0.0.1:0")
        second.run("append", "reading", "level=3", "--topic", "pump.1")
        self.assert_exit(second.run("append", "reading", "--topic", "door", check=False), 1,
                         "door begins with none of: pump.", "ebb cert change")
        first.run("append", "visit", "--topic", "door")
        # Of a link with one that is no relay no cursor moves; it is in sync all the same.
        self.wait(lambda: [node.status()["events"] for node in (first, second)] == [2, 2] and
                  first.digest()["digest"] == second.digest()["digest"], "the same on both")
        said = second.run("status").stdout
        self.assertRegex(said, r"\nmember +certified, until \S+ \(29 days\); as reader, writer; "
                               r"topics pump\.\n")
        self.assertRegex(first.run("status").stdout, r"\nissuers +1 \(if it is lost nobody")
        # Wider, by hand, and a role away.
        first.run("cert", "change", second.status()["device"][:12], "--roles", "writer",
                  "--prefix", "pump.", "--prefix", "door")
        self.wait(lambda: second.status()["membership"]["prefixes"] == ["door", "pump."], "news")
        self.assertEqual(second.status()["membership"]["roles"], ["writer"])
        second.run("append", "reading", "--topic", "door")
        self.wait(lambda: first.status()["events"] == 3, "the event of the door")

    def test_who_lacks_the_role_writer_is_told_so_at_append_and_what_to_run(self):
        first, second = self.mesh_of_one(), self.newcomer()
        self.join(second, self.invite(first, "--roles", "reader,relay"))
        second.start("--listen", "127.0.0.1:0")
        self.wait(lambda: second.status()["membership"]["roles"] == ["reader", "relay"], "roles")
        done = second.run("append", "visit", check=False)
        self.assert_exit(done, 1, "this device lacks the role writer")
        self.assertEqual(second.status()["events"], 0)
        hint = re.search(r"ebb (cert change \w+ --roles reader,writer,relay)$", done.stderr, re.M)
        first.run(*hint[1].split())
        self.wait(lambda: "writer" in second.status()["membership"]["roles"], "the role")
        second.run("append", "visit")
        self.in_sync([first, second], 1)

    def test_the_root_leaves_and_the_mesh_goes_on(self):
        first, file = self.mesh_of_one(), self.dir / "root.key"
        key = first.dir / "keys" / "root.key"
        before = key.read_text()
        first.run("mesh", "export-root", file)
        self.assertEqual(file.read_text(), before)
        self.assertFalse(key.exists())
        self.assert_exit(first.run("mesh", "export-root", self.dir / "again", check=False), 1,
                         "was moved away already")
        self.join(self.newcomer(), self.invite(first))

    def test_keys_under_a_passphrase_invite_only_when_it_is_said(self):
        node = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "a", "a")
        secret = self.dir / "passphrase"
        secret.touch(mode=0o600)
        secret.write_text("correct horse\n")
        env = {**node.environment(), "EBB_PASSPHRASE_FILE": str(secret)}
        subprocess.run(node.command("init", "--passphrase"), env=env, check=True,
                       capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        self.watched(node).start("--listen", "127.0.0.1:0")
        self.assert_exit(node.run("invite", check=False), 1, "without its issuer's key")
        self.assertFalse(node.status()["issuer"])
        self.assertTrue(node.log_text("no_issuer"))
        node.stop()
        done = subprocess.run(node.command("up", "--listen", "127.0.0.1:0"), env=env,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              check=True)
        self.addCleanup(lambda: node.run("down", check=False))
        self.assertIn("invite  `ebb invite", done.stdout)
        self.assertTrue(self.invite(node).startswith("ebb1-"))
        node.run("down")
        secret.write_text("wrong\n")
        done = subprocess.run(node.command("up", "--listen", "127.0.0.1:0"), env=env, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                              check=False)
        self.assert_exit(done, 1, "the passphrase is wrong")

    def test_a_node_that_does_not_listen_or_is_no_issuer_invites_nobody(self):
        first, second = self.mesh_of_one(), self.newcomer()
        self.join(second, self.invite(first))
        second.start("--listen", "127.0.0.1:0")
        self.assert_exit(second.run("invite", check=False), 1, "is no issuer")
        first.stop()
        first.start("--listen", "off")
        self.assert_exit(first.run("invite", check=False), 1, 'listen = "off"')

    def test_a_qr_code_is_drawn_when_it_is_asked_for(self):
        first = self.mesh_of_one()
        line, *drawn = first.run("-q", "invite", "--qr").stdout.splitlines()
        self.assertTrue(line.startswith("ebb1-"))
        width = len(drawn[0])
        self.assertEqual({len(row) for row in drawn}, {width})
        self.assertEqual(len(drawn), (width + 1) // 2)
        self.assertTrue(all(row[:4] == "████" == row[-4:] for row in drawn))
        self.assertEqual(drawn[0], "█" * width)
        self.assertEqual(len(first.run("-q", "invite").stdout.splitlines()), 1)
