// The `ebb` program: hands the command line what it needs of the rooms that it does not see.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "core/ids.h"
#include "http/daemon.h"
#include "node/config.h"
#include "node/device_file.h"
#include "node/home.h"
#include "node/join_client.h"
#include "node/node.h"
#include "store/reader.h"
#include "trust/label.h"

namespace {

using ebb::Result;

constexpr ebb::WallTime kBuilt{std::int64_t{EBB_BUILT_SECONDS} * 1000};

ebb::WallTime wall_now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count()};
}

Result<ebb::cli::InitAnswer> init(const std::string& dir, const ebb::cli::InitWanted& wanted) {
  ebb::node::InitOptions options;
  options.dir = dir;
  options.name = wanted.name;
  options.mesh_file = wanted.mesh_text;
  options.passphrase = wanted.passphrase;
  options.now = wall_now();
  options.built = kBuilt;
  if (wanted.admit == "secret") options.admit = ebb::trust::Admit::kSecret;
  if (wanted.admit == "invite") options.admit = ebb::trust::Admit::kInvite;
  const Result<ebb::node::Home> made = ebb::node::init_home(options);
  ebb::erase_text(options.passphrase);
  if (options.mesh_file) ebb::erase_text(*options.mesh_file);
  if (!made.ok()) return made.error();
  ebb::cli::InitAnswer answer{.device = ebb::device_text(made->identity->device())};
  if (!options.mesh_file) answer.begins = options.now;
  return answer;
}

Result<ebb::cli::JoinAnswer> join(const std::string& dir, const std::string& name,
                                  const std::string& line,
                                  const std::function<void(const std::string&)>& progress) {
  ebb::node::JoinOptions options{.dir = dir,
                                 .line = line,
                                 .name = name,
                                 .now = wall_now(),
                                 .built = kBuilt,
                                 .progress = progress};
  const auto joined = ebb::node::join_mesh(options);
  ebb::erase_text(options.line);
  if (!joined.ok()) return joined.error();
  return ebb::cli::JoinAnswer{ebb::device_text(joined->device), ebb::device_text(joined->inviter),
                              joined->address, joined->round_trip};
}

Result<std::string> device_file(const std::string& dir, const std::string& label,
                                const ebb::cli::Certify& certify) {
  return ebb::node::make_device_file(dir, label, certify);
}

Result<std::string> admit(const std::string& dir) {
  EBB_ASSIGN(const ebb::trust::Admit known, ebb::node::known_admit(dir));
  return std::string(known == ebb::trust::Admit::kSecret ? "secret" : "invite");
}

Result<bool> issuer_is_sealed(const std::string& dir) {
  EBB_ASSIGN(const ebb::node::Home home, ebb::node::load_home(dir));
  return home.issuer_sealed;
}

Result<std::string> device(const std::string& dir) {
  EBB_ASSIGN(const ebb::node::Home home, ebb::node::load_home(dir));
  return ebb::device_text(home.identity->device());
}

ebb::node::ConfigOverrides overrides_of(const ebb::cli::Overrides& given) {
  ebb::node::ConfigOverrides overrides;
  for (const auto& [key, value] : given)
    overrides.values[key] = {value.first, value.second};
  return overrides;
}

int run(const std::string& dir, const ebb::cli::Overrides& overrides, int ready_fd,
        std::string passphrase) {
  return ebb::http::run_daemon({.dir = dir,
                                .overrides = overrides_of(overrides),
                                .ready_fd = ready_fd,
                                .built = kBuilt,
                                .passphrase = std::move(passphrase)});
}

Result<std::vector<ebb::cli::ConfigLine>> config(const std::string& dir,
                                                 const ebb::cli::Overrides& overrides) {
  const std::string path = ebb::node::home_paths(dir).config;
  EBB_ASSIGN(const ebb::node::Config loaded, ebb::node::load_config(path, overrides_of(overrides)));
  std::vector<ebb::cli::ConfigLine> lines;
  for (ebb::node::ConfigLine& line : ebb::node::describe_config(loaded))
    lines.push_back({std::move(line.key), std::move(line.value), std::move(line.origin)});
  return lines;
}

std::optional<std::string> hex(const std::optional<ebb::Hash>& hash) {
  if (!hash) return std::nullopt;
  return ebb::to_hex(hash->view());
}

Result<ebb::cli::VerifyAnswer> verify(
    const std::string& dir, bool with_state,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  // Whatever of a device is lost, its store can be read; without any device there is none.
  const Result<ebb::node::Home> home = ebb::node::load_home(dir);
  if (!home.ok() && home.error().context == "device") return home.error();
  EBB_ASSIGN(ebb::store::VerifyReport report,
             ebb::store::verify_store(ebb::node::home_paths(dir).store, with_state, progress));
  return ebb::cli::VerifyAnswer{.logs = report.logs,
                                .segments = report.segments,
                                .events = report.events - report.records,
                                .records = report.records,
                                .problems = std::move(report.problems),
                                .state_digest = hex(report.state_digest),
                                .stored_digest = hex(report.stored_digest)};
}

}  // namespace

int main(int argc, char** argv) {
  const ebb::cli::LocalCommands local{.init = init,
                                      .device = device,
                                      .export_mesh = ebb::node::export_mesh,
                                      .admit = admit,
                                      .is_label = ebb::trust::is_label,
                                      .export_root = ebb::node::export_root,
                                      .root_is_sealed = ebb::node::root_is_sealed,
                                      .join = join,
                                      .device_file = device_file,
                                      .issuer_is_sealed = issuer_is_sealed,
                                      .run = run,
                                      .config = config,
                                      .verify = verify};
  return ebb::cli::run_cli(argc, argv, local);
}
