#include "trust/invite.h"

#include <algorithm>
#include <optional>

#include "codec/tape.h"
#include "codec/value.h"
#include "codec/wire_parts.h"
#include "core/host_port.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kChecksumLabel = "ebb-invite-1";
constexpr std::string_view kIdLabel = "ebb-invite-id-1";
constexpr std::string_view kName = "ebb";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kVersionDigits = 4;
constexpr std::size_t kChecksumBytes = 5;
constexpr std::size_t kFields = 6;
constexpr std::string_view kBlanks = " \t\r\n";

// Zeroes what it was given, however the function ends.
class Erased {
 public:
  explicit Erased(Bytes& bytes) : bytes_(&bytes) {}
  explicit Erased(std::string& text) : text_(&text) {}
  Erased(const Erased&) = delete;
  Erased& operator=(const Erased&) = delete;
  ~Erased() {
    if (bytes_ != nullptr) erase_bytes(*bytes_);
    if (text_ != nullptr) erase_text(*text_);
  }

 private:
  Bytes* bytes_ = nullptr;
  std::string* text_ = nullptr;
};

Bytes checksum(ByteView body) {
  return to_bytes(hash({as_bytes(kChecksumLabel), body}).view().first(kChecksumBytes));
}

Error damaged() { return {ErrorCode::kCorrupt, "invite", "letters are missing or wrong"}; }

// As it was before it was copied: without blanks, in small letters.
std::string tidied(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (kBlanks.find(c) != std::string_view::npos) continue;
    const bool is_capital = c >= 'A' && c <= 'Z';
    out.push_back(is_capital ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

// What is behind "ebb1-".
Result<std::string_view> behind_prefix(std::string_view line) {
  const Error other{ErrorCode::kMalformed, "invite", "the line does not begin with ebb1-"};
  if (!line.starts_with(kName)) return other;
  line.remove_prefix(kName.size());
  const std::string_view version = line.substr(0, line.find('-'));
  const bool is_number =
      !version.empty() && version.size() <= kVersionDigits && version.size() < line.size() &&
      std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return other;
  if (version != kVersion) {
    return Error{ErrorCode::kUnsupported, "invite", "of version " + std::string(version)};
  }
  return line.substr(version.size() + 1);
}

WallTime read_time(codec::TapeReader& reader) {
  return {static_cast<std::int64_t>(reader.uint_up_to(limits::kTrustTimeMax))};
}

Result<Invite> read_body(ByteView body) {
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(body));
  codec::TapeReader reader(tape, "invite");
  Invite invite;
  reader.enter(kFields);
  invite.genesis_hash = reader.fixed<Hash>();
  invite.addresses = codec::read_list<std::string>(
      reader, limits::kInviteAddresses,
      [](codec::TapeReader& each) { return std::string(each.str(limits::kPresenceAddressBytes)); });
  invite.link_key = reader.fixed<LinkKey>();
  invite.secret = reader.fixed<InviteSecret>();
  invite.made = read_time(reader);
  invite.expires = read_time(reader);
  EBB_RETURN_IF_ERROR(reader.status());
  if (invite.addresses.empty()) return Error{ErrorCode::kInvalidArgument, "invite: no address"};
  for (const std::string& address : invite.addresses)
    EBB_RETURN_IF_ERROR(parse_peer_address(address));
  if (invite.expires <= invite.made) return Error{ErrorCode::kInvalidArgument, "invite: times"};
  return invite;
}

}  // namespace

InviteId invite_id(const InviteSecret& secret) {
  const Hash whole = hash({as_bytes(kIdLabel), secret.view()});
  return *InviteId::from(whole.view().first(InviteId::kSize));
}

MeshId Invite::mesh() const { return *MeshId::from(genesis_hash.view().first(MeshId::kSize)); }

Result<std::string> encode_invite(const Invite& invite) {
  Bytes body;
  body.reserve(limits::kInviteCharacters);  // more than any that can be read, and no copies
  codec::Writer writer(body);
  writer.array(kFields);
  writer.bin(invite.genesis_hash.view());
  writer.array(invite.addresses.size());
  for (const std::string& address : invite.addresses)
    writer.str(address);
  writer.bin(invite.link_key.view());
  writer.bin(invite.secret.view());
  writer.integer(invite.made.ms);
  writer.integer(invite.expires.ms);
  const Erased body_goes(body);
  EBB_RETURN_IF_ERROR(read_body(body));
  append(body, checksum(body));
  std::string letters = to_base32(body);
  const Erased letters_go(letters);
  std::string line;
  line.reserve(kName.size() + kVersion.size() + 1 + letters.size());
  line.append(kName).append(kVersion).append("-").append(letters);
  return line;
}

Result<Invite> decode_invite(std::string_view text) {
  if (text.size() > limits::kInviteCharacters) return Error{ErrorCode::kTooLarge, "invite"};
  std::string line = tidied(text);
  const Erased line_goes(line);
  EBB_ASSIGN(const std::string_view letters, behind_prefix(line));
  // A '-' among the letters is nobody's: base32 would pass it by.
  auto bytes =
      letters.find('-') == std::string_view::npos ? from_base32(letters) : std::optional<Bytes>();
  if (!bytes) return damaged();
  const Erased bytes_go(*bytes);
  if (bytes->size() < kChecksumBytes) return damaged();
  const ByteView body = ByteView(*bytes).first(bytes->size() - kChecksumBytes);
  if (!equal(checksum(body), ByteView(*bytes).last(kChecksumBytes))) return damaged();
  Result<Invite> invite = read_body(body);
  if (invite.ok()) return invite;
  return Error{ErrorCode::kCorrupt, "invite", std::string(invite.error().context)};
}

InviteTime invite_time(const Invite& invite, WallTime now) {
  if (now.ms < invite.made.ms - limits::kInviteClockMs) return InviteTime::kClockWrong;
  return now < invite.expires ? InviteTime::kOpen : InviteTime::kExpired;
}

}  // namespace ebb::trust
