// Passphrases of keys that sign: from the file that EBB_PASSPHRASE_FILE names, else from a person
// at the terminal, who does not see it. What a key is put under comes from the file that
// EBB_NEW_PASSPHRASE_FILE names, where there is that variable.
//
// Ownership: the text is the caller's to wipe (erase_text). It has memory of its own from the
//            first letter, however short it is, so moving it leaves nothing behind.
// Errors:    the file cannot be read, is empty or longer than 1,024 bytes, or is a regular one that
//            group or others can do anything with, or of another user that is not root; two that
//            were asked for differ; there is neither file nor terminal.
// Threads:   call on the main thread.
#pragma once

#include <optional>
#include <string>

#include "cli/failure.h"
#include "cli/terminal.h"

namespace ebb::cli {

inline constexpr const char* kPassphraseVariable = "EBB_PASSPHRASE_FILE";
// What a key is about to be put under, whether it is under one already or not.
inline constexpr const char* kNewPassphraseVariable = "EBB_NEW_PASSPHRASE_FILE";

// Of a key that is under none and is to be put under one.
Outcome<std::string> new_passphrase(const Terminal& terminal);
// Of one that is under a passphrase already, which EBB_PASSPHRASE_FILE is for.
Outcome<std::string> changed_passphrase(const Terminal& terminal);
// Of a key that is under one; empty: nobody can be asked.
Outcome<std::string> known_passphrase(const Terminal& terminal, const std::string& of_what);
// The first line of a descriptor, which is read to its end.
Outcome<std::string> passphrase_from(int fd);

// What somebody types at the terminal of this process, unseen; nullopt: it has none. A signal that
// ends or stops the process (Ctrl-C, Ctrl-Z) does so with the terminal as it was before.
std::optional<std::string> ask_at_terminal(const std::string& prompt);

}  // namespace ebb::cli
