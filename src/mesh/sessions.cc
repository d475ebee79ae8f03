#include "mesh/sessions.h"

#include <iterator>
#include <utility>

#include "core/limits.h"

namespace ebb::mesh {
namespace {

bool is_over(const Session& session, Instant now) {
  return session.ended && now - *session.ended >= milliseconds(limits::kDatagramKeysMs);
}

std::string_view words_of(channel::Unopened why) {
  switch (why) {
    case channel::Unopened::kReplayed:
      return "replayed";
    case channel::Unopened::kBadTag:
      return "bad_tag";
    case channel::Unopened::kMalformed:
      break;
  }
  return "malformed";
}

}  // namespace

bool SessionTable::add(NewSession made, Instant now) {
  if (!is_free(made.index) || made.peer_index == 0) return false;
  if (sessions_.size() >= limits::kDatagramSessions && !make_room()) return false;
  const channel::ReceiverIndex index = made.index;
  OfDevice& known = devices_[made.device];
  Session& added = sessions_.try_emplace(index, std::move(made), now, ++handshakes_).first->second;
  place(known, index, added);
  plan();
  return true;
}

void SessionTable::place(OfDevice& known, channel::ReceiverIndex index, Session& added) {
  const auto before = sessions_.find(known.seals);
  if (before == sessions_.end()) {
    known.seals = index;
    return;
  }
  const Session& old = before->second;
  if (added.address.empty()) added.address = old.address;
  added.agreed = old.agreed;
  const bool overlap = added.made_at - old.made_at < kOverlap;
  const bool stays = overlap && old.by_smaller && !added.by_smaller;
  const channel::ReceiverIndex third = known.other;
  known.other = stays ? index : known.seals;
  known.seals = stays ? known.seals : index;
  if (const auto at = sessions_.find(third); at != sessions_.end()) sessions_.erase(at);
}

bool SessionTable::make_room() {
  auto first = sessions_.end();
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
    if (!at->second.ended) continue;
    if (first == sessions_.end() || *at->second.ended < *first->second.ended) first = at;
  }
  if (first == sessions_.end()) return false;
  erase(first);
  return true;
}

void SessionTable::erase(Sessions::iterator at) {
  const auto row = devices_.find(at->second.device);
  OfDevice& known = row->second;
  if (known.other == at->first) {
    known.other = 0;
  } else {
    known.seals = std::exchange(known.other, 0);
  }
  if (known.seals == 0) devices_.erase(row);
  sessions_.erase(at);
}

void SessionTable::link_ended(LinkId link, Instant now) {
  for (auto& [index, session] : sessions_) {
    if (session.link == link && !session.ended) session.ended = now;
  }
  plan();
}

Session* SessionTable::of_device(const DeviceId& device, Instant now) {
  const auto row = devices_.find(device);
  if (row == devices_.end()) return nullptr;
  const auto at = sessions_.find(row->second.seals);
  return is_over(at->second, now) ? nullptr : &at->second;
}

void SessionTable::forget(const DeviceId& device) {
  const auto row = devices_.find(device);
  if (row == devices_.end()) return;
  sessions_.erase(row->second.seals);
  sessions_.erase(row->second.other);
  devices_.erase(row);
  plan();
}

void SessionTable::expire(Instant now) {
  if (!next_expiry_ || *next_expiry_ > now) return;
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto next = std::next(at);
    if (is_over(at->second, now)) erase(at);
    at = next;
  }
  plan();
}

void SessionTable::plan() {
  next_expiry_.reset();
  for (const auto& [index, session] : sessions_) {
    if (!session.ended) continue;
    const Instant over = *session.ended + milliseconds(limits::kDatagramKeysMs);
    if (!next_expiry_ || over < *next_expiry_) next_expiry_ = over;
  }
}

// Of a later handshake than that which we seal with: the other end has chosen it, or knows no
// other. Those before it have nothing more to say.
void SessionTable::settle_on(OfDevice& known, channel::ReceiverIndex index, const Session& opened) {
  if (known.other == 0) return;
  const channel::ReceiverIndex second = known.seals == index ? known.other : known.seals;
  if (sessions_.at(second).number > opened.number) return;
  known = {index, 0};
  sessions_.erase(second);
}

std::variant<SessionTable::Opened, std::string_view> SessionTable::open(ByteView wire,
                                                                        Instant now) {
  const auto index = channel::datagram_index(wire);
  if (!index) return std::string_view("malformed");
  const auto at = sessions_.find(*index);
  if (at == sessions_.end() || is_over(at->second, now)) return std::string_view("unknown_index");
  auto result = at->second.opener.open(wire);
  if (const auto* why = std::get_if<channel::Unopened>(&result)) return words_of(*why);
  settle_on(devices_.at(at->second.device), *index, at->second);
  return Opened{&at->second, std::get<channel::OpenedDatagram>(std::move(result))};
}

}  // namespace ebb::mesh
