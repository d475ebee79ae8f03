#include "trust/mesh_file.h"

#include <array>
#include <utility>

#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kMeshName = "ebb-mesh-";
constexpr std::string_view kAuthorityName = "ebb-authority-";
constexpr std::size_t kCheckBytes = 8;
// A line is a word that says what it is, and what it says.
constexpr std::string_view kGenesis = "genesis";
constexpr std::string_view kSecret = "secret";
constexpr std::string_view kRecord = "record";
constexpr std::string_view kIdentity = "identity";
constexpr std::string_view kLink = "link";
constexpr std::string_view kLabel = "label";
constexpr std::string_view kCheck = "check";

struct Kind {
  std::string_view name;     // in front of its version
  std::string_view context;  // of errors
  std::size_t bytes_max;
  std::string_view version;
};
constexpr Kind kMeshKind{kMeshName, "mesh file", limits::kMeshFileBytes, "2"};
constexpr Kind kAuthorityKind{kAuthorityName, "authority file", limits::kAuthorityFileBytes, "1"};

Error damaged(const Kind& kind, const char* how) {
  return {ErrorCode::kCorrupt, kind.context, how};
}

void add_line(std::string& text, std::string_view word, ByteView bytes) {
  std::string value = to_base32(bytes);
  text.append(word).append(" ").append(value).append("\n");
  erase_text(value);
}

std::string check_of(std::string_view text) {
  return to_base32(hash(as_bytes(text)).view().first(kCheckBytes));
}

// For `lines` that say `bytes` together: the text is not moved as it grows, since memory that it
// left would keep the secret.
std::string begin_text(const Kind& kind, std::size_t lines, std::size_t bytes) {
  constexpr std::size_t kAroundLine = 16;  // its word, its end, and half a letter
  std::string text;
  text.reserve(2 * bytes + kAroundLine * (lines + 2) + kCheckBytes * 2);
  text.append(kind.name).append(kind.version).append("\n");
  return text;  // and not a copy, which has no more memory than it needs
}

std::size_t bytes_of(const std::vector<Bytes>& records) {
  std::size_t bytes = 0;
  for (const Bytes& record : records)
    bytes += record.size();
  return bytes;
}

Result<std::string> end_text(const Kind& kind, std::string text) {
  const std::string check = check_of(text);
  text.append(kCheck).append(" ").append(check).append("\n");
  if (text.size() <= kind.bytes_max) return text;
  erase_text(text);
  return Error{ErrorCode::kTooLarge, kind.context};
}

// As it was written: without what editors and other systems add to the ends of lines.
std::string tidied(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 1);
  for (const char c : text) {
    if (c == '\r') continue;
    while (c == '\n' && out.ends_with(' '))
      out.pop_back();
    if (c == '\n' && (out.empty() || out.ends_with('\n'))) continue;
    out.push_back(c);
  }
  if (!out.ends_with('\n')) out.push_back('\n');
  return out;
}

struct Line {
  std::string_view word;
  Bytes bytes;
};

// The lines between the first and the last, which have been looked at. Wiped with it.
class Lines {
 public:
  static Result<Lines> of(const Kind& kind, std::string_view text);
  ~Lines() {
    for (Line& line : lines_)
      erase_bytes(line.bytes);
    erase_text(text_);
  }
  Lines(Lines&& other) noexcept
      : text_(std::move(other.text_)), lines_(std::exchange(other.lines_, {})) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  Lines& operator=(Lines&&) = delete;
  std::vector<Line>& all() { return lines_; }

 private:
  Lines() = default;
  Status split(const Kind& kind, std::string_view body);
  std::string text_;
  std::vector<Line> lines_;
};

Status Lines::split(const Kind& kind, std::string_view body) {
  while (!body.empty()) {
    const std::string_view line = body.substr(0, body.find('\n'));
    body.remove_prefix(line.size() + 1);
    const std::size_t space = line.find(' ');
    auto bytes = space == line.npos ? std::optional<Bytes>() : from_base32(line.substr(space + 1));
    if (!bytes) return damaged(kind, "a line is damaged");
    std::string_view word;
    for (const std::string_view known : {kGenesis, kSecret, kRecord, kIdentity, kLink, kLabel}) {
      if (line.substr(0, space) == known) word = known;
    }
    lines_.push_back({word, std::move(*bytes)});
    if (word.empty()) return damaged(kind, "a line is not known");
  }
  return {};
}

Result<Lines> Lines::of(const Kind& kind, std::string_view text) {
  if (text.size() > kind.bytes_max) return Error{ErrorCode::kMalformed, kind.context, "too long"};
  Lines lines;
  lines.text_ = tidied(text);
  const std::string_view all = lines.text_;
  const std::string_view first = all.substr(0, all.find('\n'));
  if (!first.starts_with(kind.name)) {
    return Error{ErrorCode::kMalformed, kind.context,
                 "the first line is not " + std::string(kind.name) + std::string(kind.version)};
  }
  if (first.substr(kind.name.size()) != kind.version) {
    return Error{ErrorCode::kUnsupported, kind.context,
                 "of another version of ebb: " + std::string(first.substr(0, 64))};
  }
  const std::size_t last = all.rfind('\n', all.size() - 2) + 1;
  if (all.size() < 2 || last <= first.size()) return damaged(kind, "its end is missing");
  const std::string check = std::string(kCheck) + " " + check_of(all.substr(0, last)) + "\n";
  if (all.substr(last) != check) return damaged(kind, "it was changed, or is not whole");
  const std::size_t begin = first.size() + 1;
  EBB_RETURN_IF_ERROR(lines.split(kind, all.substr(begin, last - begin)));
  return lines;
}

}  // namespace

Result<std::string> encode_mesh_file(const MeshFile& file) {
  std::size_t lines = 2 + file.records.size();
  std::size_t bytes = file.genesis.size() + MeshSecret::kSize + bytes_of(file.records);
  if (file.device) {
    lines += 3;
    bytes += 2 * Secret<32>::kSize + file.device->label.size();
  }
  std::string text = begin_text(kMeshKind, lines, bytes);
  add_line(text, kGenesis, file.genesis);
  add_line(text, kSecret, file.secret.view());
  for (const Bytes& record : file.records)
    add_line(text, kRecord, record);
  if (file.device) {
    add_line(text, kIdentity, file.device->identity.view());
    add_line(text, kLink, file.device->link.view());
    add_line(text, kLabel, as_bytes(file.device->label));
  }
  return end_text(kMeshKind, std::move(text));
}

Result<MeshFile> decode_mesh_file(std::string_view text) {
  EBB_ASSIGN(Lines lines, Lines::of(kMeshKind, text));
  MeshFile file;
  std::optional<MeshSecret> secret;
  std::optional<Secret<32>> identity, link;
  std::optional<std::string> label;
  for (Line& line : lines.all()) {
    if (line.word == kGenesis) file.genesis = line.bytes;
    if (line.word == kRecord) file.records.push_back(line.bytes);
    if (line.word == kSecret) secret = MeshSecret::from(line.bytes);
    if (line.word == kIdentity) identity = Secret<32>::from(line.bytes);
    if (line.word == kLink) link = Secret<32>::from(line.bytes);
    if (line.word == kLabel) label = std::string(as_text(line.bytes));
  }
  if (!secret || !decode_genesis(file.genesis).ok()) {
    return damaged(kMeshKind, "genesis or secret is missing");
  }
  file.secret = std::move(*secret);
  if (!identity && !link && !label) return file;
  if (!identity || !link || !label) return damaged(kMeshKind, "a key of the device is missing");
  file.device = DeviceKeys{std::move(*identity), std::move(*link), std::move(*label)};
  return file;
}

Result<std::string> encode_authority_file(const std::vector<Bytes>& records) {
  std::string text = begin_text(kAuthorityKind, records.size(), bytes_of(records));
  for (const Bytes& record : records)
    add_line(text, kRecord, record);
  return end_text(kAuthorityKind, std::move(text));
}

Result<std::vector<Bytes>> decode_authority_file(std::string_view text) {
  EBB_ASSIGN(Lines lines, Lines::of(kAuthorityKind, text));
  std::vector<Bytes> records;
  for (Line& line : lines.all()) {
    if (line.word != kRecord) return damaged(kAuthorityKind, "a line is not known");
    records.push_back(std::move(line.bytes));
  }
  return records;
}

}  // namespace ebb::trust
