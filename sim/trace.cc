#include "sim/trace.h"

#include <array>
#include <string_view>
#include <variant>

#include "sim/words.h"

namespace ebb::sim {
namespace {

// Writes fields one after another; each is of fixed size or has its length in front.
class FieldWriter {
 public:
  explicit FieldWriter(TraceMix& out) : out_(out) {}

  void number(std::uint64_t value) { out_.word(value); }
  void bytes(ByteView value) {
    number(value.size());
    out_.bytes(value);
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }
  void position(const Position& value) {
    number(value.seq);
    out_.bytes(value.chain.view());
  }
  void head(const mesh::StoredHead& value) {
    out_.bytes(value.log.view());
    position(value.held);
    number(value.hlc.value);
    number(value.arrival);
    number(value.capped ? 1 : 0);
  }
  void segment(const trust::VerifiedSegment& value) {
    out_.bytes(value.log.view());
    number(value.first_seq);
    number(value.count);
    out_.bytes(value.chain.view());
    number(value.invalid_from);
  }
  void failure(const std::optional<Error>& value) {
    number(value ? static_cast<std::uint64_t>(value->code) + 1 : 0);
  }

  void operator()(const mesh::LinkUp& input) {
    number(input.link.value);
    number(input.dialled ? 1 : 0);
    text(input.remote);
  }
  void operator()(const mesh::LinkDown& input) {
    number(input.link.value);
    text(input.reason);
  }
  void operator()(const mesh::StreamBytes& input) {
    number(input.link.value);
    bytes(input.bytes);
  }
  void operator()(const mesh::SendProgress& input) {
    number(input.link.value);
    number(input.waiting_bytes);
  }
  void operator()(const mesh::Datagram& input) {
    text(input.from);
    bytes(input.bytes);
  }
  void operator()(const mesh::Committed& input) {
    number(input.token.value);
    failure(input.failed);
    number(input.outcomes.size());
    for (const mesh::CommitOutcome outcome : input.outcomes) {
      number(static_cast<std::uint64_t>(outcome));
    }
    number(input.advanced.size());
    for (const mesh::StoredHead& advanced : input.advanced)
      head(advanced);
    number(input.own_segments.size());
    for (const trust::VerifiedSegment& own : input.own_segments)
      segment(own);
    number(input.presences.size());
    for (const mesh::HeldPresence& held : input.presences) {
      out_.bytes(held.device.view());
      number(held.hlc.value);
      bytes(codec::encode_presence(held.said));
    }
    number(input.arrival_head);
  }
  void operator()(const mesh::ReadDone& input) {
    number(input.token.value);
    failure(input.failed);
    number(input.segments.size());
    for (const SharedBytes& read : input.segments)
      bytes(*read);
  }
  void operator()(const mesh::Tick&) {}
  void operator()(const mesh::LocalTime& input) {
    number(static_cast<std::uint64_t>(input.day));
    number(static_cast<std::uint64_t>(input.minute));
  }
  void operator()(const mesh::AddPeer& input) { text(input.address); }
  void operator()(const mesh::AddressHeard& input) { text(input.address); }
  void operator()(const mesh::Shutdown&) {}
  void operator()(const mesh::IncarnationBegun& input) {
    number(input.incarnation);
    number(input.epoch);
  }
  void operator()(const mesh::EpochTaken& input) { number(input.epoch); }
  void operator()(const mesh::IssueWanted& input) { number(input.token.value); }
  void operator()(const mesh::PolicyWanted& input) { number(input.token.value); }
  void operator()(const mesh::InvitesChanged& input) { number(input.invites.size()); }
  void operator()(const mesh::AddressesChanged& input) {
    number(input.addresses.size());
    for (const std::string& address : input.addresses)
      text(address);
  }
  void operator()(const mesh::ClockJudged& input) { number(input.suspect ? 1 : 0); }

  void commit(const mesh::Commit& effect) {
    number(effect.token.value);
    number(effect.segments.size());
    for (const trust::VerifiedSegment& one : effect.segments)
      segment(one);
    number(effect.cursors.size());
    for (const mesh::CursorMoved& moved : effect.cursors) {
      out_.bytes(moved.peer.view());
      number(moved.cursor.epoch);
      number(moved.cursor.arrival);
    }
    number(effect.reconciliations.size());
    for (const mesh::Reconciliation& row : effect.reconciliations)
      reconciliation(row);
    number(effect.peers.size());
    for (const mesh::PeerSeen& seen : effect.peers) {
      out_.bytes(seen.device.view());
      text(seen.address);
      number(static_cast<std::uint64_t>(seen.heard.ms));
    }
  }

  void reconciliation(const mesh::Reconciliation& row) {
    out_.bytes(row.id.view());
    out_.bytes(row.peer.view());
    text(row.kind);
    text(row.outcome);
    number(static_cast<std::uint64_t>(row.started.ms));
    number(static_cast<std::uint64_t>(row.duration.us));
    for (const std::uint64_t value :
         {row.rounds, row.heads_compared, row.events_in, row.events_out, row.bytes_in,
          row.bytes_out, row.held_before, row.known_before, row.held_after, row.known_after}) {
      number(value);
    }
    out_.bytes(row.root_before.view());
    out_.bytes(row.root_after.view());
  }

  void effects(const mesh::Effects& out) {
    for (const std::size_t size :
         {out.sends.size(), out.datagrams.size(), out.dials.size(), out.closes.size(),
          out.commits.size(), out.reads.size(), out.faults.size(), out.notices.size(),
          out.clocks.size(), out.records.size()}) {
      number(size);
    }
    for (const mesh::Send& effect : out.sends) {
      number(effect.link.value);
      bytes(effect.bytes);
    }
    for (const mesh::SendDatagram& effect : out.datagrams) {
      text(effect.to);
      bytes(effect.bytes);
    }
    for (const mesh::Dial& effect : out.dials) {
      number(effect.link.value);
      text(effect.address);
    }
    for (const mesh::Close& effect : out.closes) {
      number(effect.link.value);
      text(effect.reason);
    }
    for (const mesh::Commit& effect : out.commits)
      commit(effect);
    for (const mesh::Read& effect : out.reads) {
      number(effect.token.value);
      out_.bytes(effect.log.view());
      number(effect.from);
      number(effect.to);
      number(effect.bytes_max);
    }
    for (const mesh::PeerFault& effect : out.faults) {
      number(effect.link.value);
      text(effect.reason);
    }
    for (const mesh::Notice& effect : out.notices) {
      number(static_cast<std::uint64_t>(effect.kind));
      number(effect.link.value);
      text(effect.text);
    }
    for (const mesh::PeerClockMoved& effect : out.clocks) {
      number(effect.clock ? effect.clock->peers : 0);
      number(effect.clock ? static_cast<std::uint64_t>(effect.clock->at_origin.ms) : 0);
    }
    for (const mesh::WriteRecord& effect : out.records) {
      text(effect.type);
      bytes(effect.payload);
    }
  }

 private:
  TraceMix& out_;
};

// In the order of mesh::Input.
constexpr std::array<std::string_view, std::variant_size_v<mesh::Input>> kInputNames = {
    "link_up",   "link_down",         "stream_bytes", "send_progress", "datagram",
    "committed", "read_done",         "tick",         "local_time",    "add_peer",
    "shutdown",  "incarnation_begun", "epoch_taken",  "clock_judged",  "addresses_changed"};

std::string place(Instant now, HostIndex host) {
  return std::to_string(now.us) + " us, host " + std::to_string(host) + ": ";
}

void list(std::string& line, std::string_view name, std::size_t count) {
  if (count == 0) return;
  line += ' ';
  line += name;
  line += '=' + std::to_string(count);
}

}  // namespace

void TraceMix::bytes(ByteView view) {
  words_of(view, [this](std::uint64_t value) { word(value); });
}

void TraceMix::stir() {
  std::uint64_t carry = 0;
  for (std::uint64_t& lane : lanes_) {
    lane = (lane + carry) * kOdd;
    lane ^= lane >> 32;
    carry = lane;
  }
}

Hash TraceMix::hash() const {
  Bytes bytes;
  for (const std::uint64_t lane : lanes_)
    append_be64(bytes, lane);
  return *Hash::from(bytes);
}

void Trace::begin_step(Instant now, HostIndex host, std::uint64_t life, const mesh::Input& input) {
  FieldWriter writer(mix_);
  writer.number(static_cast<std::uint64_t>(now.us));
  writer.number(host);
  writer.number(life);
  writer.number(input.index());
  std::visit(writer, input);
  if (!lines_) return;
  line_ = place(now, host);
  line_ += kInputNames[input.index()];
  if (const auto* bytes = std::get_if<mesh::StreamBytes>(&input)) {
    line_ += ' ' + std::to_string(bytes->bytes.size()) + " B";
  }
}

void Trace::end_step(const mesh::Effects& effects) {
  FieldWriter(mix_).effects(effects);
  mix_.stir();
  ++steps_;
  if (!lines_) return;
  line_ += " ->";
  list(line_, "sends", effects.sends.size());
  list(line_, "datagrams", effects.datagrams.size());
  list(line_, "dials", effects.dials.size());
  list(line_, "commits", effects.commits.size());
  list(line_, "reads", effects.reads.size());
  for (const mesh::Close& effect : effects.closes)
    line_ += " close(" + effect.reason + ")";
  for (const mesh::PeerFault& effect : effects.faults) {
    line_ += " fault(" + std::string(effect.reason) + ": " + effect.detail + ")";
  }
  for (const mesh::Notice& effect : effects.notices)
    line_ += " notice(" + effect.text + ")";
  lines_(line_);
}

void Trace::note(Instant now, HostIndex host, const std::string& text) {
  FieldWriter writer(mix_);
  writer.number(static_cast<std::uint64_t>(now.us));
  writer.number(host);
  writer.text(text);
  mix_.stir();
  if (lines_) lines_(place(now, host) + text);
}

}  // namespace ebb::sim
