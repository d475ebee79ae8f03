"""Tests of tools/check_style: each rule finds its bad snippet and leaves the good one alone."""

import unittest

from tree import TreeTest

HEADER = "// A header.\n#pragma once\n"


class Tokens(TreeTest):
    """One forbidden word a case: (rule, bad line, folder where it is bad)."""

    check = "check_style"

    def finds(self, rule, *lines, folder="src/core"):
        for line in lines:
            with self.subTest(line=line):
                self.expect({f"{folder}/a.cc": f"// A file.\n{line}\n"}, f"a.cc:2: {rule}:")

    def allows(self, *lines, folder="src/core"):
        for line in lines:
            with self.subTest(line=line):
                self.expect_clean({f"{folder}/a.cc": f"// A file.\n{line}\n"})

    def test_random(self):
        self.finds("random", "std::uniform_int_distribution<int> d;", "std::mt19937 r;")
        self.finds("random", "x = rand();", "std::random_device d;")
        self.finds("random", "std::shuffle(a, b, r);", folder="sim")
        self.allows("auto x = rng.rand();", "int operand(int);")

    def test_clock(self):
        self.finds("clock", "auto t = std::chrono::steady_clock::now();", "t = time(nullptr);")
        self.finds("clock", "clock_gettime(0, &t);", folder="sim")
        self.allows("Instant time(Event event);", "auto t = event.time();")
        self.allows("auto t = std::chrono::steady_clock::now();", folder="src/node")
        self.expect_clean({"sim/main.cc": "auto t = std::chrono::steady_clock::now();\n"})

    def test_getenv(self):
        self.finds("getenv", 'auto x = std::getenv("A");')
        self.allows('auto x = std::getenv("A");', folder="src/cli")

    def test_thread(self):
        self.finds("thread", "std::thread t;", "std::jthread t;", "std::mutex m;")
        self.finds("thread", "std::shared_mutex m;", folder="src/mesh")
        self.finds("thread", "std::condition_variable v;", folder="src/store")
        self.allows("std::thread t;", folder="src/node")

    def test_sleep(self):
        self.finds("sleep", "std::this_thread::sleep_for(x);", "usleep(5);", folder="tests/core")
        self.finds("sleep", "sleep(1);", folder="src/node")

    def test_float(self):
        self.finds("float", "double x = 0;", "float x = 0;", folder="src/mesh")
        self.allows("double x = 0;", folder="src/codec")

    def test_shared_ptr(self):
        self.finds("shared_ptr", "std::shared_ptr<int> p;", "auto p = std::make_shared<int>();")
        self.allows("std::shared_ptr<int> p;", folder="src/http")

    def test_assert(self):
        self.finds("assert", "assert(x);", "#include <cassert>")
        self.allows("static_assert(x);")

    def test_throw(self):
        self.finds("throw", "throw Error();", folder="src/node")
        self.allows("throw Error();", folder="tests/core")

    def test_format(self):
        self.finds("format", 'auto s = std::format("{}", 1);', folder="src/cli")
        self.allows('auto s = fmt::format("{}", 1);', folder="src/node")

    def test_views(self):
        self.finds("views", "for (int x : v | std::views::keys) {}", folder="tests/core")
        self.allows("std::vector<View> views;")

    def test_comments_and_literals_are_not_code(self):
        self.allows("// never throw", 'auto s = "throw";', "/* throw */", 'auto s = R"(throw)";')
        self.allows("auto n = 1'000'000;  // std::mutex of 'nothing'")

    def test_message_names_the_replacement(self):
        self.expect({"src/core/a.cc": "std::mt19937 r;\n"}, "core/rng.h")


class Excuses(TreeTest):
    check = "check_style"

    def test_excuse_on_the_line_or_before_it(self):
        bad = "std::mutex m;"
        self.expect_clean({"src/core/a.cc": f"{bad}  // style-ok(thread): a reason\n"})
        self.expect_clean({"src/core/a.cc": f"// style-ok(thread): a reason\n{bad}\n"})

    def test_excuse_without_a_reason_does_not_count(self):
        found = self.findings({"src/core/a.cc": "std::mutex m;  // style-ok(thread)\n"})
        self.assertTrue(any(": thread:" in finding for finding in found), found)

    def test_excuse_for_another_rule_does_not_count(self):
        found = self.findings({"src/core/a.cc": "std::mutex m;  // style-ok(clock): why\n"})
        self.assertTrue(any(": thread:" in finding for finding in found), found)

    def test_excuse_that_excuses_nothing_is_refused(self):
        self.expect({"src/core/a.cc": "int m;  // style-ok(thread): why\n"}, "nothing to excuse")


class Lengths(TreeTest):
    check = "check_style"

    def test_file(self):
        self.expect({"src/core/a.cc": "int x;\n" * 401}, "file_length", "401 lines")
        self.expect_clean({"src/core/a.cc": "int x;\n" * 400})

    def test_public_header(self):
        self.expect({"include/ebb/a.h": HEADER + "int x;\n" * 199}, "file_length", "at most 200")

    def test_line(self):
        self.expect({"src/core/a.cc": f"// {'é' * 98}\n"}, "a.cc:1", "line_length", "101 columns")
        self.expect_clean({"src/core/a.cc": f"// {'é' * 97}\n"})

    def function(self, signature, lines):
        return f"namespace ebb {{\n{signature} {{\n" + "  g();\n" * (lines - 2) + "}\n}\n"

    def test_function(self):
        for signature in (
            "int f(int a)",
            "X::X(int a)\n    : a_(a), b_{a}, c_{}",
            "template <typename T>\nstruct Y g(T t) noexcept",
            'TEST_CASE("a { b")',
            "auto f = [](int x) -> int",
            "void operator()(int x) const",
        ):
            extra = signature.count("\n")
            with self.subTest(signature=signature):
                long = self.function(signature, 71 - extra)
                self.expect({"src/core/a.cc": long}, "a.cc:2: function_length", "has 71 lines")
                self.expect_clean({"src/core/a.cc": self.function(signature, 70 - extra)})

    def test_method_in_a_class(self):
        method = self.function("void f() const", 71)
        text = f"{HEADER}class A final : public B<int()> {{\n{method}}};\n"
        self.expect({"src/core/a.h": text}, "function_length", "f has 71 lines")

    def test_data_and_types_are_not_functions(self):
        rows = "  {1, f(2)},\n" * 90
        self.expect_clean({"src/core/a.cc": f"constexpr Row kTable[] = {{\n{rows}}};\n"})
        self.expect_clean({"src/core/a.cc": f"const auto k = std::to_array<Row>({{\n{rows}}});\n"})
        self.expect_clean({"src/core/a.cc": "struct A {\n" + "  int x;\n" * 90 + "};\n"})
        self.expect_clean({"src/core/a.cc": "enum class A {\n" + "  kX,\n" * 90 + "};\n"})

    def test_python_function(self):
        text = '"""Doc."""\ndef f():\n' + "    g()\n" * 70
        self.expect({"tools/a.py": text}, "a.py:2: function_length", "f has 71 lines")


class Headers(TreeTest):
    check = "check_style"

    def test_pragma_once(self):
        self.expect({"src/core/a.h": "// A header.\nint x;\n"}, "pragma_once")

    def test_comment_first(self):
        self.expect({"src/core/a.h": "#pragma once\n// Later.\n"}, "header_comment")

    def test_class_names(self):
        for name in ("LinkManager", "StoreHelper", "StringUtil", "Utils", "EngineImpl"):
            with self.subTest(name=name):
                self.expect({"src/core/a.h": f"{HEADER}class {name} {{}};\n"}, "class_name", name)

    def test_hidden_implementation_is_allowed(self):
        text = f"{HEADER}class A {{\n  struct Impl;\n}};\nclass Implied {{}};\n"
        self.expect_clean({"src/core/a.h": text})


class Limits(TreeTest):
    check = "check_style"

    TABLE = f"{HEADER}inline constexpr std::size_t kA = 1;\ninline constexpr int kB = 2 * kA;\n"

    def test_a_bound_that_nothing_uses(self):
        use = {"src/mesh/a.cc": "// kB is used\nint x = limits::kBig;\n"}
        self.expect(use | {"src/core/limits.h": self.TABLE}, "limits.h:4: unused_limit: kB")

    def test_a_bound_that_code_or_another_bound_uses(self):
        use = {"src/mesh/a.cc": "int x = limits::kB;\n"}
        self.expect_clean(use | {"src/core/limits.h": self.TABLE})


class Text(TreeTest):
    check = "check_style"

    def test_leftovers(self):
        for word in ("FIX" + "ME", "XX" + "X"):
            with self.subTest(word=word):
                self.expect({"src/core/a.cc": f"// {word} later\n"}, "leftover", word)

    def test_open_task_needs_a_kind_and_words(self):
        for text in ("TODO: later", "TODO(me): later", "TODO(soon)"):
            with self.subTest(text=text):
                self.expect({"src/core/a.cc": f"// {text}\n"}, "a.cc:1: todo")
        self.expect_clean({"src/core/a.cc": "// TODO(perf): one copy less.\n"})

    def test_absolute_paths(self):
        for text in ("/work/x", "see /root/x", '"/root"'):
            with self.subTest(text=text):
                self.expect({"docs/a.md": f"{text}\n"}, "a.md:1: absolute_path")
        self.expect_clean({"docs/a.md": "tests/work/x, ~/root/, framework/roots, /rooted\n"})

    def test_document_names_an_existing_file(self):
        self.expect({"README.md": "see `src/core/gone.h`\n"}, "README.md:1: named_file", "gone.h")
        tree = {"src/core/a.h": HEADER, "tools/x": ""}
        self.expect_clean(tree | {"README.md": "`src/core/a.h:12` `./tools/x -j 2`\n"})
        tree = {"src/core/a.h": HEADER}
        self.expect_clean(tree | {"README.md": "`src/core/` `src/<room>/a.h` `tests/*_test.cc`\n"})

    def test_header_names_an_existing_document(self):
        self.expect({"src/core/a.h": f"{HEADER}// Spec: docs/gone.md §3\n"}, "a.h:3: named_file")

    def test_changelog_may_name_what_is_gone(self):
        self.expect_clean({"CHANGELOG.md": "removed `src/core/gone.h`\n"})

    def test_python_test_that_sleeps(self):
        self.expect({"tests/rig/a_test.py": "import time\ntime.sleep(1)\n"}, "a_test.py:2: sleep")
        text = "time.sleep(0.01)  # style-ok(sleep): the pause between two looks\n"
        self.expect_clean({"tests/rig/a_test.py": text})


if __name__ == "__main__":
    unittest.main()
