#include "cli/qr_code.h"

#include <qrencode.h>

#include <cstdint>
#include <memory>

namespace ebb::cli {
namespace {

constexpr int kQuiet = 4;  // light modules on each side
constexpr std::string_view kBlackOnWhite = "\x1b[38;5;16m\x1b[48;5;231m";
constexpr std::string_view kPlain = "\x1b[0m";

class Modules {
 public:
  explicit Modules(const QRcode& code) : code_(code) {}
  int size() const { return code_.width + 2 * kQuiet; }
  bool is_dark(int row, int column) const {
    row -= kQuiet;
    column -= kQuiet;
    if (row < 0 || column < 0 || row >= code_.width || column >= code_.width) return false;
    return (code_.data[row * code_.width + column] & 1) != 0;
  }

 private:
  const QRcode& code_;
};

struct WipedFree {
  void operator()(QRcode* code) const {
    erase_bytes(code->data,
                static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
    QRcode_free(code);
  }
};

constexpr std::size_t kBlockBytes = 3;
// Of a letter that shows two modules: what is `ink` is drawn, the rest is background.
std::string_view half_blocks(bool upper_ink, bool lower_ink) {
  if (upper_ink && lower_ink) return "█";
  if (upper_ink) return "▀";
  return lower_ink ? "▄" : " ";
}

}  // namespace

std::optional<QrDrawing> draw_qr(const std::string& text, bool colours) {
  const std::unique_ptr<QRcode, WipedFree> code(
      QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1));
  if (code == nullptr) return std::nullopt;
  const Modules modules(*code);
  QrDrawing drawing;
  drawing.columns = static_cast<std::size_t>(modules.size());
  std::string& lines = drawing.text.text;
  // All of it at once: memory that a text leaves as it grows is not wiped.
  lines.reserve((drawing.columns + 1) / 2 *
                (drawing.columns * kBlockBytes + kBlackOnWhite.size() + kPlain.size() + 1));
  for (int row = 0; row < modules.size(); row += 2) {
    if (colours) lines.append(kBlackOnWhite);
    for (int column = 0; column < modules.size(); ++column) {
      // The last line may have no lower half: it is light, as what is around it.
      const bool upper = modules.is_dark(row, column);
      const bool lower = modules.is_dark(row + 1, column);
      lines.append(colours ? half_blocks(upper, lower) : half_blocks(!upper, !lower));
    }
    if (colours) lines.append(kPlain);
    lines.push_back('\n');
  }
  return drawing;
}

}  // namespace ebb::cli
