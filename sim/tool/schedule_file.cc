#include "sim/tool/schedule_file.h"

#include <charconv>
#include <optional>
#include <type_traits>
#include <vector>

#include "sim/tool/toml_reader.h"

namespace ebb::sim_tool {
namespace {

using sim::Fault;
using sim::kFaultClasses;
using sim::Options;
using sim::PlannedFault;

constexpr std::int64_t kNodesMax = 100000;

// Every field but the classes, once for writing and once for reading. A field that is missing here
// is found by the test that writes and reads what seeds expand to.
template <class OptionsRef, class Visit>
void visit_options(OptionsRef& o, const Visit& visit) {
  visit("seed", o.seed);
  visit("scenario", o.scenario);
  visit("nodes", o.nodes);
  visit("real", o.real);
  visit("real_channel", o.real_channel);
  visit("secret", o.secret);
  visit("chaos_us", o.chaos);
  visit("rounds_max", o.rounds_max);
  visit("append_batches", o.append_batches);
  visit("steady_interval_us", o.steady_interval);
  visit("extra_peers", o.extra_peers);
  visit("wall_skew_max_us", o.wall_skew_max);
  visit("bug", o.bug);
  visit("mixed_wire", o.mixed_wire);
  visit("partial", o.partial);
  visit("scopes_move", o.scopes_move);
  visit("issuers", o.issuers);
  visit("late", o.late);
  visit("expired", o.expired);
  visit("outsider", o.outsider);
  visit("outsider_is_certified", o.outsider_is_certified);
  visit("narrow", o.narrow);
  visit("blind", o.blind);
  visit("renewals", o.renewals);
  visit("strangers", o.strangers);
  visit("lan", o.lan);
  visit("lone", o.lone);
  visit("liar", o.liar);
  visit("lies_permille", o.lies_permille);
  visit("floods", o.floods);
  visit("left_out", o.left_out);
  visit("left_out_read_rate", o.left_out_read_rate);
  visit("left_out_is_deaf", o.left_out_is_deaf);
  visit("left_out_writes", o.left_out_writes);
  visit("quota_events", o.quota_events);
  visit("restore", o.restore);
  visit("restore_gap", o.restore_gap);
  visit("restore_quiet", o.restore_quiet);
}

template <class RareRef, class Visit>
void visit_rare(RareRef& r, const Visit& visit) {
  visit("on", r.on);
  visit("heads_per_message", r.tuning.heads_per_message);
  visit("credit_bytes", r.tuning.credit_bytes);
  visit("delta_bytes", r.tuning.delta_bytes);
  visit("push_bytes", r.tuning.push_bytes);
  visit("chunk_bytes", r.tuning.chunk_bytes);
  visit("catch_ups", r.tuning.catch_ups);
  visit("inbound_bytes", r.tuning.inbound_bytes);
  visit("decoded_bytes", r.tuning.decoded_bytes);
  visit("trial_events", r.tuning.trial_events);
  visit("part_bytes", r.tuning.part_bytes);
  visit("worth_sharing_ms", r.tuning.worth_sharing_ms);
  visit("wire_version", r.tuning.wire_version);
  visit("ping_idle_us", r.ping_idle);
  visit("dead_after_us", r.dead_after);
  visit("handshake_timeout_us", r.handshake_timeout);
  visit("dial_backoff_max_us", r.dial_backoff_max);
  visit("gossip_interval_us", r.gossip_interval);
  visit("shuffle_interval_us", r.shuffle_interval);
  visit("have_batch_us", r.have_batch);
  visit("have_batch_max_us", r.have_batch_max);
  visit("refresh_interval_us", r.refresh_interval);
}

template <class NetworkRef, class Visit>
void visit_network(NetworkRef& n, const Visit& visit) {
  visit("latency_min_us", n.latency_min);
  visit("latency_max_us", n.latency_max);
  visit("jitter_us", n.jitter);
  visit("rate", n.rate);
  visit("chunk_bytes_max", n.chunk_bytes_max);
  visit("cuts", n.cuts);
  visit("stream_loss_permille", n.stream_loss_permille);
  visit("stream_resets_per_million", n.stream_resets_per_million);
  visit("stream_flips_per_million", n.stream_flips_per_million);
  visit("datagram_loss_permille", n.datagram_loss_permille);
  visit("datagram_duplicate_permille", n.datagram_duplicate_permille);
  visit("datagram_reorder_permille", n.datagram_reorder_permille);
  visit("datagram_forge_permille", n.datagram_forge_permille);
  visit("datagram_flip_permille", n.datagram_flip_permille);
  visit("dial_timeout_us", n.dial_timeout);
}

template <class DiskRef, class Visit>
void visit_disk(DiskRef& d, const Visit& visit) {
  visit("commit_min_us", d.commit_min);
  visit("commit_max_us", d.commit_max);
  visit("read_max_us", d.read_max);
  visit("commit_late_permille", d.commit_late_permille);
  visit("commit_fail_permille", d.commit_fail_permille);
  visit("read_late_permille", d.read_late_permille);
  visit("read_fail_permille", d.read_fail_permille);
}

struct Writer {
  std::string& text;

  void line(const char* key, const std::string& value) const {
    text.append(key).append(" = ").append(value).append("\n");
  }
  template <class Value>
  void operator()(const char* key, const Value& value) const {
    if constexpr (std::is_same_v<Value, std::string>) {
      line(key, '"' + value + '"');
    } else if constexpr (std::is_same_v<Value, bool>) {
      line(key, value ? "true" : "false");
    } else if constexpr (std::is_same_v<Value, Duration>) {
      line(key, std::to_string(value.us));
    } else if constexpr (std::is_enum_v<Value>) {
      line(key, std::to_string(static_cast<unsigned>(value)));
    } else if constexpr (std::is_same_v<Value, std::optional<sim::HostIndex>>) {
      if (value) line(key, std::to_string(*value));
    } else {
      line(key, std::to_string(value));
    }
  }
};

struct Reader {
  TomlReader& reader;

  template <class Value>
  void operator()(const char* key, Value& value) const {
    if constexpr (std::is_same_v<Value, std::string>) {
      reader.text(key, value);
    } else if constexpr (std::is_same_v<Value, bool>) {
      reader.boolean(key, value);
    } else if constexpr (std::is_same_v<Value, Duration>) {
      reader.integer(key, value.us);
    } else if constexpr (std::is_enum_v<Value>) {
      std::int64_t number = static_cast<std::int64_t>(value);
      reader.integer(key, number, 0, 255);
      value = static_cast<Value>(number);
    } else if constexpr (std::is_same_v<Value, std::optional<sim::HostIndex>>) {
      sim::HostIndex host = 0;
      if (!reader.has(key)) {
        reader.integer(key, host);
        return;
      }
      reader.integer(key, host, 0, kNodesMax);
      value = host;
    } else {
      reader.integer(key, value);
    }
  }
};

std::string classes_text(const sim::FaultSet& classes) {
  std::string list;
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    if (!classes[i]) continue;
    list += list.empty() ? "\"" : ", \"";
    list += std::string(sim::kFaultTable[i].name) + '"';
  }
  return '[' + list + ']';
}

std::optional<Fault> class_named(std::string_view name) {
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    if (sim::kFaultTable[i].name == name) return static_cast<Fault>(i);
  }
  return std::nullopt;
}

void write_fault(std::string& text, const PlannedFault& fault) {
  const Writer write{text};
  text += "\n[[fault]]\n";
  write("class", std::string(sim::fault_name(fault.kind)));
  write("at_us", fault.at.us);
  write("lasts_us", fault.duration);
  write("host", fault.host);
  write("other", fault.other);
  std::string side;
  for (std::size_t host = 0; host < fault.other_side.size(); ++host) {
    if (fault.other_side[host]) side += (side.empty() ? "" : ", ") + std::to_string(host);
  }
  write.line("other_side", '[' + side + ']');
  write.line("amount", '"' + std::to_string(fault.amount) + '"');  // may pass what TOML can count
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

Status read_fault(TomlReader& reader, const Options& options, PlannedFault& fault) {
  const auto last_host = static_cast<std::int64_t>(options.nodes) - 1;
  reader.required("class");
  reader.parsed<Fault>("class", fault.kind, class_named, "must be a fault class");
  reader.integer("at_us", fault.at.us);
  reader.integer("lasts_us", fault.duration.us);
  reader.integer("host", fault.host, 0, last_host);
  reader.integer("other", fault.other, 0, last_host);
  std::vector<std::int64_t> side;
  reader.integers("other_side", side, 0, last_host);
  reader.parsed<std::uint64_t>("amount", fault.amount, whole_number, "must be a whole number");
  fault.other_side.assign(options.nodes, false);
  for (const std::int64_t host : side)
    fault.other_side[static_cast<std::size_t>(host)] = true;
  return reader.finish();
}

void read_classes(TomlReader& reader, Options& options) {
  std::vector<std::string> names;
  reader.texts("classes", names);
  for (const std::string& name : names) {
    const std::optional<Fault> fault = class_named(name);
    if (!fault) return reader.wrong("classes", "there is no fault class " + name);
    options.enabled[static_cast<std::size_t>(*fault)] = true;
  }
  reader.integer("hosts_behind_nat", options.planned[static_cast<std::size_t>(Fault::kBehindNat)]);
}

void check_hosts(TomlReader& reader, const Options& options) {
  if (options.nodes == 0 || options.nodes > static_cast<std::size_t>(kNodesMax)) {
    reader.wrong("nodes", "must be from 1 to " + std::to_string(kNodesMax));
  }
  if (options.left_out && *options.left_out >= options.nodes) {
    reader.wrong("left_out", "must be a host");
  }
}

}  // namespace

std::string write_schedule(const ScheduleFile& file) {
  const Options& options = file.schedule.options;
  std::string text = "# A schedule of ebb-sim: `ebb-sim replay FILE` runs it.\n\n";
  const Writer write{text};
  write("failure", file.expected.failure);
  write("trace", file.expected.trace);
  text += "\n[options]\n";
  visit_options(options, write);
  write.line("classes", classes_text(options.enabled));
  write("hosts_behind_nat", options.planned_of(Fault::kBehindNat));
  text += "\n[options.rare]\n";
  visit_rare(options.rare, write);
  text += "\n[options.network]\n";
  visit_network(options.network, write);
  text += "\n[options.disk]\n";
  visit_disk(options.disk, write);
  for (const PlannedFault& fault : file.schedule.faults)
    write_fault(text, fault);
  return text;
}

Result<ScheduleFile> read_schedule(const std::string& text, const std::string& name) {
  EBB_ASSIGN(const toml::table table, parse_toml(text, name));
  ScheduleFile file;
  Options& options = file.schedule.options;
  TomlReader root(table, name);
  root.text("failure", file.expected.failure);
  root.text("trace", file.expected.trace);
  root.required("options");
  if (auto reader = root.table("options")) {
    visit_options(options, Reader{*reader});
    read_classes(*reader, options);
    if (auto rare = reader->table("rare")) {
      visit_rare(options.rare, Reader{*rare});
      reader->take(rare->finish());
    }
    if (auto network = reader->table("network")) {
      visit_network(options.network, Reader{*network});
      reader->take(network->finish());
    }
    if (auto disk = reader->table("disk")) {
      visit_disk(options.disk, Reader{*disk});
      reader->take(disk->finish());
    }
    check_hosts(*reader, options);
    root.take(reader->finish());
  }
  if (!root.ok()) return root.finish().error();
  for (TomlReader& reader : root.tables("fault")) {
    PlannedFault fault;
    EBB_RETURN_IF_ERROR(read_fault(reader, options, fault));
    if (fault.kind != Fault::kBehindNat) {
      ++options.planned[static_cast<std::size_t>(fault.kind)];
    }
    file.schedule.faults.push_back(std::move(fault));
  }
  EBB_RETURN_IF_ERROR(root.finish());
  return file;
}

}  // namespace ebb::sim_tool
