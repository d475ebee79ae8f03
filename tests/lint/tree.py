"""A small tree of files to feed to a check, and the checks themselves."""

import importlib.machinery
import importlib.util
import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_check(name):
    """The module of tools/<name>, which has no extension."""
    if name not in sys.modules:
        loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "tools" / name))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
        sys.modules[name] = module
        loader.exec_module(module)
    return sys.modules[name]


class TreeTest(unittest.TestCase):
    """Writes files into a temporary tree and compares the findings of one check."""

    check = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, path, text=""):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def findings(self, tree):
        """Findings about a tree of exactly these files."""
        for old in self.root.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        for path, text in tree.items():
            self.write(path, text)
        return self.run_check()

    def run_check(self):
        return load_check(self.check).run(self.root)

    def expect(self, tree, *parts):
        """Exactly one finding, which contains all parts."""
        found = self.findings(tree)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def expect_clean(self, tree):
        self.assertEqual(self.findings(tree), [])
