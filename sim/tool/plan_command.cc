// Runs a user's fleet.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "cli/progress.h"
#include "sim/fleet_run.h"
#include "sim/tool/commands.h"
#include "sim/tool/fleet_file.h"
#include "sim/tool/fleet_page.h"
#include "sim/tool/fleet_text.h"
#include "sim/tool/units.h"

namespace ebb::sim_tool {
namespace {

// style-ok(clock): real time is what it measures
using Clock = std::chrono::steady_clock;

class Stopwatch {
 public:
  double wall() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  double cpu() const { return used() - cpu_begin_; }

 private:
  static double used() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds_of = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  }

  Clock::time_point begin_ = Clock::now();
  double cpu_begin_ = used();
};

std::string speed_text(const sim::FleetReport& report, const Stopwatch& watch,
                       std::uint64_t threads) {
  const double wall = watch.wall();
  const double least = std::max(wall, 1e-3);
  return fmt::format(
      "simulated {} in {:.1f} s on {} thread{} ({:.1f} s of CPU): {:.0f} x, {:.0f} inputs/s, "
      "{:.0f} deliveries/s\n",
      duration_words(report.ran_for), wall, threads, threads == 1 ? "" : "s", watch.cpu(),
      static_cast<double>(report.ran_for.us) / 1e6 / least,
      static_cast<double>(report.steps) / least,
      static_cast<double>(report.meter.deliveries()) / least);
}

}  // namespace

using cli::ExitCode;

Exit plan_fleet(const PlanFlags& flags, const cli::Terminal& terminal) {
  EBB_ASSIGN(const std::string text, read_text(flags.file));
  Result<sim::Fleet> fleet = read_fleet(text, flags.file);
  if (!fleet) {
    return cli::usage_failure(fleet.error().detail, "docs/planning.md says what a fleet may have");
  }
  if (!flags.duration.empty()) {
    const auto duration = parse_duration(flags.duration);
    if (!duration || *duration < seconds(1)) {
      return cli::usage_failure("--duration " + std::string(kDurationRule));
    }
    fleet->duration = *duration;
  }
  if (flags.seed) fleet->seed = *flags.seed;
  // A page that cannot be written is better known before hours of computing.
  if (!flags.html.empty()) {
    const auto writable = write_text(flags.html, "");
    if (!writable.ok()) return writable.error();
  }
  cli::Progress progress(
      terminal.err, terminal.err_is_terminal, "simulating",
      [](std::uint64_t ms) { return duration_words(milliseconds(static_cast<std::int64_t>(ms))); });
  const std::uint64_t threads = flags.threads == 0 ? cores() : flags.threads;
  const Stopwatch watch;
  const sim::FleetReport report =
      sim::FleetRun(std::move(*fleet), threads).run([&](Instant now, Duration all) {
        progress.update(static_cast<std::uint64_t>((now - Instant{}).ms()),
                        static_cast<std::uint64_t>(all.ms()));
      });
  progress.clear();
  terminal.err << speed_text(report, watch, threads) << std::flush;
  terminal.out << (flags.json ? fleet_json(report) : fleet_tables(report, terminal.out_is_terminal))
               << std::flush;
  if (!flags.html.empty()) {
    const auto written = write_text(flags.html, fleet_page(report));
    if (!written.ok()) return written.error();
  }
  // What the engines do wrong is a defect of theirs, not of the fleet.
  return report.troubles.empty() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace ebb::sim_tool
