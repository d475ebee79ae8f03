#include "node/join_words.h"

#include <utility>

#include "core/error_words.h"
#include "mesh/invite_end.h"
#include "node/clocks.h"

namespace ebb::node {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567-";
constexpr const char* kAnother = "; ask for a new one (`ebb invite` there)";

// Where a letter stands that is in no invite; nullopt: all could be.
std::optional<std::size_t> strange_letter(std::string_view line) {
  const std::size_t begin = line.find("ebb1-") == 0 ? 5 : 0;
  for (std::size_t i = begin; i < line.size(); ++i) {
    const char small = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] + 32) : line[i];
    const bool blank = small == ' ' || small == '\t' || small == '\n' || small == '\r';
    if (!blank && (kLetters.find(small) == kLetters.npos || small == '-')) return i;
  }
  return std::nullopt;
}

Error line_error(const Error& error, std::string_view line) {
  switch (error.code) {
    case ErrorCode::kMalformed:
      return join_error(error.code,
                        "this is no invite: one begins with ebb1-; copy the whole line that "
                        "`ebb invite` printed");
    case ErrorCode::kUnsupported:
      return join_error(error.code, "the invite is " + error.detail +
                                        " of its form, which this ebb does not know: install the "
                                        "ebb that made it");
    case ErrorCode::kTooLarge:
      return join_error(error.code, "this is longer than an invite can be: copy that line alone");
    default:
      break;
  }
  const auto at = strange_letter(line);
  std::string words = "the invite is damaged: ";
  if (at) {
    words += "letter " + std::to_string(*at + 1) + " ('" + std::string(1, line[*at]) +
             "') is in no invite";
  } else {
    words += "letters are missing or wrong (" + std::to_string(line.size()) + " came)";
  }
  return join_error(ErrorCode::kCorrupt, words + "; copy the whole line again");
}

}  // namespace

Error join_error(ErrorCode code, std::string words) { return {code, "join", std::move(words)}; }

Result<trust::Invite> read_invite(std::string_view line, WallTime now, WallTime built) {
  auto invite = trust::decode_invite(line);
  if (!invite.ok()) return line_error(invite.error(), line);
  switch (trust::invite_time(*invite, now)) {
    case trust::InviteTime::kOpen:
      return invite;
    case trust::InviteTime::kExpired:
      return join_error(ErrorCode::kOutOfRange,
                        "the invite has expired, at " + utc_text(invite->expires) +
                            ", or a clock is wrong: it was made at " + utc_text(invite->made) +
                            " by the inviter's clock, and it is " + utc_text(now) +
                            " here; where that is not the time, set this clock and join again" +
                            kAnother);
    case trust::InviteTime::kClockWrong:
      break;
  }
  const bool surely_here = now < built;
  return join_error(
      ErrorCode::kOutOfRange,
      "a clock is wrong: the invite was made at " + utc_text(invite->made) + ", and it is " +
          utc_text(now) + " here; " +
          (surely_here ? "the clock of this machine is wrong (this ebb was built later than that): "
                         "set it, and join again"
                       : "set the clock that is wrong, and if that is the inviter's, ask for a "
                         "new invite"));
}

Error refusal_error(const codec::AuthRefused& refused, const trust::Invite& invite, WallTime now) {
  const std::string said = refused.text.empty() ? "" : " (" + refused.text + ")";
  switch (refused.code) {
    case codec::AuthRefusal::kInviteExpired:
      if (refused.text == mesh::kInviteEndedText) {
        return join_error(
            ErrorCode::kOutOfRange,
            "the invite was ended on the device that made it" + std::string(kAnother));
      }
      return join_error(ErrorCode::kOutOfRange,
                        "the invite has expired: the inviter says so, though it lasts to " +
                            utc_text(invite.expires) + " and it is " + utc_text(now) +
                            " here: one of the clocks is wrong" + kAnother);
    case codec::AuthRefusal::kInviteUsed:
      return join_error(ErrorCode::kExists, "the invite was used already, as often as it may be" +
                                                std::string(kAnother));
    case codec::AuthRefusal::kNoIssuer:
      return join_error(ErrorCode::kPermission, "the inviter cannot certify devices any more" +
                                                    said + ": see `ebb status` there");
    case codec::AuthRefusal::kClock:
      return join_error(ErrorCode::kOutOfRange,
                        "a clock is wrong: the inviter does not believe its own" + said +
                            ": set it there, and join again");
    case codec::AuthRefusal::kLater:
      return join_error(ErrorCode::kBusy,
                        "the inviter has too much to do" + said + ": join again in a minute");
    case codec::AuthRefusal::kNotByPolicy:
    case codec::AuthRefusal::kTakenOff:
      break;
  }
  return join_error(ErrorCode::kPermission, "the inviter refuses this device" + said + kAnother);
}

std::string words_of(const Error& error) {
  if (error.context == "join") return error.detail;
  if (error.context != "connection") return error_words(error);
  if (error.code == ErrorCode::kNotFound) return "refused: the port is closed";
  if (error.code == ErrorCode::kBusy)
    return "no answer: nothing is there, or a firewall is between";
  return error.detail;
}

std::optional<Error> final_error(const Error& error, const std::string& address) {
  const bool of_talk = error.context == "join";
  // Who was found and has gone may have certified us.
  if (of_talk && error.code == ErrorCode::kIo) {
    return join_error(ErrorCode::kIo, "the inviter was found at " + address +
                                          ", but gave no answer: " + error.detail +
                                          "; run the same command again");
  }
  if (of_talk && error.code == ErrorCode::kUnsupported) {
    return join_error(ErrorCode::kUnsupported,
                      "the inviter at " + address + " speaks another version of the protocol (" +
                          error.detail + "): install the same ebb on both machines");
  }
  const bool goes_on =
      of_talk || error.context == "connection" || error.code == ErrorCode::kInvalidArgument;
  return goes_on ? std::nullopt : std::optional(error);
}

Error unreached_error(const std::string& tried) {
  return join_error(ErrorCode::kNotFound,
                    "the inviter was not reached (" + tried +
                        "): see that its node runs "
                        "(`ebb status` there) and that its port is open to this machine");
}

Error unheard_error(const std::string& tried) {
  return join_error(ErrorCode::kNotFound,
                    "nobody has let this device in (" + tried +
                        "): see that the invite is of that node and open (`ebb invite ls` there; "
                        "one that ended more than 7 days ago is not known any more), and join "
                        "again");
}

}  // namespace ebb::node
