#include "store/presences.h"

#include <iterator>
#include <tuple>
#include <utility>

#include "codec/record.h"
#include "core/planted.h"
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
  const Status loaded = load(logs);
  if (loaded.ok() || loaded.error().code != ErrorCode::kCorrupt) return loaded;
  // A cache is no reason to store nothing of what it is made from.
  note_damage(loaded.error());
  usable_ = false;
  known_.clear();
  noted_.clear();
  before_.clear();
  return {};
}

Status Presences::load(const LogTable& logs) {
  EBB_ASSIGN(const auto filled, get_meta_u64(*connection_, kFilled));
  if (!filled) return fill(logs);
  const auto rows = all();
  if (!rows.ok()) return rows.error().code == ErrorCode::kCorrupt ? fill(logs) : rows.error();
  for (const PresenceRow& row : *rows)
    known_[row.device] = {row.said.number, row.hlc};
  return {};
}

Status Presences::fill(const LogTable& logs) {
  EventScan scan;
  EBB_RETURN_IF_ERROR(scan.open(*connection_));
  ScanFilter filter;
  filter.type = std::string(codec::kPresenceType);
  scan.set_filter(filter);
  Transaction transaction(*connection_);
  EBB_RETURN_IF_ERROR(transaction.begin());
  EBB_RETURN_IF_ERROR(connection_->run("DELETE FROM presences"));
  begin();
  for (const LogRow& row : logs.rows()) {
    if (row.head.key.topic == kControlTopic) EBB_RETURN_IF_ERROR(fill_from(scan, row));
  }
  EBB_RETURN_IF_ERROR(put_meta(*connection_, kFilled, std::uint64_t{1}));
  EBB_RETURN_IF_ERROR(transaction.commit());
  committed();
  return {};
}

// What is wrong with one log is no reason to know nothing of the others.
Status Presences::fill_from(EventScan& scan, const LogRow& row) {
  scan.start(row, 1, row.head.held.seq);
  for (;;) {
    const Result<bool> found = scan.next();
    if (!found.ok() && found.error().code == ErrorCode::kCorrupt) {
      note_damage(found.error());
      return {};
    }
    if (!found.ok()) return found.error();
    if (!*found) return {};
    EBB_RETURN_IF_ERROR(take(row.head.key.device, scan.event()));
  }
}

void Presences::note_damage(const Error& error) {
  if (damage_.size() < limits::kVerifyProblems) damage_.push_back(error);
}

void Presences::begin() {
  for (const auto& [device, known] : before_) {
    if (known) {
      known_[device] = *known;
    } else {
      known_.erase(device);
    }
  }
  before_.clear();
  noted_.clear();
}

Status Presences::note(const DeviceId& device, const EventRun& run) {
  for (const codec::EventView& event : run.events) {
    if (event.type == codec::kPresenceType) EBB_RETURN_IF_ERROR(take(device, event));
  }
  return {};
}

Status Presences::take(const DeviceId& device, const codec::EventView& event) {
  if (!usable_) return {};
  auto said = codec::decode_presence(event.payload);
  if (!said.ok()) return {};
  PresenceRow row{device, event.hlc, std::move(said).value()};
  if (const auto known = known_.find(device); known == known_.end()) {
    EBB_RETURN_IF_ERROR(make_room());
  } else {
    PresenceRow held;
    held.hlc = known->second.hlc;
    held.said.number = known->second.number;
    if (!is_newer_presence(row, held)) return {};
  }
  put_.bind(1, device.view());
  put_.bind(2, row.said.number);
  put_.bind(3, row.hlc.value);
  const Bytes record = codec::encode_presence(row.said);
  put_.bind(4, record);
  EBB_RETURN_IF_ERROR(put_.run());
  remember(device);
  known_[device] = {row.said.number, row.hlc};
  noted_.insert_or_assign(device, std::move(row));
  return {};
}

void Presences::remember(const DeviceId& device) {
  const auto known = known_.find(device);
  before_.try_emplace(device, known == known_.end() ? std::nullopt : std::optional(known->second));
}

Status Presences::make_room() {
  if (known_.size() < devices_max_) return {};
  Bytes key;
  while (key.size() < DeviceId::kSize)
    append_be64(key, (*random_)());
  const auto wrapped = [this](auto at) { return at == known_.end() ? known_.begin() : at; };
  auto at = wrapped(known_.lower_bound(*DeviceId::from(key)));
  if (at->first == own_) at = wrapped(std::next(at));
  const DeviceId device = at->first;
  if (device == own_) return {};
  drop_.bind(1, device.view());
  EBB_RETURN_IF_ERROR(drop_.run());
  remember(device);
  known_.erase(device);
  noted_.erase(device);
  return {};
}

std::vector<PresenceRow> Presences::committed() {
  std::vector<PresenceRow> news;
  for (auto& [device, row] : noted_)
    news.push_back(std::move(row));
  noted_.clear();
  before_.clear();
  return news;
}

Result<std::vector<PresenceRow>> Presences::all() const {
  std::vector<PresenceRow> out;
  if (!usable_) return out;
  EBB_ASSIGN(Statement rows, connection_->prepare(kAll));
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    EBB_ASSIGN(PresenceRow row, read_row(rows));
    out.push_back(std::move(row));
  }
}

}  // namespace ebb::store
