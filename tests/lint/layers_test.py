"""Tests of tools/check_layers: which edge between folders is refused, and with which words."""

import unittest

from tree import TreeTest, load_check


def header(*includes):
    lines = [f"#include {i}" if i.startswith("<") else f'#include "{i}"' for i in includes]
    return "\n".join(["// A header.", "#pragma once", *lines, ""])


class Rooms(TreeTest):
    check = "check_layers"

    def run_check(self):
        return load_check(self.check).run(self.root, {})  # those of this tree do not count

    def test_lower_room_is_allowed(self):
        upper = header("core/result.h")
        self.expect_clean({"src/core/result.h": header("<string>"), "src/codec/event.h": upper})

    def test_upper_room_is_refused(self):
        tree = {"src/core/result.h": header("codec/event.h"), "src/codec/event.h": header()}
        self.expect(tree, "src/core/result.h:3", "core may not include codec")

    def test_mesh_does_not_know_store(self):
        tree = {"src/mesh/engine.cc": header("store/store.h"), "src/store/store.h": header()}
        self.expect(tree, "mesh may not include store")

    def test_channel_knows_bytes_and_keys_alone(self):
        tree = {"src/channel/a.cc": header("codec/frame.h"), "src/codec/frame.h": header()}
        self.expect(tree, "channel may not include codec")

    def test_http_does_not_know_trust(self):
        tree = {"src/http/api.cc": header("trust/keys.h"), "src/trust/keys.h": header()}
        self.expect(tree, "http may not include trust")

    def test_node_includes_everything_below_and_the_contract(self):
        rooms = ("core", "codec", "trust", "channel", "state", "store", "mesh")
        below = [f"{room}/a.h" for room in rooms]
        tree = {f"src/{path}": header() for path in below}
        tree |= {"include/ebb/node.h": header(), "src/node/a.cc": header("ebb/node.h", *below)}
        self.expect_clean(tree)

    def test_entry_in_src_wires_the_rooms(self):
        tree = {"src/main.cc": header("http/a.h", "cli/a.h", "node/a.h")}
        tree |= {f"src/{room}/a.h": header() for room in ("http", "cli", "node")}
        self.expect_clean(tree)

    def test_source_never_includes_tests_or_sim(self):
        tree = {"src/node/a.cc": header("tests/temp_dir.h"), "tests/temp_dir.h": header()}
        self.expect(tree, "src/ may never include tests/")

    def test_contract_never_includes_sim(self):
        tree = {"include/ebb/a.h": header("sim/net.h"), "sim/net.h": header()}
        self.expect(tree, "include/ may never include sim/")

    def test_sim_does_not_know_node(self):
        tree = {"sim/world.cc": header("node/loop.h"), "src/node/loop.h": header()}
        self.expect(tree, "sim may not include node")

    def test_tests_include_anything(self):
        test = header("node/loop.h", "<doctest/doctest.h>", "<sys/stat.h>")
        self.expect_clean({"tests/node/a_test.cc": test, "src/node/loop.h": header()})

    def test_unknown_folder_is_refused(self):
        self.expect({"src/misc/a.cc": header("<string>")}, "folder misc is in no row")


class Paths(TreeTest):
    check = "check_layers"

    def run_check(self):
        return load_check(self.check).run(self.root, {})  # those of this tree do not count

    def test_missing_file_is_refused(self):
        self.expect({"src/core/a.h": header("core/gone.h")}, "core/gone.h", "is not a file")

    def test_sibling_without_its_room_is_refused(self):
        tree = {"src/core/a.h": header("b.h"), "src/core/b.h": header()}
        self.expect(tree, '"b.h" is not a file')

    def test_generated_header_counts_as_its_template(self):
        self.expect_clean({"src/core/a.h": header("core/v.h"), "src/core/v.h.in": header()})

    def test_angle_brackets_for_our_file_are_refused(self):
        tree = {"src/core/a.h": header("<core/b.h>"), "src/core/b.h": header()}
        self.expect(tree, "<> is for headers from outside")

    def test_include_in_a_comment_is_not_one(self):
        text = '// #include "mesh/engine.h"\n/*\n#include <uv.h>\n*/\n'
        self.expect_clean({"src/core/a.h": text})


class Outside(TreeTest):
    check = "check_layers"

    def run_check(self):
        return load_check(self.check).run(self.root, {})  # those of this tree do not count

    def test_library_stays_in_its_room(self):
        self.expect({"src/mesh/a.cc": header("<sqlite3.h>")}, "mesh may not include <sqlite3.h>")

    def test_source_only_library_is_allowed_in_a_source(self):
        self.expect_clean({"src/codec/a.cc": header("<msgpack.hpp>", "<zstd.h>")})

    def test_source_only_library_is_refused_in_a_header(self):
        libraries = {"codec": "msgpack.hpp", "trust": "sodium.h", "channel": "sodium.h"}
        libraries["store"] = "sqlite3.h"
        for room, library in libraries.items():
            with self.subTest(library=library):
                tree = {f"src/{room}/a.h": header(f"<{library}>")}
                self.expect(tree, "belongs in a .cc file")

    def test_posix_is_refused_below_store(self):
        for name in ("unistd.h", "sys/stat.h", "fcntl.h", "netinet/in.h"):
            with self.subTest(header=name):
                self.expect({"src/core/a.cc": header(f"<{name}>")}, "core may not include")

    def test_posix_is_allowed_in_store_and_in_the_entry_of_sim(self):
        posix = header("<unistd.h>", "<sys/file.h>")
        self.expect_clean({"src/store/a.cc": posix, "sim/tool/a.cc": posix})

    def test_posix_is_refused_in_the_rest_of_sim(self):
        self.expect({"sim/world.cc": header("<unistd.h>")}, "sim may not include <unistd.h>")

    def test_unknown_library_is_refused(self):
        self.expect({"src/node/a.cc": header("<boost/any.hpp>")}, "in no row of the layer table")


class CyclesAndExceptions(TreeTest):
    check = "check_layers"

    def run_check(self):
        return load_check(self.check).run(self.root, {})  # those of this tree do not count

    def test_cycle_between_headers_is_found_once(self):
        tree = {"src/core/a.h": header("core/b.h"), "src/core/b.h": header("core/a.h")}
        self.expect(tree, "headers include each other", "a.h -> src/core/b.h -> src/core/a.h")

    def test_diamond_is_no_cycle(self):
        tree = {"src/core/a.h": header("core/b.h", "core/c.h"), "src/core/d.h": header()}
        tree |= {f"src/core/{name}.h": header("core/d.h") for name in "bc"}
        self.expect_clean(tree)

    def test_exception_silences_its_finding(self):
        self.write("src/mesh/a.cc", header("<uv.h>"))
        exceptions = {("src/mesh/a.cc", "uv.h"): "until the port exists"}
        self.assertEqual(load_check(self.check).run(self.root, exceptions), [])

    def test_stale_exception_is_refused(self):
        self.write("src/mesh/a.cc", header("<string>"))
        found = load_check(self.check).run(self.root, {("src/mesh/a.cc", "uv.h"): "gone"})
        self.assertEqual(len(found), 1)
        self.assertIn("stale exception", found[0])


if __name__ == "__main__":
    unittest.main()
