#include "trust/genesis.h"

#include <string_view>

#include "codec/tape.h"
#include "codec/value.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kGenesisLabel = "ebb-genesis-1";
constexpr std::size_t kGenesisFields = 4;

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
  genesis.created = {static_cast<std::int64_t>(reader.uint_up_to(limits::kTrustTimeMax))};
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

}  // namespace ebb::trust
