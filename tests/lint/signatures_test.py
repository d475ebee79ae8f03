"""Each kind of operation with public keys is in one place, so that its verdict is the same
everywhere."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def users_of(name, folder=ROOT / "src"):
    """Files of the program in which a function of that name is called."""
    call = re.compile(rf"\b{name}\w*\s*\(")
    return {path.relative_to(ROOT).as_posix() for path in folder.rglob("*.cc")
            if call.search(path.read_text())}


class SignaturesTest(unittest.TestCase):
    def test_signatures_are_judged_in_one_place(self):
        self.assertEqual(users_of("crypto_sign_verify_detached"), {"src/trust/identity.cc"})
        # The library has more than one function that judges.
        self.assertEqual(users_of("crypto_sign_(open|verify|final|ed25519)"),
                         {"src/trust/identity.cc"})

    def test_secrets_in_common_are_computed_in_one_place(self):
        self.assertEqual(users_of("crypto_(scalarmult|box|kx)"), {"src/channel/noise_keys.cc"})


if __name__ == "__main__":
    unittest.main()
