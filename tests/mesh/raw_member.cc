#include "tests/mesh/raw_member.h"

#include "trust/genesis.h"

namespace ebb::tests {
namespace {

// Above all that a rig gives to its streams.
constexpr std::uint64_t kFirstLink = std::uint64_t{1} << 40;

}  // namespace

RawMember::RawMember(MemberRig& rig, const DeviceId& device, std::size_t at)
    : rig_(rig), at_(at), device_(device) {
  rig_.on_stray_send = [this](const mesh::Send& sent) {
    if (sent.link != link_) return;
    report_due_ = report_due_ || sent.report;
    hear(sent.bytes);
  };
}

RawMember::~RawMember() { rig_.on_stray_send = nullptr; }

void RawMember::connect(const mesh::ChannelClaim& claim) {
  const std::uint64_t number = ++rig_.strangers;
  link_ = {mesh::kInboundBit | (kFirstLink + number)};
  splitter_ = {};
  preamble_.clear();
  preamble_seen_ = report_due_ = false;
  bytes_came = record_bytes = batches = 0;
  frames_.clear();
  // Each from a host of its own: no source may begin too many handshakes.
  rig_.input(at_, mesh::LinkUp{link_, false, "by-stream" + std::to_string(number) + ":1"});
  rig_.input(at_, mesh::StreamBytes{link_, claim_preamble(device_, claim)});
  while (reports && drain()) {
  }
}

void RawMember::send(const codec::Message& message) {
  Bytes frame;
  codec::encode_frame(message, frame);
  send_frames(std::move(frame));
}

void RawMember::send_at_once(const codec::Message& first, const codec::Message& second) {
  Bytes frames;
  codec::encode_frame(first, frames);
  codec::encode_frame(second, frames);
  send_frames(std::move(frames));
}

void RawMember::send_frames(Bytes frames) {
  rig_.input(at_, mesh::StreamBytes{link_, std::move(frames)});
  while (reports && drain()) {
  }
}

void RawMember::become_member() {
  send(codec::AuthRecords{});
  send(codec::AuthGrant{codec::GrantedAccess::kFull, kAllRoles, ""});
  greet();
}

void RawMember::greet() {
  codec::Hello hello;
  hello.mesh = trust::mesh_id(rig_.genesis);
  hello.reconciliation.data[15] = 9;
  send(hello);
  send(codec::YourLogsSummary{});
}

bool RawMember::drain() {
  if (!std::exchange(report_due_, false)) return false;
  rig_.input(at_, mesh::SendProgress{link_, 0});
  return true;
}

void RawMember::hear(ByteView bytes) {
  bytes_came += bytes.size();
  Bytes rest = to_bytes(bytes);
  if (!preamble_seen_) {
    append(preamble_, rest);
    if (preamble_.size() < 2 || preamble_.size() < 2U + read_be16(preamble_)) return;
    preamble_seen_ = true;
    const std::size_t size = 2U + read_be16(preamble_);
    rest = to_bytes(ByteView(preamble_).subspan(size));
  }
  splitter_.push(std::move(rest));
  for (;;) {
    const Result<ByteView> frame = splitter_.next();
    if (!frame.ok() || frame->empty()) return;
    frames_.push_back(to_bytes(*frame));
    const Result<codec::Message> message = codec::decode_message(frames_.back());
    if (!message.ok()) continue;
    if (const auto* records = std::get_if<codec::AuthRecords>(&*message)) {
      for (const ByteView record : records->records)
        record_bytes += record.size();
      batches += records->more ? 0 : 1;
    }
  }
}

}  // namespace ebb::tests
