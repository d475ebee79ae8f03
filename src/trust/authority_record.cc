#include "trust/authority_record.h"

#include <array>
#include <type_traits>

#include "codec/tape.h"
#include "codec/value.h"
#include "codec/wire_parts.h"
#include "core/check.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

using codec::TapeReader;
using codec::Writer;

constexpr std::string_view kLabel = "ebb-authority-1";
constexpr std::string_view kChainLabel = "ebb-authority-chain-1";
constexpr std::size_t kCommonFields = 6;
constexpr std::size_t kFieldsOfThree = 3;  // of a cut, and of a head
constexpr std::array<std::string_view, 2> kAdmits = {"invite", "secret"};
constexpr std::size_t kAdmitBytes = 16;

// How many fields stand behind the kind.
struct FieldCount {
  std::size_t operator()(const record::Unknown&) const { return 0; }
  std::size_t operator()(const record::Cert&) const { return 1; }
  std::size_t operator()(const record::Retire&) const { return 2; }
  std::size_t operator()(const record::Revoke&) const { return 2; }
  std::size_t operator()(const record::IssuerAdd&) const { return 1; }
  std::size_t operator()(const record::Rotate&) const { return 4; }
  std::size_t operator()(const record::Resolve&) const { return 3; }
  std::size_t operator()(const record::Policy&) const { return 2; }
  std::size_t operator()(const record::Time&) const { return 0; }
};

void write_position(Writer& writer, const Position& position) {
  writer.uint(position.seq);
  writer.bin(position.chain.view());
}

struct ContentWriter {
  Writer& writer;

  void operator()(const record::Unknown&) const {}
  void operator()(const record::Cert& cert) const { writer.bin(cert.certificate); }
  void operator()(const record::Retire& retire) const {
    writer.bin(retire.device.view());
    writer.integer(retire.until.ms);
  }
  void operator()(const record::Revoke& revoke) const {
    writer.bin(revoke.device.view());
    writer.array(revoke.cuts.size());
    for (const record::Cut& cut : revoke.cuts) {
      writer.array(kFieldsOfThree);
      writer.bin(cut.log.view());
      write_position(writer, cut.position);
    }
  }
  void operator()(const record::IssuerAdd& add) const { writer.bin(add.certificate); }
  void operator()(const record::Rotate& rotate) const {
    writer.bin(rotate.issuer.view());
    write_position(writer, rotate.end);
    writer.bin(rotate.successor);
  }
  void operator()(const record::Resolve& resolve) const {
    writer.bin(resolve.branch.log.view());
    write_position(writer, resolve.branch.position);
  }
  void operator()(const record::Policy& policy) const {
    writer.uint(policy.number);
    writer.str(kAdmits.at(static_cast<std::size_t>(policy.admit)));
  }
  void operator()(const record::Time&) const {}
};

Position read_position(TapeReader& reader) {
  Position position;
  position.seq = reader.uint_up_to(limits::kSeqMax);
  position.chain = reader.fixed<Hash>();
  return position;
}

record::Cut read_cut(TapeReader& reader) {
  record::Cut cut;
  cut.log = reader.fixed<LogId>();
  cut.position = read_position(reader);
  return cut;
}

record::Revoke read_revoke(TapeReader& reader) {
  record::Revoke revoke;
  revoke.device = reader.fixed<DeviceId>();
  revoke.cuts = codec::read_list<record::Cut>(reader, limits::kCutsPerRevoke, [](TapeReader& each) {
    const auto fields = each.enter(kFieldsOfThree);
    const record::Cut cut = read_cut(each);
    each.leave(fields);
    return cut;
  });
  for (std::size_t i = 1; i < revoke.cuts.size(); ++i) {
    if (!(revoke.cuts[i - 1].log < revoke.cuts[i].log)) reader.fail(ErrorCode::kNotCanonical);
  }
  return revoke;
}

record::Rotate read_rotate(TapeReader& reader) {
  record::Rotate rotate;
  rotate.issuer = reader.fixed<DeviceId>();
  rotate.end = read_position(reader);
  rotate.successor = to_bytes(reader.bin());
  return rotate;
}

record::Policy read_policy(TapeReader& reader) {
  record::Policy policy;
  policy.number = reader.uint();
  const std::string_view admit = reader.str(kAdmitBytes);
  if (policy.number == 0 || (admit != kAdmits[0] && admit != kAdmits[1])) {
    reader.fail(ErrorCode::kMalformed);
  }
  policy.admit = admit == kAdmits[1] ? Admit::kSecret : Admit::kInvite;
  return policy;
}

WallTime read_time(TapeReader& reader) {
  return {static_cast<std::int64_t>(reader.uint_up_to(limits::kTrustTimeMax))};
}

record::Content read_kind(TapeReader& reader, std::uint64_t kind) {
  if (kind > UINT8_MAX) return record::Unknown{};
  switch (static_cast<AuthorityKind>(kind)) {
    case AuthorityKind::kCert:
      return record::Cert{to_bytes(reader.bin())};
    case AuthorityKind::kRetire: {
      const auto device = reader.fixed<DeviceId>();
      return record::Retire{device, read_time(reader)};
    }
    case AuthorityKind::kRevoke:
      return read_revoke(reader);
    case AuthorityKind::kIssuerAdd:
      return record::IssuerAdd{to_bytes(reader.bin())};
    case AuthorityKind::kRotate:
      return read_rotate(reader);
    case AuthorityKind::kResolve:
      return record::Resolve{read_cut(reader)};
    case AuthorityKind::kPolicy:
      return read_policy(reader);
    case AuthorityKind::kTime:
      return record::Time{};
  }
  return record::Unknown{};
}

Hash chain_of(ByteView body) { return hash({as_bytes(kChainLabel), body}); }

// The kinds are numbered in the order of Content, from 1.
template <AuthorityKind kind, class Fields>
inline constexpr bool kStandsAt =
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(kind), record::Content>,
                   Fields>;
static_assert(kStandsAt<AuthorityKind::kCert, record::Cert>);
static_assert(kStandsAt<AuthorityKind::kTime, record::Time>);

Bytes body_of(const AuthorityRecord& record) {
  Bytes body;
  Writer writer(body);
  writer.array(kCommonFields + std::visit(FieldCount{}, record.content));
  writer.bin(record.mesh.view());
  writer.bin(record.authority.view());
  writer.uint(record.seq);
  writer.bin(record.previous.view());
  writer.integer(record.at.ms);
  writer.uint(record.content.index());
  std::visit(ContentWriter{writer}, record.content);
  return body;
}

Result<AuthorityRecord> read_body(ByteView body) {
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(body));
  TapeReader reader(tape, "authority record");
  AuthorityRecord out;
  reader.enter(kCommonFields);
  out.mesh = reader.fixed<MeshId>();
  out.authority = reader.fixed<DeviceId>();
  out.seq = reader.uint();
  out.previous = reader.fixed<Hash>();
  out.at = read_time(reader);
  const std::uint64_t kind = reader.uint();
  EBB_RETURN_IF_ERROR(reader.status());
  if (out.seq == 0) return Error{ErrorCode::kMalformed, "authority record: seq"};
  if (out.seq > limits::kAuthorityRecords) {
    return Error{ErrorCode::kTooLarge, "authority record: seq"};
  }
  record::Content content = read_kind(reader, kind);
  if (reader.ok()) out.content = std::move(content);
  out.chain = chain_of(body);
  return out;
}

}  // namespace

Hash authority_chain_start(const MeshId& mesh, const DeviceId& authority) {
  return hash({as_bytes(kChainLabel), mesh.view(), authority.view()});
}

Result<Bytes> sign_authority_record(const Identity& authority, const AuthorityRecord& record) {
  EBB_CHECK(authority.device() == record.authority);
  EBB_CHECK(!std::holds_alternative<record::Unknown>(record.content));
  const Bytes body = body_of(record);
  EBB_ASSIGN(const AuthorityRecord read, read_body(body));
  if (read.content != record.content) {
    return Error{ErrorCode::kTooLarge, "authority record: content"};
  }
  Bytes encoded = sign_body(authority, kLabel, body);
  if (encoded.size() <= limits::kAuthorityRecordBytes) return encoded;
  return Error{ErrorCode::kTooLarge, "authority record"};
}

Result<ReadRecord> read_authority_record(const MeshId& mesh, ByteView encoded) {
  ReadRecord read;
  EBB_ASSIGN(read.parts, split_signed(encoded, limits::kAuthorityRecordBytes));
  EBB_ASSIGN(read.record, read_body(read.parts.body));
  if (read.record.mesh != mesh) {
    return Error{ErrorCode::kInvalidArgument, "authority record: of another mesh"};
  }
  return read;
}

bool record_holds(const ReadRecord& read, const SignatureCheck& signatures) {
  return body_holds(read.record.authority, kLabel, read.parts, signatures);
}

Result<AuthorityRecord> decode_authority_record(const MeshId& mesh, ByteView encoded,
                                                const SignatureCheck& signatures) {
  EBB_ASSIGN(ReadRecord read, read_authority_record(mesh, encoded));
  if (!record_holds(read, signatures)) {
    return Error{ErrorCode::kBadSignature, "authority record"};
  }
  return std::move(read.record);
}

Bytes encode_authority_heads(const std::vector<AuthorityHead>& heads) {
  EBB_CHECK(heads.size() <= limits::kIssuers + 1);
  Bytes out;
  Writer writer(out);
  writer.array(heads.size());
  for (const AuthorityHead& head : heads) {
    writer.array(kFieldsOfThree);
    writer.bin(head.authority.view());
    write_position(writer, head.end);
  }
  return out;
}

Result<std::vector<AuthorityHead>> decode_authority_heads(ByteView bytes) {
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(bytes));
  TapeReader reader(tape, "authority heads");
  auto heads = codec::read_list<AuthorityHead>(reader, limits::kIssuers + 1, [](TapeReader& each) {
    const auto fields = each.enter(kFieldsOfThree);
    AuthorityHead head;
    head.authority = each.fixed<DeviceId>();
    head.end = read_position(each);
    each.leave(fields);
    return head;
  });
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const bool rises = i == 0 || heads[i - 1].authority < heads[i].authority;
    if (!rises || heads[i].end.seq == 0) reader.fail(ErrorCode::kNotCanonical);
  }
  EBB_RETURN_IF_ERROR(reader.status());
  return heads;
}

}  // namespace ebb::trust
