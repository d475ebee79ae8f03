#include "node/invites.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/data_directory.h"
#include "core/limits.h"
#include "mesh/invite_end.h"
#include "node/files.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr std::string_view kFirst = "ebb-invites-1";
constexpr std::string_view kInvite = "invite";
constexpr std::string_view kDevice = "device";
constexpr std::string_view kOpen = "open";
constexpr std::string_view kEnded = "ended";
constexpr std::string_view kAllTopics = "*";
constexpr std::string_view kCheck = "check";
constexpr std::size_t kCheckBytes = 8;
// What kInviteUsesHeld devices, and the lines of the invites, take less than.
constexpr std::size_t kFileBytes = std::size_t{8} << 20;
constexpr Duration kLook = seconds(60);               // so often the clock is noted
constexpr Duration kLookOver = seconds(3600);         // where none is open
constexpr std::int64_t kKeptMs = 7 * limits::kDayMs;  // beyond the end

std::string check_of(std::string_view text) {
  return to_base32(trust::hash(as_bytes(text)).view().first(kCheckBytes));
}

Error damaged(const std::string& path) {
  return {ErrorCode::kCorrupt, "key file",
          path + " is damaged: remove it; invites that are still open are void then"};
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const char* end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, out);
  return !text.empty() && read.ec == std::errc() && read.ptr == end;
}

std::vector<std::string> texts_of(std::string_view list) {
  std::vector<std::string> texts;
  for (const std::string_view text : split(list, ','))
    texts.emplace_back(text == kAllTopics ? std::string_view() : text);
  return texts;
}

// "<role,...> <days> <prefix,...|*>"
bool read_terms(std::string_view roles, std::string_view days, std::string_view prefixes,
                trust::Terms& out) {
  const auto bits = trust::roles_from(texts_of(roles), trust::roles::kUsual);
  auto topics = trust::prefixes_from(texts_of(prefixes));
  if (!bits || !topics || !read_number(days, out.days) || !trust::days_from(out.days)) return false;
  out.roles = *bits;
  out.prefixes = std::move(*topics);
  return true;
}

// "invite <secret> <made> <seen> <expires> <uses> open|ended", and its terms where they are not the
// usual ones.
bool read_invite(const std::vector<std::string_view>& words, KeptInvite& out) {
  if (words.size() != 7 && words.size() != 10) return false;
  if (words.size() == 10 && !read_terms(words[7], words[8], words[9], out.terms)) return false;
  if (words[6] != kOpen && words[6] != kEnded) return false;
  auto bytes = from_base32(words[1]);
  auto secret = bytes ? trust::InviteSecret::from(*bytes) : std::nullopt;
  if (bytes) erase_bytes(*bytes);
  if (!secret) return false;
  out.secret = std::move(*secret);
  out.id = trust::invite_id(out.secret);
  out.ended = words[6] == kEnded;
  return read_number(words[2], out.made.ms) && read_number(words[3], out.seen.ms) &&
         read_number(words[4], out.expires.ms) && read_number(words[5], out.uses) && out.uses > 0;
}

// The lines between the first and the check.
bool read_lines(std::string_view text, std::vector<KeptInvite>& out) {
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    if (words.empty()) return false;
    if (words[0] == kInvite) {
      out.emplace_back();
      if (!read_invite(words, out.back())) return false;
      continue;
    }
    const auto device = words.size() == 2 && words[0] == kDevice ? parse_device(words[1])
                                                                 : std::optional<DeviceId>();
    if (!device || out.empty() || out.back().uses_left() == 0) return false;
    out.back().devices.push_back(*device);
  }
  return out.size() <= limits::kInvitesTried;
}

std::string words_of(const trust::Terms& terms) {
  if (terms == trust::Terms()) return {};
  std::string words;
  for (const std::string_view role : trust::role_names(terms.roles))
    words.append(words.empty() ? " " : ",").append(role);
  words.append(" ").append(std::to_string(terms.days)).append(" ");
  for (const std::string& prefix : terms.prefixes) {
    words.append(words.ends_with(' ') ? "" : ",").append(prefix.empty() ? kAllTopics : prefix);
  }
  return words;
}

// With room for all of it beforehand: a text that is moved as it grows leaves secrets behind.
std::string text_of(const std::vector<KeptInvite>& kept) {
  constexpr std::size_t kAround = 64;  // the first line and the check
  constexpr std::size_t kInviteLine = 192, kDeviceLine = 96;
  std::size_t room = kAround;
  for (const KeptInvite& invite : kept) {
    room += kInviteLine + words_of(invite.terms).size() + invite.devices.size() * kDeviceLine;
  }
  std::string text;
  text.reserve(room);
  text.append(kFirst).push_back('\n');
  for (const KeptInvite& invite : kept) {
    std::string secret = to_base32(invite.secret.view());
    text.append(kInvite).append(" ").append(secret).append(" ");
    erase_text(secret);
    for (const std::int64_t ms : {invite.made.ms, invite.seen.ms, invite.expires.ms})
      text.append(std::to_string(ms)).append(" ");
    text.append(std::to_string(invite.uses)).append(" ");
    text.append(invite.ended ? kEnded : kOpen).append(words_of(invite.terms)).append("\n");
    for (const DeviceId& device : invite.devices)
      text.append(kDevice).append(" ").append(device_text(device)).append("\n");
  }
  const std::string check = check_of(text);
  text.append(kCheck).append(" ").append(check).append("\n");
  EBB_CHECK(text.size() <= room);
  return text;
}

// Nobody will ask for them any more.
bool is_forgotten(const KeptInvite& invite) { return invite.seen.ms - invite.expires.ms > kKeptMs; }

}  // namespace

Result<Invites> Invites::open(const std::string& path) {
  Invites invites;
  invites.path_ = path;
  if (!file_exists(path)) return invites;
  SecretText whole;
  EBB_RETURN_IF_ERROR(read_private_file(
      path, kFileBytes, "run `chmod 600 " + shell_word(path) + "`, and end the open invites",
      whole));
  const std::string_view text = whole.text;
  const std::size_t last = text.size() < 2 ? 0 : text.rfind('\n', text.size() - 2) + 1;
  const std::size_t begin = kFirst.size() + 1;
  const bool framed =
      text.starts_with(std::string(kFirst) + "\n") && last >= begin &&
      text.substr(last) == std::string(kCheck) + " " + check_of(text.substr(0, last)) + "\n";
  if (!framed || !read_lines(text.substr(begin, last - begin), invites.kept_)) {
    return damaged(path);
  }
  for (const KeptInvite& invite : invites.kept_)
    invites.written_ = std::max(invites.written_, invite.seen);
  return invites;
}

std::vector<KeptInvite> Invites::copy(WallTime now) const {
  std::vector<KeptInvite> kept;
  for (const KeptInvite& invite : kept_) {
    const WallTime seen = std::max(now, invite.seen);
    kept.push_back({invite.id, invite.secret.copy(), invite.made, invite.expires, seen, invite.uses,
                    invite.devices, invite.ended, invite.terms});
  }
  std::erase_if(kept, is_forgotten);
  return kept;
}

Status Invites::write(const std::vector<KeptInvite>& kept) {
  SecretText text;
  text.text = text_of(kept);
  EBB_RETURN_IF_ERROR(write_file_durable(path_, text.text, 0600));
  unkept_ = false;
  written_ = WallTime{};
  for (const KeptInvite& invite : kept)
    written_ = std::max(written_, invite.seen);
  return {};
}

Status Invites::replace(std::vector<KeptInvite> kept) {
  EBB_RETURN_IF_ERROR(write(kept));
  kept_ = std::move(kept);
  return {};
}

Result<const KeptInvite*> Invites::make(WallTime now, Duration ttl, std::uint64_t uses,
                                        trust::Terms terms) {
  if (ttl.us < 1000 || ttl > kInviteTtlMax) {
    return Error{ErrorCode::kOutOfRange, "ttl", "from 1 ms to 30 days"};
  }
  if (uses == 0 || uses > kInviteUsesMax) {
    return Error{ErrorCode::kOutOfRange, "uses", "from 1 to 10000"};
  }
  std::vector<KeptInvite> kept = copy(now);
  while (kept.size() >= limits::kInvitesTried) {
    const auto over = std::find_if(kept.rbegin(), kept.rend(),
                                   [now](const KeptInvite& each) { return !each.is_open(now); });
    if (over == kept.rend()) {
      return Error{ErrorCode::kBusy, "invites",
                   std::to_string(limits::kInvitesTried) + " are open: end one first"};
    }
    kept.erase(std::next(over).base());
  }
  std::uint64_t held = uses;
  for (const KeptInvite& each : kept)
    held += each.is_open(now) ? each.uses : each.devices.size();
  if (held > kInviteUsesHeld) {
    return Error{ErrorCode::kBusy, "invites",
                 "they are good for more than " + std::to_string(kInviteUsesHeld) +
                     " devices together: make it for fewer, or end one that is not needed"};
  }
  KeptInvite made;
  trust::random_bytes(made.secret.data(), trust::InviteSecret::kSize);
  made.id = trust::invite_id(made.secret);
  made.made = made.seen = now;
  made.expires = {now.ms + ttl.ms()};
  made.uses = uses;
  made.terms = std::move(terms);
  kept.insert(kept.begin(), std::move(made));
  EBB_RETURN_IF_ERROR(replace(std::move(kept)));
  return &kept_.front();
}

Status Invites::end(const trust::InviteId& id, WallTime now) {
  std::vector<KeptInvite> kept = copy(now);
  const auto found =
      std::find_if(kept.begin(), kept.end(), [&](const KeptInvite& each) { return each.id == id; });
  if (found == kept.end()) return Error{ErrorCode::kNotFound, "invite", "no such invite"};
  if (!found->is_open(now)) return Error{ErrorCode::kExists, "invite", "it is over already"};
  found->ended = true;
  return replace(std::move(kept));
}

Status Invites::use(const trust::InviteId& id, const DeviceId& device) {
  for (KeptInvite& invite : kept_) {
    const bool known =
        std::find(invite.devices.begin(), invite.devices.end(), device) != invite.devices.end();
    if (!(invite.id == id) || known || invite.uses_left() == 0) continue;
    invite.devices.push_back(device);
    unkept_ = true;
  }
  return keep();
}

Status Invites::keep() { return unkept_ ? write(kept_) : Status{}; }

Status Invites::note_time(WallTime now, bool& changed) {
  changed = false;
  bool due = false;
  for (KeptInvite& invite : kept_) {
    const bool was_open = invite.is_open(invite.seen);
    invite.seen = std::max(invite.seen, now);
    changed = changed || (was_open && !invite.is_open(now));
    due = due || (was_open && invite.seen.ms - written_.ms >= kSeenStep.ms());
  }
  changed = std::erase_if(kept_, is_forgotten) > 0 || changed;
  unkept_ = unkept_ || changed || due;
  return keep();
}

std::optional<Duration> Invites::next_look(WallTime now) const {
  std::optional<Duration> next;
  for (const KeptInvite& invite : kept_) {
    const bool is_open = invite.is_open(now);
    const std::int64_t end = invite.expires.ms + (is_open ? 0 : kKeptMs + 1);
    const Duration left =
        milliseconds(std::max<std::int64_t>(end - std::max(now, invite.seen).ms, 0));
    const Duration look = std::min(is_open ? kLook : kLookOver, left);
    next = std::min(next.value_or(look), look);
  }
  return next;
}

std::vector<mesh::AccessInvite> Invites::access() const {
  std::vector<mesh::AccessInvite> all;
  for (const KeptInvite& invite : kept_)
    all.push_back({invite.id, invite.secret.copy()});
  return all;
}

// One that a person has ended says so by its time, as others that are over do.
std::vector<mesh::OpenInvite> Invites::for_engine() const {
  std::vector<mesh::OpenInvite> all;
  for (const KeptInvite& invite : kept_)
    all.push_back({invite.id,
                   invite.ended                  ? mesh::kInviteEnded
                   : invite.is_over(invite.seen) ? WallTime{}
                                                 : invite.expires,
                   invite.uses_left(), invite.devices, invite.terms});
  return all;
}

}  // namespace ebb::node
