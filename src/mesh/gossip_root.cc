#include "mesh/gossip_root.h"

#include "mesh/covered.h"
#include "mesh/datagrams.h"
#include "mesh/scope.h"
#include "mesh/sync_answer.h"

namespace ebb::mesh {
namespace {

// The logs of the partner's device as we hold them.
void describe_view(Context& ctx, const Partner& partner, codec::RootDatagram& root) {
  const trust::FingerprintSum sum = ctx.heads.device_sum(partner.device);
  root.view = sum.fingerprint();
  root.view_count = sum.count();
  if (sum.count() > limits::kViewPerDatagram) return;
  for (const LogEntry* entry : ctx.heads.of_device(partner.device)) {
    if (entry->held.seq > 0) root.view_heads.push_back(listed_head(*entry));
  }
}

// Up to where all that the partner holds is stored here, by what a link or an agreement has shown.
codec::Cursor cursor_of(Context& ctx, const Partner& partner) {
  const auto it = ctx.cursors.find(partner.device);
  // One that a set-back store made void says nothing here; its HELLO is where that is shown.
  const bool counts = it != ctx.cursors.end() && it->second.cursor.arrival != kBeyondAll;
  const codec::Cursor of_links = counts ? it->second.cursor : codec::Cursor{};
  const Session* session = ctx.sessions.of_device(partner.device, ctx.now);
  if (session == nullptr || !session->agreed) return of_links;
  const codec::Cursor& agreed = *session->agreed;
  const bool further = of_links.epoch == agreed.epoch && of_links.arrival > agreed.arrival;
  return further ? of_links : agreed;
}

}  // namespace

codec::ListedHead listed_head(const LogEntry& entry) {
  return {entry.id, entry.held.seq, chain_prefix(entry.held.chain)};
}

RootsCompared compare_with(Context& ctx, const Partner& partner, const codec::RootDatagram& root) {
  const bool known =
      root.your_scope == ctx.scope_hash && root.my_scope == scope_hash_of(ctx, partner.device);
  if (!known) return RootsCompared::kNot;
  const trust::FingerprintSum mine = common_root_with(ctx, partner.device);
  const bool equal = root.root == mine.fingerprint() && root.count == mine.count();
  return equal ? RootsCompared::kEqual : RootsCompared::kDiffer;
}

codec::RootDatagram make_root(Context& ctx, const Partner& partner, codec::QuestionNumber question,
                              bool answer) {
  codec::RootDatagram root;
  root.question = question;
  const trust::FingerprintSum shared = common_root_with(ctx, partner.device);
  root.root = shared.fingerprint();
  root.count = shared.count();
  root.epoch = ctx.config.epoch;
  root.arrival_head = ctx.arrival_head;
  root.cursor = cursor_of(ctx, partner);
  describe_view(ctx, partner, root);
  root.listen_port = ctx.config.listen_port;
  root.answer = answer;
  root.my_scope = ctx.scope_hash;
  root.your_scope = scope_hash_of(ctx, partner.device);
  return root;
}

}  // namespace ebb::mesh
