// Signing keys: the key of a mesh root or of an issuer in a file, under a passphrase if it is to
// be.
//
// Model:   the file is that of key_file.h, or one line of trust/sealed_key.h in its place: 0600, in
//          a directory of 0700, and refused when group or others can do anything with either, or
//          it is a link or another user's. A file is never written over, not by two writers at
//          once either: a root's key cannot be made again.
// Errors:  write: kExists (a file is there; nothing changed), kTooLarge (the passphrase), as
//          files.h. read: kNotFound, kPermission (open to others), kCorrupt (damaged, or of another
//          kind), kUnsupported (of a later version), kTooLarge (asks for more than the bounds),
//          kInvalidArgument (it needs a passphrase and there is none), kBadTag (a wrong one), kBusy
//          (no memory for the hash). The detail names the path and what to do.
// Ownership: the passphrase is the caller's to wipe.
// Threads: pure functions over files; any thread. With a passphrase they take a second and 64 MiB.
// Spec:    docs/store_format.md sections 1 and 8
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "node/key_file.h"
#include "trust/sealed_key.h"

namespace ebb::node {

// `kind`: kRootKind or kIssuerKind. An empty passphrase: none.
Status write_signing_key(const std::string& path, std::string_view kind, const trust::KeySeed& key,
                         std::string_view passphrase, const trust::PassphraseCost& cost = {});
// Whether somebody has to be asked for a passphrase.
Result<bool> needs_passphrase(const std::string& path);
// A passphrase for a file that has none is passed by.
Result<trust::KeySeed> read_signing_key(const std::string& path, std::string_view kind,
                                        std::string_view passphrase);

}  // namespace ebb::node
