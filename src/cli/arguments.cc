// The words of the command line.
#include "cli/arguments.h"

#include <utility>

#include "cli/command_line.h"

namespace ebb::cli {
namespace {

// Empty where `text` is a number of 1 or more. CLI11 reads -1 as the largest number.
std::string why_no_count(const std::string& text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  const bool counts = digits && text.find_first_not_of('0') != std::string::npos;
  return counts ? "" : "has to be a number of 1 or more, not " + text;
}

}  // namespace

CLI::App* CommandLine::add(const char* name, const char* does, Action action, CLI::App* parent) {
  CLI::App* command = (parent == nullptr ? app_ : *parent).add_subcommand(name, does);
  if (parent == nullptr) command->group(group_);
  if (action) actions_[command] = std::move(action);
  return command;
}

void CommandLine::add_globals() {
  Globals& globals = parsed_.globals;
  app_.add_option("--dir", globals.dir, "Data directory [$EBB_DIR, ~/.local/share/ebb]");
  app_.add_flag("--json", globals.json, "Print the API's JSON");
  app_.add_option("--timeout", globals.timeout_seconds, "Seconds that a request may take [30]")
      ->check(CLI::Range(0.001, 1e6))
      ->type_name("SECONDS");
  CLI::Option* quiet = app_.add_flag("-q,--quiet", globals.quiet, "Print data and failures only");
  app_.add_flag("-v,--verbose", globals.verbose, "Tell each request on stderr")->excludes(quiet);
  app_.add_option("--color", globals.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
}

void CommandLine::add_daemon_flags(CLI::App* command, DaemonFlags& flags) {
  command->add_option("--listen", flags.listen, "Address for links, host:port; off: no links")
      ->type_name("ADDRESS");
  command->add_option("--peer", flags.peers, "Node to dial, host:port; may be repeated")
      ->allow_extra_args(false)
      ->type_name("ADDRESS");
  command->add_option("--log-level", flags.log_level, "trace, debug, info, warn or error")
      ->type_name("LEVEL");
  command->add_option("--log-format", flags.log_format, "auto, logfmt or json")
      ->type_name("FORMAT");
}

void CommandLine::add_watch(CLI::App* command) {
  // A flag with a value, so that only `--watch=5` takes one and `--watch add` does not. As text,
  // because CLI11 counts how often a flag of a number was given.
  command->add_flag("--watch{2}", parsed_.watch.seconds, "Show again every so many seconds [2]")
      ->check(CLI::Range(0.1, 86400.0))
      ->type_name("[=SECONDS]");
}

void CommandLine::add_node_commands() {
  group_ = "Start and stop";
  Parsed& p = parsed_;
  CLI::App* init = add("init", "Make a device: keys, store, configuration",
                       [&p](const Context& c) { return run_init(c, p.init); });
  init->add_option("--name", p.init.name, "Label for people [the host's name]")->type_name("LABEL");
  init->add_option("--mesh", p.init.mesh_file,
                   "Be of the mesh of this file (`ebb mesh export`, `ebb cert issue`)")
      ->type_name("FILE");
  init->add_option(
          "--admit", p.init.admit,
          "Of a new mesh: secret lets in whoever has its file, invite nobody else [invite]")
      ->check(CLI::IsMember({"secret", "invite"}))
      ->type_name("secret|invite");
  init->add_flag("--passphrase", p.init.passphrase,
                 "Of a new mesh: keep the keys that sign under a passphrase "
                 "[of $EBB_NEW_PASSPHRASE_FILE, $EBB_PASSPHRASE_FILE, or asked for]");
  CLI::App* up = add("up", "Start the node in the background",
                     [&p](const Context& c) { return run_up(c, p.run); });
  add_daemon_flags(up, p.run.daemon);
  CLI::App* run = add("run", "Run the node in the foreground",
                      [&p](const Context& c) { return run_daemon(c, p.run); });
  add_daemon_flags(run, p.run.daemon);
  run->add_option("--ready-fd", p.run.ready_fd, "")->group("");
  run->add_flag("--passphrase-from-input", p.run.passphrase_from_input, "")->group("");
  add("down", "Stop the node", [](const Context& c) { return run_down(c); });
}

void CommandLine::add_joining_commands() {
  group_ = "Who is of the mesh";
  Parsed& p = parsed_;
  CLI::App* invite = add("invite", "Print a line by which another machine joins (`ebb join`)",
                         [&p](const Context& c) { return run_invite(c, p.invite); });
  invite->add_option("--ttl", p.invite.ttl, "How long it is good: 30m, 1h, 7d [1h]")
      ->type_name("TIME");
  invite->add_option("--uses", p.invite.uses, "How many devices may join with it [1]")
      ->check([](const std::string& text) { return why_no_count(text); })
      ->type_name("N");
  add_terms(invite, p.invite.terms);
  CLI::Option* qr = invite->add_flag("--qr", p.invite.qr, "Draw a QR code too, whatever reads it");
  invite->add_flag("--no-qr", p.invite.no_qr, "Draw none on a terminal either")->excludes(qr);
  add(
      "ls", "List the invites of this device", [](const Context& c) { return run_invite_list(c); },
      invite);
  add(
      "rm", "End an open invite", [&p](const Context& c) { return run_invite_end(c, p.invite_id); },
      invite)
      ->add_option("id", p.invite_id, "A beginning of its id (`ebb invite ls`)")
      ->required()
      ->type_name("ID");
  CLI::App* join = add("join", "Make a device of a mesh by an invite",
                       [&p](const Context& c) { return run_join(c, p.join); });
  join->add_option("line", p.join.words, "The line of `ebb invite`; - reads it from standard input")
      ->required()
      ->type_name("LINE");
  join->add_option("--name", p.join.name, "Label for people [the host's name]")->type_name("LABEL");
  add_cert_commands();
  add_mesh_commands();
}

void CommandLine::add_terms(CLI::App* command, TermsOptions& terms) {
  command->add_option("--roles", terms.roles, "As what: some of reader,writer,relay [all three]")
      ->type_name("ROLE,...");
  command
      ->add_option("--prefix", terms.prefixes,
                   "It may write topics that begin so; may be repeated; * is all [*]")
      ->allow_extra_args(false)
      ->type_name("TOPIC");
  command->add_option("--days", terms.days, "How long a certificate lasts, 1 to 400 [400]")
      ->check([](const std::string& text) { return why_no_count(text); })
      ->check(CLI::Range(1, 400))
      ->type_name("N");
}

void CommandLine::add_cert_commands() {
  Parsed& p = parsed_;
  CLI::App* cert = add("cert", "Certificates of devices", nullptr);
  cert->require_subcommand(1);
  CLI::App* issue = add(
      "issue", "Make files that `ebb init --mesh` makes one device each of",
      [&p](const Context& c) { return run_cert_issue(c, p.cert_issue); }, cert);
  issue->add_option("names", p.cert_issue.names, "A file of names, one a line; - is stdin")
      ->required()
      ->type_name("NAMES");
  issue->add_option("folder", p.cert_issue.folder, "Where NAME.ebb goes, for each name")
      ->required()
      ->type_name("FOLDER");
  add_terms(issue, p.cert_issue.terms);
  CLI::App* change = add(
      "change", "Certify a known device anew, with other roles, topics or time",
      [&p](const Context& c) { return run_cert_change(c, p.cert_change); }, cert);
  change->add_option("device", p.cert_change.device, "A beginning of its id")
      ->required()
      ->type_name("DEVICE");
  add_terms(change, p.cert_change.terms);
}

void CommandLine::add_mesh_commands() {
  Parsed& p = parsed_;
  CLI::App* mesh = add("mesh", "The mesh that this device is of", nullptr);
  mesh->require_subcommand(1);
  CLI::App* exported = add(
      "export", "Write what `ebb init --mesh` takes (a secret)",
      [&p](const Context& c) { return run_mesh_export(c, p.mesh_export); }, mesh);
  exported->add_option("file", p.mesh_export.file, "File to write, with mode 0600")
      ->required()
      ->type_name("FILE");
  exported->add_flag("--force", p.mesh_export.force, "Replace a file that is there");
  CLI::App* root = add(
      "export-root", "Move the key of the mesh's root to a file, and off this device",
      [&p](const Context& c) { return run_export_root(c, p.export_root); }, mesh);
  root->add_option("file", p.export_root.file, "File to write; not one that is there")
      ->required()
      ->type_name("FILE");
  root->add_flag("--passphrase", p.export_root.passphrase,
                 "Keep it under a (new) passphrase [of $EBB_NEW_PASSPHRASE_FILE; where it is under "
                 "none, else of $EBB_PASSPHRASE_FILE; or asked for]");
  add(
      "admit", "Say what it takes to be let in",
      [&p](const Context& c) { return run_mesh_admit(c, p.admit); }, mesh)
      ->add_option("policy", p.admit, "secret: the mesh's file; invite: an invite or a certificate")
      ->required()
      ->check(CLI::IsMember({"secret", "invite"}))
      ->type_name("secret|invite");
}

void CommandLine::add_event_commands() {
  group_ = "Events";
  Parsed& p = parsed_;
  CLI::App* append = add("append", "Append an event, or a file of them; prints the dots (log:seq)",
                         [&p](const Context& c) { return run_append(c, p.append); });
  append->add_option("type", p.append.type, "Type of the event")->type_name("TYPE");
  append->add_option("fields", p.append.pairs, "Fields of the payload: JSON where it is, else text")
      ->type_name("k=v");
  append->add_option("--payload", p.append.payload, "The whole payload")->type_name("JSON");
  append->add_option("--topic", p.append.topic, "Topic [events]");
  append->add_option("--source", p.append.source,
                     "Whose event it is where not this device's: a kiosk, a sensor");
  append->add_option("--ts", p.append.ts, "Time of the event: RFC 3339 or ms since 1970 [now]");
  append->add_option("--id", p.append.id, "UUID; a repeated one gives the first dot");
  append->add_option("--ndjson", p.append.ndjson, "Append one event object a line; - is stdin")
      ->type_name("FILE");
  CLI::App* tail = add("tail", "Print all events, log by log; NDJSON when piped",
                       [&p](const Context& c) { return run_tail(c, p.tail); });
  tail->add_flag("-f,--follow", p.tail.follow, "Print events from now on as they come");
  tail->add_option("--type", p.tail.type, "Only of this type");
  tail->add_option("--topic", p.tail.topic, "Only of this topic");
  tail->add_option("--device", p.tail.device, "Only of this device (a beginning of its id)");
  tail->add_option("--limit", p.tail.limit,
                   "Only the newest N (at most 10000); with -f end after N")
      ->check([](const std::string& text) { return why_no_count(text); });
}

void CommandLine::add_state_commands() {
  group_ = "State";
  Parsed& p = parsed_;
  CLI::App* query = add("query", "Print a view's value and what it stands on",
                        [&p](const Context& c) { return run_query(c, p.query); });
  query
      ->add_option("view", p.query.view, "A view; every event type has one of its name. None: list")
      ->type_name("VIEW");
  query->add_option("--from", p.query.from, "Begin of the windows: RFC 3339 or ms since 1970");
  query->add_option("--to", p.query.to, "End of the windows, itself not included");
  const auto add_object = [&](const char* name, const char* does, Action action,
                              const std::vector<std::string>& operations, const char* operand) {
    CLI::App* command = add(name, does, std::move(action));
    command->add_option("name", p.object.name, "Its name")->required()->type_name("NAME");
    command->add_option("operation", p.object.operation, "What to do with it; without: print it")
        ->check(CLI::IsMember(operations))
        ->type_name(operations.size() == 1 ? "add" : "add|remove");
    command->add_option("operand", p.object.operand, "What to do it with")->type_name(operand);
    command->add_option("--topic", p.object.topic, "Topic [events]");
    command->add_option("--id", p.object.id, "UUID of a change; a repeated one changes nothing");
  };
  add_object(
      "counter", "Print a counter, or add to it",
      [&p](const Context& c) { return run_counter(c, p.object); }, {"add"}, "N");
  add_object(
      "set", "Print a set, or change it", [&p](const Context& c) { return run_set(c, p.object); },
      {"add", "remove"}, "X");
  add("digest", "Print the digest of the state", [](const Context& c) { return run_digest(c); });
  CLI::App* sql = add("sql", "Ask in SQL, read-only: events, heads, devices, reconciliations",
                      [&p](const Context& c) { return run_sql(c, p.statement); });
  sql->add_option("statement", p.statement, "One statement")->required()->type_name("STATEMENT");
}

void CommandLine::add_looking_commands() {
  group_ = "Node and mesh";
  Parsed& p = parsed_;
  add_watch(add("status", "How the node is, on one screen; exit code 4 when bad",
                [&p](const Context& c) { return run_status(c, p.watch); }));
  add_watch(add("links", "Open links with what flows on them",
                [&p](const Context& c) { return run_links(c, p.watch); }));
  CLI::App* peers = add("peers", "Known nodes, their addresses and what is wrong with them",
                        [&p](const Context& c) { return run_peers(c, p.watch); });
  add_watch(peers);
  add(
      "add", "Dial one more node until this one is started again",
      [&p](const Context& c) { return run_peers_add(c, p.peer_address); }, peers)
      ->add_option("address", p.peer_address, "host:port")
      ->required()
      ->type_name("ADDR");
  add("heads", "The newest event held of each log", [](const Context& c) { return run_heads(c); });
  CLI::App* trace = add("trace", "Past exchanges with other nodes (reconciliations), newest first",
                        [&p](const Context& c) { return run_trace(c, p.trace); });
  trace->add_option("peer", p.trace.peer, "Only with this device (a beginning of its id)")
      ->type_name("PEER");
  trace->add_option("--limit", p.trace.limit, "How many [20]")->check(CLI::Range(1, 10000));
}

void CommandLine::add_upkeep_commands() {
  group_ = "Upkeep";
  Parsed& p = parsed_;
  add("verify", "Check all chains and signatures; works without a node too",
      [&p](const Context& c) { return run_verify(c, p.verify_state); })
      ->add_flag("--state", p.verify_state, "Recompute the state from the events as well");
  CLI::App* config = add("config", "The configuration in effect", nullptr);
  config->require_subcommand(1);
  CLI::App* shown = add(
      "show", "Print every setting",
      [&p](const Context& c) { return run_config_show(c, p.config); }, config);
  shown->add_flag("--origin", p.config.with_origin, "Say which of flag, environment, file won");
  add_daemon_flags(shown, p.config.daemon);
  add_daemon_flags(add(
                       "check", "Say whether the configuration is right",
                       [&p](const Context& c) { return run_config_check(c, p.config); }, config),
                   p.config.daemon);
  add("version", "Print the version", [](const Context& c) { return run_version(c); });
}

CommandLine::CommandLine() {
  // Before the commands are added, which inherit it: global flags may stand behind them too.
  app_.fallthrough();
  app_.require_subcommand(1);
  app_.option_defaults()->always_capture_default(false);
  add_globals();
  add_node_commands();
  add_joining_commands();
  add_event_commands();
  add_state_commands();
  add_looking_commands();
  add_upkeep_commands();
  app_.footer("What the words mean: docs/architecture.md, Words. Exit codes: docs/cli.md.");
}

int run_arguments(const std::vector<std::string>& arguments, const LocalCommands& local,
                  Terminal& terminal) {
  return CommandLine().run(arguments, local, terminal);
}

}  // namespace ebb::cli
