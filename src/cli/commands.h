// The commands of `ebb`, each a function of its context and options. How they are written on the
// command line is arguments.cc's alone.
//
// Threads: call on the main thread.
// Errors:  a Failure is printed by the caller and decides the exit code; a command that worked and
//          found something wrong returns kFailed or kUnhealthy itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/failure.h"

namespace ebb::cli {

struct InitOptions {
  std::string name = {};       // empty: $EBB_NAME, else chosen by the node
  std::string mesh_file = {};  // empty: a mesh of its own
  std::string admit = {};      // secret or invite; empty: not said
  bool passphrase = false;     // keep the keys that sign under one
};
// What certificates are to say; what is empty is not said.
struct TermsOptions {
  std::string roles = {};  // with commas between
  std::vector<std::string> prefixes = {};
  std::string days = {};
};
struct InviteOptions {
  std::string ttl = "1h";
  std::uint64_t uses = 1;
  TermsOptions terms = {};
  bool qr = false, no_qr = false;
};
struct JoinOptions {
  std::vector<std::string> words = {};  // the line, perhaps in pieces; - is standard input
  std::string name = {};
};
struct ExportRootOptions {
  std::string file = {};
  bool passphrase = false;
};
struct CertIssueOptions {
  std::string names = {};  // a file, or - for standard input
  std::string folder = {};
  TermsOptions terms = {};
};
struct CertChangeOptions {
  std::string device = {};  // a beginning of its id
  TermsOptions terms = {};
};
struct RunOptions {
  DaemonFlags daemon;
  int ready_fd = -1;
  bool passphrase_from_input = false;
};
struct AppendOptions {
  std::string type = {};
  std::vector<std::string> pairs = {};  // k=v
  std::optional<std::string> payload = {}, source = {}, ts = {}, id = {};
  std::string topic = {};
  std::string ndjson = {};  // a file, or - for standard input
};
struct TailOptions {
  bool follow = false;
  std::string type = {}, topic = {}, device = {};
  std::uint64_t limit = 0;  // 0: none
};
struct WatchOptions {
  std::string seconds;  // empty: once
};
struct QueryOptions {
  std::string view = {}, from = {}, to = {};
};
struct ObjectOptions {
  std::string name = {}, topic = {};
  std::string operation = {};               // empty: read
  std::optional<std::string> operand = {};  // of the operation
  std::optional<std::string> id = {};       // the same
};
struct TraceOptions {
  std::string peer = {};  // empty: all
  std::uint64_t limit = 20;
};
struct ConfigOptions {
  DaemonFlags daemon;
  bool with_origin = false;
};
struct ExportOptions {
  std::string file = {};
  bool force = false;
};

using Exit = Outcome<ExitCode>;

// commands_device.cc: work on the data directory.
Exit run_init(const Context& context, const InitOptions& options);
Exit run_verify(const Context& context, bool with_state);
Exit run_config_show(const Context& context, const ConfigOptions& options);
Exit run_config_check(const Context& context, const ConfigOptions& options);
Exit run_mesh_export(const Context& context, const ExportOptions& options);
// "ebb 1.2.3".
std::string version_text();
Exit run_version(const Context& context);

// commands_joining.cc: who becomes a device of the mesh.
Exit run_invite(const Context& context, const InviteOptions& options);
Exit run_invite_list(const Context& context);
Exit run_invite_end(const Context& context, const std::string& id);
Exit run_join(const Context& context, const JoinOptions& options);
Exit run_cert_issue(const Context& context, const CertIssueOptions& options);
Exit run_cert_change(const Context& context, const CertChangeOptions& options);
Exit run_mesh_admit(const Context& context, const std::string& admit);
Exit run_export_root(const Context& context, const ExportRootOptions& options);

// commands_daemon.cc: start and stop.
Exit run_daemon(const Context& context, const RunOptions& options);
Exit run_up(const Context& context, const RunOptions& options);
Exit run_down(const Context& context);

// commands_events.cc
Exit run_append(const Context& context, const AppendOptions& options);
Exit run_tail(const Context& context, const TailOptions& options);
// What both `append` and a change of an object print: a dot a line.
void print_dots(const Context& context, const Document& answer);

// commands_state.cc
Exit run_query(const Context& context, const QueryOptions& options);
Exit run_counter(const Context& context, const ObjectOptions& options);
Exit run_set(const Context& context, const ObjectOptions& options);
Exit run_digest(const Context& context);
Exit run_sql(const Context& context, const std::string& statement);

// commands_node.cc: what the node says of itself and its neighbours.
Exit run_status(const Context& context, const WatchOptions& watch);
Exit run_links(const Context& context, const WatchOptions& watch);
Exit run_peers(const Context& context, const WatchOptions& watch);
Exit run_peers_add(const Context& context, const std::string& address);
Exit run_heads(const Context& context);
Exit run_trace(const Context& context, const TraceOptions& options);
// "in sync with 2 links", "behind: 3 of 5 known events are here", ...
std::string completeness_words(const nlohmann::json& completeness);

}  // namespace ebb::cli
