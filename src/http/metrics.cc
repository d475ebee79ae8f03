#include <array>
#include <map>

#include "ebb/version.h"
#include "http/handlers.h"
#include "http/prometheus.h"

namespace ebb::http {
namespace {

constexpr std::array<std::string_view, 5> kLinkStates = {"connecting", "greeting", "reconciling",
                                                         "in_sync", "incomplete"};

void write_appends(PrometheusText& out, const node::NodeCounters& node) {
  out.counter("ebb_events_appended_total", "Events appended by local programs.",
              node.events_appended);
  out.counter("ebb_append_duplicates_total",
              "Events appended again under a client id that was stored before.",
              node.append_duplicates);
  out.family("ebb_appends_rejected_total", "counter",
             "Appends that were refused, by the reason's error code.");
  for (const auto& [reason, count] : node.appends_rejected)
    out.sample(count, {{"reason", reason}});
}

void write_store(PrometheusText& out, const node::NodeCounters& node,
                 const node::NodeStatus& status) {
  out.counter("ebb_commits_total", "Transactions committed.", node.commits);
  out.counter("ebb_commit_failures_total", "Transactions that failed and were rolled back.",
              node.commits_failed);
  out.histogram("ebb_commit_seconds", "How long a transaction took, its disk sync included.",
                node.commit_seconds);
  out.histogram("ebb_commit_events", "Events in one transaction.", node.commit_events);
  out.counter("ebb_state_flushes_total", "State written for queries, for all that waited at once.",
              node.state_flushes);
  out.counter("ebb_beacons_sent_total", "Beacons to the local network.", node.beacons.sent);
  out.counter("ebb_beacons_heard_total", "Beacons of other nodes of the mesh that were heard.",
              node.beacons.heard);
  out.counter("ebb_beacons_refused_total",
              "Datagrams at the beacon's port of nobody of the mesh nearby.", node.beacons.refused);
  out.counter("ebb_merges_total", "Runs of small segments merged into one.", node.merges);
  out.gauge("ebb_store_bytes", "Size of the database.", status.store_bytes);
  out.gauge("ebb_events_held", "Events stored here, of all devices.", status.events_held);
  out.gauge("ebb_events_known", "Events known to exist, held here or announced by a peer.",
            status.events_known);
  out.gauge("ebb_heads", "Logs held here.", status.heads);
  out.family("ebb_queue_bytes", "gauge", "Bytes that wait in a queue.");
  out.sample(status.append_queue_bytes, {{"queue", "append"}});
  out.sample(status.engine_queue_bytes, {{"queue", "engine"}});
}

void write_protocol(PrometheusText& out, const node::MeshCounters& mesh,
                    const node::NodeCounters& node, const node::Histogram& deltas) {
  out.counter("ebb_events_received_total", "Events received from peers that were new here.",
              mesh.events_received);
  out.counter("ebb_events_redundant_total", "Events received from peers that were here already.",
              mesh.events_redundant);
  out.counter("ebb_events_sent_total", "Events sent to peers.", mesh.events_sent);
  out.family("ebb_pushes_total", "counter", "Segments pushed live, by direction.");
  out.sample(mesh.pushes_received, {{"direction", "in"}});
  out.sample(mesh.pushes_sent, {{"direction", "out"}});
  out.histogram("ebb_delta_bytes", "Size of received DELTA messages.", deltas);
  out.histogram("ebb_convergence_seconds",
                "From the append on its device to the commit here, by the wall clocks of both.",
                node.convergence_seconds);
  out.family("ebb_messages_total", "counter", "Messages of the protocol, by kind and direction.");
  for (const auto& [kind, count] : mesh.messages) {
    out.sample(count.messages_in, {{"kind", kind}, {"direction", "in"}});
    out.sample(count.messages_out, {{"kind", kind}, {"direction", "out"}});
  }
  out.family("ebb_message_bytes_total", "counter",
             "Bytes of messages of the protocol, by kind and direction.");
  for (const auto& [kind, count] : mesh.messages) {
    out.sample(count.bytes_in, {{"kind", kind}, {"direction", "in"}});
    out.sample(count.bytes_out, {{"kind", kind}, {"direction", "out"}});
  }
  out.family("ebb_reconciliations_total", "counter", "Reconciliations, by outcome.");
  out.sample(mesh.reconciliations_in_sync, {{"outcome", "in_sync"}});
  out.sample(mesh.reconciliations_left_out, {{"outcome", "left_out"}});
  out.sample(mesh.reconciliations_interrupted, {{"outcome", "interrupted"}});
  out.sample(mesh.reconciliations_refused, {{"outcome", "refused"}});
}

void write_peers(PrometheusText& out, const node::MeshCounters& mesh,
                 const std::vector<node::LinkStatus>& links) {
  std::map<std::string_view, std::uint64_t> states;
  for (const std::string_view state : kLinkStates)
    states[state] = 0;
  for (const node::LinkStatus& link : links)
    ++states[link.state];
  out.family("ebb_links", "gauge", "Connections to other nodes, by state.");
  for (const auto& [state, count] : states)
    out.sample(count, {{"state", state}});
  out.family("ebb_peer_faults_total", "counter",
             "Links dropped because of what a peer sent, by reason.");
  for (const auto& [reason, count] : mesh.faults)
    out.sample(count, {{"reason", reason}});
  out.counter("ebb_dials_total", "Connections tried to other nodes.", mesh.dials);
  out.counter("ebb_dial_failures_total", "Connections tried that did not come up.",
              mesh.dial_failures);
  out.counter("ebb_audits_total", "Audits that ended, equal or not.", mesh.audits);
  out.counter("ebb_audit_repairs_total",
              "Heads that only an audit has brought: 0 in a healthy mesh.", mesh.audit_repairs);
  out.counter("ebb_forks_suspected_total", "Logs of which two histories were seen.",
              mesh.forks_suspected);
  out.counter("ebb_rollbacks_found_total",
              "Times that a peer held more of our own logs than we did.", mesh.rollbacks_found);
  out.counter("ebb_set_backs_found_total",
              "Starts in which a peer knew later arrivals of our store than it had.",
              mesh.set_backs_found);
  out.counter(
      "ebb_logs_refused_total",
      "Logs of which nothing is stored because their device, or all together, have too many.",
      mesh.logs_refused);
  out.counter("ebb_quota_refused_total",
              "Segments not stored because their author has used up its quota of a day.",
              mesh.quota_refused);
  out.counter("ebb_segments_out_of_scope_total",
              "Segments beyond our scope, which peers should not have sent.",
              mesh.segments_out_of_scope);
}

void write_membership(PrometheusText& out, const node::MeshCounters& mesh,
                      const mesh::MembershipStatus& status) {
  out.gauge("ebb_certified", "1 while this device is a certified one of its mesh.",
            std::uint64_t{trust::access_of(status.standing) == trust::Access::kFull ? 1U : 0U});
  out.gauge("ebb_issuers", "Issuers of the mesh that may certify.", status.issuers);
  out.counter("ebb_authors_refused_total", "Segments of authors that may not write them.",
              mesh.authors_refused);
  out.counter("ebb_peers_not_admitted_total", "Links ended because nobody was let in.",
              mesh.peers_not_admitted);
  out.counter("ebb_certificates_issued_total", "Certificates signed here.",
              mesh.certificates_issued);
  out.counter("ebb_authority_records_total", "Records of authorities that peers brought as news.",
              mesh.authority_records);
  out.counter("ebb_authority_refused_total",
              "Records of authorities that were not taken from who brought them.",
              mesh.authority_refused);
  out.counter("ebb_authority_compares_total",
              "Comparisons with a peer that held other records of authorities.",
              mesh.authority_compares);
}

void write_presences(PrometheusText& out, const node::MeshCounters& mesh,
                     const node::NodeStatus& status) {
  out.gauge("ebb_presences", "Devices whose own word of where they are is known.",
            status.presences);
  out.counter("ebb_presences_heard_total", "Presence records of others that were newer.",
              mesh.presences_heard);
  out.counter("ebb_presences_written_total", "Presence records asked of our own store.",
              mesh.presences_written);
  out.counter("ebb_presence_dials_total", "Dials to addresses that only a presence names.",
              mesh.presence_dials);
}

void write_datagrams(PrometheusText& out, const node::MeshCounters& mesh,
                     const node::NodeStatus& status) {
  out.family("ebb_datagrams_total", "counter", "Gossip datagrams, by direction.");
  out.sample(mesh.datagrams_in, {{"direction", "in"}});
  out.sample(mesh.datagrams_out, {{"direction", "out"}});
  out.family("ebb_datagram_bytes_total", "counter",
             "Bytes of gossip datagrams, without IP and UDP, by direction.");
  out.sample(mesh.datagram_bytes_in, {{"direction", "in"}});
  out.sample(mesh.datagram_bytes_out, {{"direction", "out"}});
  out.family("ebb_datagrams_dropped_total", "counter",
             "Gossip datagrams that went no further, by reason.");
  for (const auto& [reason, count] : mesh.datagrams_dropped)
    out.sample(count, {{"reason", reason}});
  out.family("ebb_datagram_segments_total", "counter",
             "Segments that came by datagram, by what became of them.");
  for (const auto& [outcome, count] : mesh.datagram_segments)
    out.sample(count, {{"outcome", outcome}});
  out.family("ebb_gossip_exchanges_total", "counter",
             "Exchanges with nodes that have no link, by outcome.");
  for (const auto& [outcome, count] : mesh.gossip)
    out.sample(count, {{"outcome", outcome}});
  out.gauge("ebb_gossip_partners", "Nodes without a link that datagrams are exchanged with.",
            status.gossip_partners);
  out.gauge("ebb_datagram_sessions", "Pairs of datagram keys that are live.",
            status.datagram_sessions);
}

void write_handshakes(PrometheusText& out, const node::MeshCounters& mesh) {
  out.family("ebb_handshakes_refused_total", "counter",
             "Connections that ended before they were links, by reason.");
  for (const auto& [reason, count] : mesh.handshakes_refused)
    out.sample(count, {{"reason", reason}});
}

void write_budgets(PrometheusText& out, const std::vector<node::BudgetStatus>& budgets,
                   const std::vector<node::LinkStatus>& links) {
  std::uint64_t waiting = 0;
  for (const node::LinkStatus& link : links)
    waiting += link.waiting_bytes;
  out.family("ebb_link_waiting_bytes", "gauge", "Bytes in the queues of all links.");
  out.sample(waiting, {});
  out.family("ebb_link_class_spent_bytes", "gauge", "Bytes of today on links of a class.");
  for (const node::BudgetStatus& budget : budgets)
    out.sample(budget.spent_today, {{"class", budget.settings.name}});
  out.family("ebb_link_class_daily_bytes", "gauge",
             "Bytes that links of a class may use a day; 0 for no bound.");
  for (const node::BudgetStatus& budget : budgets)
    out.sample(budget.settings.daily_bytes, {{"class", budget.settings.name}});
}

void write_clock(PrometheusText& out, const node::NodeStatus& status) {
  out.gauge("ebb_clock_suspect", "1 while the wall clock is not believed.",
            std::uint64_t{status.clock.suspect ? 1U : 0U});
  out.family("ebb_clock_offset_seconds", "gauge",
             "How far the wall clock is ahead of the median of the peers, where that is known.");
  if (status.clock.ahead_ms) out.sample(static_cast<double>(*status.clock.ahead_ms) / 1000);
  out.gauge("ebb_incarnations", "Incarnations of this device's logs.", status.incarnations);
}

}  // namespace

void get_metrics(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  const node::Node& node = request->node();
  const node::NodeStatus status = node.status();
  Answer answer{.content_type = "text/plain; version=0.0.4; charset=utf-8"};
  PrometheusText out(answer.body);
  out.family("ebb_build_info", "gauge", "Always 1; the label tells the version.");
  out.sample(std::uint64_t{1}, {{"version", kProgramVersion}});
  out.family("ebb_start_time_seconds", "gauge", "When the node started, since 1970.");
  out.sample(static_cast<double>(request->context().started.ms) / 1000);
  out.gauge("ebb_followers", "Clients that follow events.", request->context().followers);
  out.counter("ebb_followers_dropped_total", "Followers dropped because they took nothing.",
              request->context().followers_dropped);
  write_appends(out, node.counters());
  write_store(out, node.counters(), status);
  write_protocol(out, node.mesh_counters(), node.counters(), node.delta_bytes());
  const auto links = node.links();
  write_peers(out, node.mesh_counters(), links);
  write_membership(out, node.mesh_counters(), node.membership());
  write_presences(out, node.mesh_counters(), status);
  write_datagrams(out, node.mesh_counters(), status);
  write_handshakes(out, node.mesh_counters());
  write_budgets(out, node.budgets(), links);
  write_clock(out, status);
  request->answer(std::move(answer));
}

}  // namespace ebb::http
