// CommandLine: the words that `ebb` knows, and what becomes of a line of them. Inside the command
// line only: nothing else includes CLI11, which is slow to compile and whose exceptions end here.
//
// Threads: call on the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace ebb::cli {

// Everything that options are parsed into.
struct Parsed {
  Globals globals;
  InitOptions init;
  RunOptions run;
  AppendOptions append;
  TailOptions tail;
  WatchOptions watch;
  QueryOptions query;
  ObjectOptions object;
  TraceOptions trace;
  ConfigOptions config;
  ExportOptions mesh_export;
  ExportRootOptions export_root;
  InviteOptions invite;
  JoinOptions join;
  CertIssueOptions cert_issue;
  CertChangeOptions cert_change;
  std::string invite_id, admit;
  std::string peer_address;
  std::string statement;
  bool verify_state = false;
};

using Action = std::function<Exit(const Context&)>;

class CommandLine {
 public:
  CommandLine();
  int run(std::vector<std::string> arguments, const LocalCommands& local, Terminal& terminal);

 private:
  // A command; sub-commands of one name their parent.
  CLI::App* add(const char* name, const char* does, Action action, CLI::App* parent = nullptr);
  void add_globals();
  void add_node_commands();
  void add_joining_commands();
  void add_cert_commands();
  void add_mesh_commands();
  void add_event_commands();
  void add_state_commands();
  void add_looking_commands();
  void add_upkeep_commands();
  void add_daemon_flags(CLI::App* command, DaemonFlags& flags);
  void add_watch(CLI::App* command);
  void add_terms(CLI::App* command, TermsOptions& terms);

  int call(const CLI::App& command, const LocalCommands& local, Terminal& terminal);
  Failure judge(const CLI::ParseError& error);
  std::optional<Failure> empty_value();
  Failure judge_extra(const std::string& extra);
  CLI::App* deepest();
  std::string path();  // the words that lead to it: "ebb mesh export"

  Parsed parsed_;
  CLI::App app_{"An offline-first event mesh.", "ebb"};
  std::map<const CLI::App*, Action> actions_;
  std::string group_;
};

}  // namespace ebb::cli
