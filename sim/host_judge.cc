// What a host judges its own engine by.
#include "sim/host.h"

namespace ebb::sim {
namespace {

// A header that was flipped may announce one record, and a piece brings a part of the next.
constexpr std::size_t kBytesBehindFlip = 64000;

}  // namespace

void Host::check_flip(mesh::LinkId link) {
  const auto bytes = world_.network.bytes_since_flip(setup_.index, link);
  if (!bytes || *bytes < kBytesBehindFlip || !world_.network.is_open(setup_.index, link)) return;
  world_.observer.trouble(setup_.index, "a link goes on behind a byte that was flipped");
}

// What a stranger has done is told of nobody, or of that stranger.
bool Host::is_strangers(const mesh::PeerFault& fault) const {
  const DeviceId* const stranger = world_.network.stranger(setup_.index, fault.link);
  if (stranger == nullptr || (fault.peer && fault.peer != *stranger)) return false;
  return fault.reason == "bad_channel" || fault.reason == "no_access" ||
         fault.reason == "bad_proof";
}

void Host::judge(const mesh::Effects& effects) {
  if (!honest()) return;
  // Before a peer has said who it is, it may be the liar.
  const auto is_liar = [this](const std::optional<DeviceId>& peer) {
    const bool exists = world_.liar != nullptr && world_.liar->has_value();
    return exists && (!peer || peer == **world_.liar);
  };
  for (const mesh::PeerFault& effect : effects.faults) {
    // Whose disk does not read cannot answer: it is left alone for a while, and that is right.
    const bool cannot_read = world_.counts.of(Fault::kReadFails) > 0;
    if (cannot_read && effect.reason == "empty_answers") continue;
    if (is_liar(effect.peer)) continue;
    if (effect.reason == "bad_channel" || effect.reason == "no_access") {
      if (world_.network.bytes_since_flip(setup_.index, effect.link)) continue;
    }
    if (is_strangers(effect)) continue;
    world_.observer.trouble(setup_.index, "an honest peer is blamed: " +
                                              std::string(effect.reason) + " " + effect.detail);
  }
  for (const mesh::Notice& effect : effects.notices) {
    // What a liar says of history is no news; that it was believed is.
    const bool said = effect.kind == mesh::NoticeKind::kForkSuspected ||
                      effect.kind == mesh::NoticeKind::kRefused;
    const bool about_history =
        (said && !is_liar(effect.peer) &&
         !(effect.kind == mesh::NoticeKind::kForkSuspected && fork_expected_)) ||
        (effect.kind == mesh::NoticeKind::kSetBackFound && !is_liar(effect.peer) &&
         !rollback_expected_) ||
        (effect.kind == mesh::NoticeKind::kRollbackFound && !rollback_expected_);
    // What is slow or stands still by a fault is given up too; when is no business of a host.
    const bool is_given_up =
        effect.kind == mesh::NoticeKind::kLinkClosed && effect.text == "no progress";
    if (is_given_up && !is_liar(effect.peer)) world_.observer.given_up(setup_.index);
    if (about_history) world_.observer.trouble(setup_.index, "unfounded notice: " + effect.text);
  }
}

}  // namespace ebb::sim
