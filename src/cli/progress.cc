#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <utility>

namespace ebb::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenDraws{100};
constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::uint64_t kBarColumns = 30;

std::string bar(std::uint64_t done, std::uint64_t all) {
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(kBarColumns));
  return fmt::format("[{}{}] {:3.0f} %", std::string(full, '#'),
                     std::string(kBarColumns - full, '.'), part * 100);
}

}  // namespace

Progress::Progress(std::ostream& err, bool enabled, std::string label, Unit unit)
    : err_(err), enabled_(enabled), label_(std::move(label)), unit_(std::move(unit)) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (drawn_) err_ << kClearLine << std::flush;
  drawn_ = false;
}

void Progress::update(std::uint64_t done, std::uint64_t all) {
  if (!enabled_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kBetweenDraws;
  drawn_ = true;
  err_ << kClearLine << label_ << ' ';
  if (all > 0) {
    err_ << bar(done, all) << "  " << unit_(done) << " of " << unit_(all);
  } else {
    err_ << unit_(done);
  }
  err_ << std::flush;
}

}  // namespace ebb::cli
