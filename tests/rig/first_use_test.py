"""What somebody meets on the first day: mistakes that are told, and troubles that do not hide."""

import fcntl
import json
import os
import sqlite3
import subprocess

import rig


class FirstUseTest(rig.RigTest):
    def running(self, name="a", *flags):
        node = self.node(name)
        node.start("--listen", "127.0.0.1:0", *flags)
        return node

    def damage(self, node):
        """Random bytes over the page that the table of segments begins with."""
        path = node.dir / "store" / "ebb.db"
        database = sqlite3.connect(path)
        database.execute("pragma wal_checkpoint(truncate)")
        (page,) = database.execute("select rootpage from sqlite_master where name = 'segments'"
                                   ).fetchone()
        (size,) = database.execute("pragma page_size").fetchone()
        database.close()
        with open(path, "r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(range(1, 255)) * 4)

    def test_a_damaged_store_is_bad_from_the_first_read_that_meets_it(self):
        node = self.running()
        lines = "".join(json.dumps({"type": "t", "payload": n}) + "\n" for n in range(3000))
        node.run("append", "--ndjson", "-", stdin=lines)
        node.stop()
        self.damage(node)
        node.start("--listen", "127.0.0.1:0")
        self.assertNotEqual(node.run("tail", check=False).returncode, 0)
        done = node.run("status", check=False)
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertTrue(done.stdout.startswith(
            f"bad  the store is damaged: run `ebb verify --dir {node.dir}`"), done.stdout)
        self.assertNotEqual(node.run("verify", check=False).returncode, 0)

    def test_a_log_that_ends_early_by_damage_leaves_no_digest_to_compare(self):
        node = self.running()
        for number in range(2):
            node.run("append", "t", f"n={number}")
        node.stop()
        database = sqlite3.connect(node.dir / "store" / "ebb.db")
        # All is folded anew, and the second event cannot be read.
        database.execute("update meta set value = 0 where key = 'fold_version'")
        segment, body = database.execute("select id, body from segments where id >> 40 = "
                                         "(select max(id) >> 40 from segments) "
                                         "order by id desc").fetchone()
        database.execute("update segments set body = ? where id = ?",
                         (bytes([body[0] ^ 1]) + body[1:], segment))
        database.commit()
        database.close()
        node.start("--listen", "127.0.0.1:0")
        done = node.run("digest", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("damage", done.stderr)
        done = node.run("status", "--json", check=False)
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIsNone(json.loads(done.stdout)["digest"])

    def follow(self, node):
        """`tail -f` that has shown an event already."""
        process = subprocess.Popen(node.command("tail", "-f"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=node.environment())
        self.addCleanup(process.kill)
        self.wait(lambda: node.metric("ebb_followers") == 1, "a follower")
        node.run("append", "t")
        self.assertIn('"type":"t"', process.stdout.readline())
        return process

    def test_following_ends_with_the_node_and_says_so(self):
        for end in ("down", "kill"):
            with self.subTest(end=end):
                node = self.running(end)
                process = self.follow(node)
                if end == "down":
                    node.run("down")
                    node.process.wait()
                else:
                    node.kill()
                _, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 3, err)
                self.assertIn(f"the node of {node.dir} has stopped", err)
                self.assertNotIn("partial", err)

    def test_a_peer_of_another_mesh_is_told(self):
        first = self.running("a")
        address = first.status()["listen"]
        second = self.running("b", "--peer", address)
        self.wait(lambda: second.status()["verdict"]["level"] == "warn", "a verdict")
        done = second.run("status")
        self.assertIn(f"warn  {address} refuses: no answer: another mesh", done.stdout)
        self.assertIn("refused: no answer: another mesh", second.run("peers").stdout)

    def test_an_empty_peer_is_refused_by_up_itself(self):
        node = self.node()
        self.assert_exit(node.run("up", "--peer", "", check=False), 2, "--peer needs host:port")
        self.assert_exit(node.run("up", "--listen=", check=False), 2, "--listen needs host:port")
        self.assertFalse((node.dir / "ebb.log").exists())

    def test_an_empty_mesh_makes_no_mesh(self):
        node = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "new")
        self.assert_exit(node.run("init", "--mesh", "", check=False), 2, "--mesh has no value")
        self.assertFalse(node.dir.exists())

    def test_a_file_that_is_no_mesh_file_is_not_taken_for_a_directory_without_rights(self):
        node = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "new")
        done = node.run("init", "--mesh", "/dev/null", check=False)
        self.assert_exit(done, 1, "not ebb-mesh-2", "next: name the file that `ebb mesh export`")
        self.assertNotIn("you may write", done.stderr)

    def test_verify_without_a_device_says_so(self):
        nowhere = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "nothing")
        self.assert_exit(nowhere.run("verify", check=False), 1, f"no device in {nowhere.dir}",
                         f"`ebb init --dir {nowhere.dir}`")
        node = self.running()
        node.stop()
        for name in ("keys/identity.key", "keys/mesh.secret"):
            (node.dir / name).unlink()
            self.assertIn("ok: ", node.run("verify").stdout)

    def test_a_store_of_another_device_says_what_belongs_together(self):
        node, other = self.running("a"), self.node("b")
        node.stop()
        for path in (other.dir / "store").iterdir():
            path.unlink()
        for path in (node.dir / "store").iterdir():
            path.rename(other.dir / "store" / path.name)
        done = other.run("up", "--listen", "127.0.0.1:0", check=False)
        self.assert_exit(done, 1, "store belongs to another", "put back what belongs together")

    def test_a_topic_too_many_names_the_limit(self):
        node = self.running()
        for number in range(32):
            node.run("append", "t", "--topic", f"t{number}")
        done = node.run("append", "t", "--topic", "t32", check=False)
        self.assert_exit(done, 1, "too many topics: t32", "a device may have 32 topics")

    def test_a_peer_whose_name_is_unknown_is_told_without_codes(self):
        node = self.running("a", "--peer", "nohost.invalid:7401")
        self.wait(lambda: node.get("/v1/peers")["peers"][0]["trouble"], "a failed dial")
        told = node.run("peers").stdout
        self.assertIn("never: cannot look up: nohost.invalid:7401: ", told)
        self.assertNotIn("invalid_argument", told)

    def test_up_takes_no_lock_of_its_caller_along(self):
        node = self.node()
        path = self.dir / "lock"
        held = os.open(path, os.O_RDWR | os.O_CREAT)
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run(node.command("up", "--listen", "127.0.0.1:0"), pass_fds=[held],
                       env=node.environment(), check=True, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=60)
        self.addCleanup(lambda: node.run("down", check=False))
        os.close(held)
        with open(path, "rb") as again:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_what_cannot_be_ends_with_2(self):
        node = self.running()
        for flag, words in (("--ts", ("append", "t", "--ts", "yesterday")),
                            ("--id", ("append", "t", "--id", "123")),
                            ("--from", ("query", "t", "--from", "yesterday")),
                            ("foo", ("peers", "add", "foo")),
                            ("--ttl", ("invite", "--ttl", "31d")),
                            ("--uses", ("invite", "--uses", "10001"))):
            with self.subTest(flag=flag):
                self.assert_exit(node.run(*words, check=False), 2, f"ebb: {flag}")

    def test_a_link_key_that_is_made_anew_is_told(self):
        node = self.node()
        (node.dir / "keys" / "link.key").unlink()
        done = node.run("up", "--listen", "127.0.0.1:0")
        self.addCleanup(lambda: node.run("down", check=False))
        self.assertIn("a new link key is made", done.stderr)
        self.assertIn("a new link key was made", (node.dir / "ebb.log").read_text())

    def test_up_with_flags_on_a_running_node_fails(self):
        node = self.running()
        done = node.run("up", "--peer", "127.0.0.1:1", check=False)
        self.assert_exit(done, 1, "its flags were not changed", "ebb peers add")
        self.assertEqual(node.get("/v1/peers")["peers"], [])
        self.assertEqual(node.run("up").returncode, 0)

    def test_config_check_refuses_what_up_refuses(self):
        node = self.node()
        config = node.dir / "ebb.toml"
        text = config.read_text()
        for line, rule in (('beacon = false', 'must be a text, "auto" or "no"'),
                           ('listen = "127.0.0.1:99999"', "the port is too large")):
            config.write_text(text.replace("[node]", f"[node]\n{line}"))
            self.assert_exit(node.run("config", "check", check=False), 1, rule)
        for line in ('listen = "nowhere"', 'peers = ["192.0.2.1"]'):
            config.write_text(text.replace("[node]", f"[node]\n{line}"))
            for command in (("config", "check"), ("up",)):
                self.assert_exit(node.run(*command, check=False), 1, "host:port")
        config.write_text('peers = ["127.0.0.1:7402"]\n' + text)
        self.assert_exit(node.run("config", "check", check=False), 1, "did you mean node.peers?")
        config.unlink()
        self.assertIn("no file", node.run("config", "check").stdout)
        nowhere = rig.ebb_node.EbbNode(rig.PROGRAM, self.dir / "nothing")
        self.assert_exit(nowhere.run("config", "check", check=False), 1, "no device in")

    def test_a_key_that_is_gone_is_not_a_device_that_was_never_made(self):
        for name in ("keys/identity.key", "keys/mesh.secret", "mesh.genesis"):
            with self.subTest(name=name):
                node = self.node(name.replace("/", "-"))
                (node.dir / name).unlink()
                (node.dir / "store" / "ebb.db").touch()
                for command in ("up", "status"):
                    done = node.run(command, check=False)
                    self.assertIn(f"{name} is missing", done.stderr)
                    self.assertNotIn("not_found", done.stderr)
                    self.assertNotIn("next: make", done.stderr)

    def test_a_store_budget_is_named_and_a_small_one_is_one(self):
        node = self.node()
        config = node.dir / "ebb.toml"
        text = config.read_text()
        config.write_text(text.replace("# disk_budget_bytes = 0", "disk_budget_bytes = 1"))
        self.assert_exit(node.run("run", check=False), 1, "store.disk_budget_bytes")
        config.write_text(text.replace("# disk_budget_bytes = 0", "disk_budget_bytes = 400000"))
        node.start("--listen", "127.0.0.1:0")
        noise = "".join(json.dumps({"type": "t", "payload": os.urandom(15000).hex()}) + "\n"
                        for _ in range(40))
        done = node.run("append", "--ndjson", "-", stdin=noise, check=False)
        self.assert_exit(done, 1, "store.disk_budget_bytes", str(config))
        self.assertNotIn("nothing of this was stored", done.stderr)

    def test_counts_of_events_agree(self):
        node = self.running()
        node.run("append", "t")
        node.run("append", "t", "--topic", "other")
        status = node.status()
        self.assertEqual((status["events"], status["records"]), (2, 1))
        told = "2 events in 3 logs (+1 record)"
        self.assertIn(told, node.run("status").stdout)
        self.assertIn(told, node.run("verify").stdout)
        answer = json.loads(node.run("sql", "--json", "select count(*) from events").stdout)
        self.assertEqual(answer["rows"], [[3]])
        self.assertEqual(answer["completeness"]["state"], "alone")
        own = "select count(*) from events where topic <> '_ebb'"
        self.assertEqual(node.run("sql", own).stdout, "2\n")

    def test_a_body_does_not_keep_a_node_from_stopping(self):
        node = self.running()
        status, answer = node.post("/v1/shutdown", {"any": "thing"})
        self.assertEqual((status, answer), (200, {"stopping": True}))
        self.assertEqual(node.process.wait(timeout=60), 0)
        node.process = None
