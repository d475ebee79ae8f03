// The `ebb` command: a client of the local API, plus a few commands that work on the data directory
// when no daemon runs. What those need is handed in, because this room sees neither node nor store.
//
// Threads: call on the main thread.
// Errors:  messages on stderr say what happened, why likely, what to do next. Exit codes: 0 ok,
//          1 failed, 2 usage, 3 no daemon, 4 unhealthy, 5 timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/time.h"

namespace ebb::cli {

// key -> (value, origin): settings given by flags and environment, over the file.
using Overrides = std::map<std::string, std::pair<std::string, std::string>>;

struct ConfigLine {
  std::string key, value, origin;
};
struct VerifyAnswer {
  std::uint64_t logs = 0, segments = 0, events = 0;
  std::uint64_t records = 0;  // that devices wrote of themselves; not among the events
  std::vector<std::string> problems = {};
  std::optional<std::string> state_digest = {}, stored_digest = {};  // hex
};

struct InitWanted {
  std::string name = {};
  std::optional<std::string> mesh_text = {};  // what export_mesh() or device_file() gave
  std::string admit = {};                     // "secret", "invite"; empty: not said
  std::string passphrase = {};                // of the keys that sign; empty: none
};
struct InitAnswer {
  std::string device = {};  // in text form
  WallTime begins = {};     // of a mesh that begins here; 0: it is another's
};
struct JoinAnswer {
  std::string device, inviter, address;
  Duration round_trip;
};
// Has the running node sign: a device and its link key as text, and a label; the record.
using Certify = std::function<Result<Bytes>(const std::string& device, const std::string& link_key,
                                            const std::string& label)>;

// Work on a data directory, wired by src/main.cc.
struct LocalCommands {
  std::function<Result<InitAnswer>(const std::string& dir, const InitWanted& wanted)> init;
  // The device's text form; kNotFound when there is none in the directory.
  std::function<Result<std::string>(const std::string& dir)> device;
  std::function<Result<std::string>(const std::string& dir)> export_mesh;  // text of the file
  // The policy of the mesh as the directory knows it: "secret" or "invite".
  std::function<Result<std::string>(const std::string& dir)> admit;
  // Whether a text may be shown as somebody's name.
  std::function<bool(std::string_view text)> is_label;
  // Moves the root's key to a file, under a passphrase unless that is empty; `current` is the one
  // that it is under.
  std::function<Status(const std::string& dir, const std::string& file, std::string_view passphrase,
                       std::string_view current)>
      export_root;
  std::function<Result<bool>(const std::string& dir)> root_is_sealed;
  std::function<Result<JoinAnswer>(const std::string& dir, const std::string& name,
                                   const std::string& line,
                                   const std::function<void(const std::string&)>& progress)>
      join;
  // The text of a file that makes one new device (`ebb init --mesh`), which `certify` is asked for.
  std::function<Result<std::string>(const std::string& dir, const std::string& label,
                                    const Certify& certify)>
      device_file;
  std::function<Result<bool>(const std::string& dir)> issuer_is_sealed;
  // Runs the daemon in the foreground; returns its exit code. The passphrase is that of the
  // issuer's key, and wiped when that is open; empty: none.
  std::function<int(const std::string& dir, const Overrides& overrides, int ready_fd,
                    std::string passphrase)>
      run;
  std::function<Result<std::vector<ConfigLine>>(const std::string& dir, const Overrides& overrides)>
      config;
  std::function<Result<VerifyAnswer>(
      const std::string& dir, bool with_state,
      const std::function<void(std::uint64_t done, std::uint64_t all)>& progress)>
      verify;
};

int run_cli(int argc, char** argv, const LocalCommands& local);

}  // namespace ebb::cli
