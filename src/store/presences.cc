#include "store/presences.h"

#include <iterator>
#include <tuple>

#include "codec/record.h"
#include "core/planted.h"
#include "store/event_scan.h"
#include "store/meta.h"

namespace ebb::store {
namespace {

constexpr std::string_view kPut =
    "INSERT OR REPLACE INTO presences(device,number,hlc,record) VALUES(?1,?2,?3,?4)";
constexpr std::string_view kAll = "SELECT device,number,hlc,record FROM presences ORDER BY device";
constexpr std::string_view kFilled = "presences";  // in `meta`, once the table is

Result<PresenceRow> read_row(const Statement& row) {
  PresenceRow out;
  EBB_ASSIGN(out.device, column_fixed<DeviceId>(row, 0));
  out.hlc = Hlc{row.column_u64(2)};
  auto said = codec::decode_presence(row.column_blob(3));
  if (!said.ok() || said->number != row.column_u64(1)) {
    return Error{ErrorCode::kCorrupt, "presences", device_text(out.device)};
  }
  out.said = std::move(said).value();
  return out;
}

}  // namespace

bool is_newer_presence(const PresenceRow& row, const PresenceRow& known) {
  if (planted(Bug::kFirstPresenceStays)) return false;
  return std::tie(row.said.number, row.hlc) > std::tie(known.said.number, known.hlc);
}

Status Presences::open(Connection& connection, const LogTable& logs,
                       const std::function<std::uint64_t()>& random) {
  connection_ = &connection;
  random_ = &random;
  EBB_ASSIGN(put_, connection.prepare(kPut));
  EBB_ASSIGN(drop_, connection.prepare("DELETE FROM presences WHERE device=?1"));
  EBB_ASSIGN(const auto filled, get_meta_u64(connection, kFilled));
  if (!filled) return fill(logs);
  EBB_ASSIGN(const std::vector<PresenceRow> rows, all());
  for (const PresenceRow& row : rows)
    known_[row.device] = {row.said.number, row.hlc};
  return {};
}

// Records that came before this program knew of them.
Status Presences::fill(const LogTable& logs) {
  EventScan scan;
  EBB_RETURN_IF_ERROR(scan.open(*connection_));
  ScanFilter filter;
  filter.type = std::string(codec::kPresenceType);
  scan.set_filter(filter);
  Transaction transaction(*connection_);
  EBB_RETURN_IF_ERROR(transaction.begin());
  begin();
  for (const LogRow& row : logs.rows()) {
    if (row.head.key.topic != kControlTopic) continue;
    scan.start(row, 1, row.head.held.seq);
    for (;;) {
      EBB_ASSIGN(const bool found, scan.next());
      if (!found) break;
      EBB_RETURN_IF_ERROR(take(row.head.key.device, scan.event()));
    }
  }
  EBB_RETURN_IF_ERROR(put_meta(*connection_, kFilled, std::uint64_t{1}));
  EBB_RETURN_IF_ERROR(transaction.commit());
  committed();
  return {};
}

void Presences::begin() {
  noted_.clear();
  dropped_.clear();
}

Status Presences::note(const DeviceId& device, const EventRun& run) {
  for (const codec::EventView& event : run.events) {
    if (event.type == codec::kPresenceType) EBB_RETURN_IF_ERROR(take(device, event));
  }
  return {};
}

Status Presences::take(const DeviceId& device, const codec::EventView& event) {
  auto said = codec::decode_presence(event.payload);
  if (!said.ok()) return {};
  PresenceRow row{device, event.hlc, std::move(said).value()};
  if (!is_new(row)) return {};
  const bool known =
      (known_.contains(device) && !dropped_.contains(device)) || noted_.contains(device);
  if (!known) EBB_RETURN_IF_ERROR(make_room());
  put_.bind(1, device.view());
  put_.bind(2, row.said.number);
  put_.bind(3, row.hlc.value);
  const Bytes record = codec::encode_presence(row.said);
  put_.bind(4, record);
  EBB_RETURN_IF_ERROR(put_.run());
  dropped_.erase(device);
  noted_.insert_or_assign(device, std::move(row));
  return {};
}

bool Presences::is_new(const PresenceRow& row) const {
  if (const auto noted = noted_.find(row.device); noted != noted_.end()) {
    return is_newer_presence(row, noted->second);
  }
  const auto known = known_.find(row.device);
  if (known == known_.end() || dropped_.contains(row.device)) return true;
  PresenceRow held;
  held.hlc = known->second.hlc;
  held.said.number = known->second.number;
  return is_newer_presence(row, held);
}

Status Presences::make_room() {
  std::size_t added = 0;
  for (const auto& [device, row] : noted_)
    added += known_.contains(device) ? std::size_t{0} : std::size_t{1};
  if (known_.size() - dropped_.size() + added < devices_max_) return {};
  Bytes key;
  while (key.size() < DeviceId::kSize)
    append_be64(key, (*random_)());
  auto at = known_.lower_bound(*DeviceId::from(key));
  for (std::size_t i = 0; i < known_.size(); ++i, ++at) {
    if (at == known_.end()) at = known_.begin();
    const DeviceId& device = at->first;
    if (device == own_ || dropped_.contains(device) || noted_.contains(device)) continue;
    dropped_.insert(device);
    drop_.bind(1, device.view());
    return drop_.run();
  }
  return {};
}

std::vector<PresenceRow> Presences::committed() {
  std::vector<PresenceRow> news;
  for (const DeviceId& device : dropped_)
    known_.erase(device);
  for (auto& [device, row] : noted_) {
    known_[device] = {row.said.number, row.hlc};
    news.push_back(std::move(row));
  }
  begin();
  return news;
}

Result<std::vector<PresenceRow>> Presences::all() const {
  std::vector<PresenceRow> out;
  EBB_ASSIGN(Statement rows, connection_->prepare(kAll));
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    EBB_ASSIGN(PresenceRow row, read_row(rows));
    out.push_back(std::move(row));
  }
}

}  // namespace ebb::store
