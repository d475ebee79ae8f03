#include "trust/genesis.h"

#include <array>

#include "codec/tape.h"
#include "codec/value.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kGenesisLabel = "ebb-genesis-1";
constexpr std::string_view kFileLabel = "ebb-mesh-1";
constexpr std::size_t kGenesisFields = 4;
constexpr std::size_t kFileLines = 3;

// The next line of `text`, without its end and without blanks before that.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  const std::size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

Bytes encode_genesis(const Genesis& genesis) {
  Bytes out;
  codec::Writer writer(out);
  writer.array(kGenesisFields);
  writer.str(kGenesisLabel);
  writer.bin(genesis.root.view());
  writer.integer(genesis.created.ms);
  writer.bin(genesis.nonce.view());
  return out;
}

Result<Genesis> decode_genesis(ByteView bytes) {
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(bytes));
  codec::TapeReader reader(tape, "genesis");
  Genesis genesis;
  reader.enter(kGenesisFields);
  if (reader.str(kGenesisLabel.size()) != kGenesisLabel) reader.fail(ErrorCode::kMalformed);
  genesis.root = reader.fixed<DeviceId>();
  genesis.created = {reader.integer()};
  genesis.nonce = reader.fixed<GenesisNonce>();
  EBB_RETURN_IF_ERROR(reader.status());
  return genesis;
}

MeshId mesh_id(ByteView genesis_bytes) {
  const Hash whole = hash(genesis_bytes);
  MeshId id;
  std::memcpy(id.data.data(), whole.data.data(), MeshId::kSize);
  return id;
}

std::string encode_mesh_file(const MeshFile& file) {
  std::string text(kFileLabel);
  text.append("\n").append(to_base32(file.genesis));
  text.append("\n").append(to_base32(file.secret.view())).append("\n");
  return text;
}

Result<MeshFile> decode_mesh_file(std::string_view text) {
  if (text.size() > limits::kMeshFileBytes)
    return Error{ErrorCode::kMalformed, "mesh file: too long"};
  std::array<std::string_view, kFileLines> lines;
  for (std::string_view& line : lines)
    line = take_line(text);
  if (lines[0] != kFileLabel) {
    return Error{ErrorCode::kMalformed, "mesh file: first line is not ebb-mesh-1"};
  }
  if (!take_line(text).empty() || !text.empty()) {
    return Error{ErrorCode::kMalformed, "mesh file: more than three lines"};
  }
  const auto genesis = from_base32(lines[1]);
  if (!genesis) return Error{ErrorCode::kMalformed, "mesh file: second line is not base32"};
  const auto secret = from_base32(lines[2]);
  const auto fixed = secret ? MeshSecret::from(*secret) : std::nullopt;
  if (!fixed) return Error{ErrorCode::kMalformed, "mesh file: third line is no secret"};
  EBB_RETURN_IF_ERROR(decode_genesis(*genesis));
  return MeshFile{*genesis, *fixed};
}

}  // namespace ebb::trust
