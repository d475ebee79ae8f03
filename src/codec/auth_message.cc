#include "codec/auth_message.h"

#include <iterator>
#include <string>

#include "codec/message_types.h"
#include "codec/wire_parts.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

AuthRecords read_auth_records(TapeReader& reader) {
  AuthRecords m;
  m.records = read_list<ByteView>(reader, limits::kAuthRecordsPerMessage,
                                  [](TapeReader& element) { return element.bin(); });
  m.more = reader.boolean();
  m.digest = reader.fixed<AuthorityDigest>();
  m.wall = {static_cast<std::int64_t>(reader.uint_up_to(limits::kTrustTimeMax))};
  for (const ByteView record : m.records) {
    if (record.size() > limits::kAuthorityRecordBytes) reader.fail(ErrorCode::kTooLarge);
  }
  return m;
}

AuthMesh read_auth_mesh(TapeReader& reader) {
  AuthMesh m;
  const ByteView genesis = reader.bin();
  const ByteView secret = reader.bin();
  if (genesis.size() > limits::kGenesisBytes) reader.fail(ErrorCode::kTooLarge);
  if (!secret.empty() && secret.size() != MeshSecret::kSize) reader.fail(ErrorCode::kMalformed);
  if (!reader.ok()) return m;
  m.genesis = to_bytes(genesis);
  m.secret = MeshSecret::from(secret);
  return m;
}

AuthCompare read_auth_compare(TapeReader& reader) {
  AuthCompare m;
  m.digest = reader.fixed<AuthorityDigest>();
  m.logs = read_list<AuthorityLogDigest>(reader, limits::kAuthLogsCompared, [](TapeReader& each) {
    const auto fields = each.enter(2);
    AuthorityLogDigest log;
    log.authority = each.fixed<DeviceId>();
    log.digest = each.fixed<AuthorityDigest>();
    each.leave(fields);
    return log;
  });
  return m;
}

}  // namespace

Message read_auth(TapeReader& reader, std::size_t fields) {
  const std::uint64_t kind = reader.uint();
  constexpr std::size_t kFields[] = {5, 2, 3, 3, 4, 3};  // by kind, with the kind
  if (reader.ok() && kind < std::size(kFields) && fields < kFields[kind]) {
    reader.fail(ErrorCode::kMalformed);
  }
  switch (static_cast<AuthKind>(kind)) {
    case AuthKind::kRecords:
      return read_auth_records(reader);
    case AuthKind::kAsk:
      return AuthAsk{std::string(reader.str(limits::kCertificateLabelBytes))};
    case AuthKind::kRefused: {
      AuthRefused m;
      m.code = static_cast<AuthRefusal>(reader.uint_up_to(UINT8_MAX));
      m.text = reader.str(limits::kByeTextBytes);
      return m;
    }
    case AuthKind::kMesh:
      return read_auth_mesh(reader);
    case AuthKind::kGrant: {
      AuthGrant m;
      m.access = static_cast<GrantedAccess>(
          reader.uint_up_to(static_cast<std::uint8_t>(GrantedAccess::kFull)));
      m.roles = reader.uint();
      m.text = reader.str(limits::kByeTextBytes);
      return m;
    }
    case AuthKind::kCompare:
      return read_auth_compare(reader);
  }
  reader.fail(ErrorCode::kUnsupported);
  return AuthAsk{};
}

}  // namespace ebb::codec
