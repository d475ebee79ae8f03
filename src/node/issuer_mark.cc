#include "node/issuer_mark.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "node/files.h"
#include "trust/authority_record.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr std::string_view kFirst = "ebb-signed-1";
constexpr std::size_t kCheckBytes = 8;
constexpr std::size_t kFileBytes = 1024;

// All of it: what reads is what this gives for the same values.
std::string text_of(const DeviceId& issuer, const Position& end) {
  std::string text(kFirst);
  text.append("\nissuer ").append(to_base32(issuer.view()));
  text.append("\nend ").append(std::to_string(end.seq)).append(" ");
  text.append(to_base32(end.chain.view())).append("\n");
  const std::string check = to_base32(trust::hash(as_bytes(text)).view().first(kCheckBytes));
  return text.append("check ").append(check).append("\n");
}

std::optional<Position> end_in(std::string_view text, const DeviceId& issuer) {
  constexpr std::string_view kEnd = "\nend ";
  const std::size_t at = text.find(kEnd);
  if (at == text.npos) return std::nullopt;
  const char* begin = text.data() + at + kEnd.size();
  const char* end = text.data() + text.size();
  Position found;
  const std::from_chars_result read = std::from_chars(begin, end, found.seq);
  if (read.ec != std::errc() || read.ptr == end) return std::nullopt;
  std::string_view chain(read.ptr + 1, static_cast<std::size_t>(end - read.ptr - 1));
  chain = chain.substr(0, chain.find('\n'));
  const auto bytes = from_base32(chain);
  const auto hash = bytes ? Hash::from(*bytes) : std::nullopt;
  if (!hash) return std::nullopt;
  found.chain = *hash;
  if (text != text_of(issuer, found)) return std::nullopt;
  return found;
}

}  // namespace

IssuerMark::IssuerMark(std::string path, const MeshId& mesh, const DeviceId& issuer, WallTime now)
    : path_(std::move(path)), mesh_(mesh), issuer_(issuer), begun_(now) {
  const auto text = read_file(path_, kFileBytes);
  if (text.ok()) end_ = end_in(*text, issuer);
}

Position IssuerMark::end_of(const MeshId& mesh, const DeviceId& issuer,
                            const std::vector<Bytes>& records) {
  Position end;
  for (const Bytes& encoded : records) {
    const auto read = trust::read_authority_record(mesh, encoded);
    if (!read.ok() || !(read->record.authority == issuer)) continue;
    if (read->record.seq > end.seq) end = read->record.position();
  }
  return end;
}

Status IssuerMark::write(const std::string& path, const DeviceId& issuer, const Position& end) {
  return write_file_durable(path, text_of(issuer, end), 0600);
}

bool IssuerMark::is_behind(const std::vector<Bytes>& stored,
                           const std::vector<Bytes>& given) const {
  if (!issuer_) return false;
  if (!end_) return true;
  std::set<Seq> held;
  bool has_end = end_->seq == 0;
  for (const std::vector<Bytes>* records : {&stored, &given}) {
    for (const Bytes& encoded : *records) {
      const auto read = trust::read_authority_record(mesh_, encoded);
      if (!read.ok() || !(read->record.authority == *issuer_)) continue;
      if (read->record.seq <= end_->seq) held.insert(read->record.seq);
      has_end = has_end || read->record.position() == *end_;
    }
  }
  return !has_end || held.size() < end_->seq;
}

Status IssuerMark::raise(const std::vector<Bytes>& stored) {
  if (!issuer_) return {};
  const Position end = end_of(mesh_, *issuer_, stored);
  if (end.seq <= end_->seq) return {};
  EBB_RETURN_IF_ERROR(write(path_, *issuer_, end));
  end_ = end;
  return {};
}

void IssuerMark::note(const mesh::Token& token, const mesh::AuthorityUpdate& update) {
  if (!issuer_) return;
  Position end = end_.value_or(Position{});
  for (const Bytes& encoded : update.records) {
    const auto read = trust::read_authority_record(mesh_, encoded);
    if (!read.ok() || !(read->record.authority == *issuer_) || read->record.seq <= end.seq)
      continue;
    // Where nobody knows how far it was, what comes back from others is not the end.
    if (end_ || read->record.at >= begun_) end = read->record.position();
  }
  if (end.seq > (end_ ? end_->seq : 0)) pending_[token] = end;
}

Status IssuerMark::keep(const mesh::Token& token) {
  const auto found = pending_.find(token);
  if (found == pending_.end()) return {};
  EBB_RETURN_IF_ERROR(write(path_, *issuer_, found->second));
  end_ = found->second;
  pending_.erase(found);
  return {};
}

}  // namespace ebb::node
