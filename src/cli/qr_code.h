// QrCode: a text as a square that a camera reads, drawn for a terminal.
//
// Model:     two rows of modules to a line of text, by half blocks; four light modules around
//            it, as readers want. With colours dark is black and light is white whatever the
//            terminal's own colours are; without, light is what the terminal writes with, which is
//            right where it writes lightly on dark.
// Ownership: drawing and modules are wiped with their values, as an invite is a secret. What
//            libqrencode itself works in cannot be: it takes its memory of malloc, and frees its
//            copy of the text and the bits that it makes of it without giving them to its caller.
// Errors:    nullopt: the text is too long for a code.
// Threads:   pure functions; any thread.
// Source:    libqrencode (ISO/IEC 18004)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace ebb::cli {

struct QrDrawing {
  SecretText text;          // lines, each with its end
  std::size_t columns = 0;  // that a line takes
};

// Capitals, digits and '-' alone make a smaller code.
std::optional<QrDrawing> draw_qr(const std::string& text, bool colours);

}  // namespace ebb::cli
