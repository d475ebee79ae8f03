#include "sim/lane.h"

#include <algorithm>

namespace ebb::sim {

std::optional<Instant> Lane::next() const {
  const std::optional<Instant> queued = queue_.next();
  if (inputs_.empty()) return queued;
  return queued ? std::min(*queued, inputs_.front().at) : inputs_.front().at;
}

bool Lane::is_for_closed(const mesh::Input& input) const {
  if (closed_.empty()) return false;
  const auto is_closed = [this](mesh::LinkId link) {
    return std::find(closed_.begin(), closed_.end(), link) != closed_.end();
  };
  if (const auto* bytes = std::get_if<mesh::StreamBytes>(&input)) return is_closed(bytes->link);
  if (const auto* progress = std::get_if<mesh::SendProgress>(&input))
    return is_closed(progress->link);
  if (const auto* up = std::get_if<mesh::LinkUp>(&input)) return is_closed(up->link);
  return false;
}

void Lane::run_until(Instant end) {
  const Instant last = end - microseconds(1);
  for (Arrival& arrival : inputs_) {
    // What the host itself had due before goes first.
    while (queue_.next() && *queue_.next() < arrival.at)
      queue_.run_next(arrival.at);
    queue_.set_now(std::max(queue_.now(), arrival.at));
    if (!is_for_closed(arrival.input)) sink_(std::move(arrival.input));
  }
  inputs_.clear();
  while (queue_.run_next(last)) {
  }
}

Call& Lane::add(Call::Kind kind) {
  Call& added = calls_.emplace_back();
  added.at = queue_.now();
  added.kind = kind;
  return added;
}

void Lane::dial(HostIndex, mesh::LinkId link, const std::string& address) {
  Call& added = add(Call::Kind::kDial);
  added.link = link;
  added.text = address;
}

void Lane::send(HostIndex, mesh::LinkId link, Bytes bytes, bool report) {
  Call& added = add(Call::Kind::kSend);
  added.link = link;
  added.bytes = std::move(bytes);
  added.flag = report;
}

void Lane::send_datagram(HostIndex, const std::string& to, Bytes bytes) {
  Call& added = add(Call::Kind::kSendDatagram);
  added.text = to;
  added.bytes = std::move(bytes);
}

void Lane::close(HostIndex, mesh::LinkId link) {
  closed_.push_back(link);
  add(Call::Kind::kClose).link = link;
}

void Lane::committed(HostIndex, const store::CommitResult& result) {
  std::vector<LogSpan> spans = spans_of(result);
  if (!spans.empty()) add(Call::Kind::kCommitted).spans = std::move(spans);
}

}  // namespace ebb::sim
