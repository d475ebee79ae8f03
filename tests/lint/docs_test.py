"""What docs say of lists in sources: the fault classes of the simulator."""

import re
import unittest

from tree import ROOT

FAULTS = ROOT / "sim" / "faults.h"
SIMULATION = ROOT / "docs" / "simulation.md"
CLAIMS = ROOT / "docs" / "claims.md"


def fault_classes(text):
    """The names in kFaultTable, in its order."""
    table = text[text.index("kFaultTable = {{"):]
    return re.findall(r'^    \{"(\w+)"', table[: table.index("}};")], re.MULTILINE)


def documented_classes(text):
    """The names in the table of fault classes, down to the first line that is no row."""
    rows = text[text.index("| class | what happens |"):].splitlines()[2:]
    names = []
    for row in rows:
        if not row.startswith("| "):
            break
        names += re.findall(r"`(\w+)`", row.split("|")[1])
    return names


class FaultClasses(unittest.TestCase):
    def test_the_table_of_docs_names_each_class_once(self):
        named = documented_classes(SIMULATION.read_text(encoding="utf-8"))
        known = fault_classes(FAULTS.read_text(encoding="utf-8"))
        self.assertGreater(len(known), 25)
        self.assertEqual(sorted(named), sorted(known))

    def test_claims_say_how_many_there_are(self):
        known = fault_classes(FAULTS.read_text(encoding="utf-8"))
        said = re.findall(r"each of (\d+) classes", CLAIMS.read_text(encoding="utf-8"))
        self.assertEqual(said, [str(len(known))])


if __name__ == "__main__":
    unittest.main()
