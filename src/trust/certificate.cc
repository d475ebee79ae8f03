#include "trust/certificate.h"

#include <algorithm>

#include "codec/tape.h"
#include "codec/value.h"
#include "codec/wire_parts.h"
#include "core/check.h"
#include "core/limits.h"
#include "trust/label.h"
#include "trust/terms.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kLabel = "ebb-certificate-1";
constexpr std::string_view kIssuerLabel = "ebb-issuer-1";
constexpr std::size_t kFields = 11;
constexpr std::size_t kIssuerFields = 6;

Status check_label(std::string_view label) {
  if (is_label(label)) return {};
  return Error{ErrorCode::kMalformed, "certificate: label"};
}

Status check_prefixes(const std::vector<std::string>& prefixes) {
  if (!std::all_of(prefixes.begin(), prefixes.end(), is_topic_prefix)) {
    return Error{ErrorCode::kMalformed, "certificate: topic prefix"};
  }
  const bool rises = std::adjacent_find(prefixes.begin(), prefixes.end(), std::greater_equal<>()) ==
                     prefixes.end();
  return rises ? Status() : Error{ErrorCode::kNotCanonical, "certificate: topic prefixes"};
}

Status check_validity(const Validity& validity, std::int64_t most_ms) {
  const std::int64_t begin = validity.not_before.ms;
  const std::int64_t end = validity.not_after.ms;
  if (begin < 0 || end > limits::kTrustTimeMax) {
    return Error{ErrorCode::kOutOfRange, "certificate: time"};
  }
  if (begin >= end) return Error{ErrorCode::kOutOfRange, "certificate: ends before it begins"};
  if (end - begin > most_ms) return Error{ErrorCode::kOutOfRange, "certificate: lasts too long"};
  return {};
}

WallTime read_time(codec::TapeReader& reader) {
  return {static_cast<std::int64_t>(reader.uint_up_to(limits::kTrustTimeMax))};
}

Validity read_validity(codec::TapeReader& reader) {
  Validity validity;
  validity.not_before = read_time(reader);
  validity.not_after = read_time(reader);
  return validity;
}

void write_validity(codec::Writer& writer, const Validity& validity) {
  writer.integer(validity.not_before.ms);
  writer.integer(validity.not_after.ms);
}

Result<Certificate> read_body(ByteView body) {
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(body));
  codec::TapeReader reader(tape, "certificate");
  Certificate out;
  reader.enter(kFields);
  out.mesh = reader.fixed<MeshId>();
  out.serial = reader.uint();
  out.device = reader.fixed<DeviceId>();
  out.link_key = reader.fixed<LinkKey>();
  out.label = reader.str(limits::kCertificateLabelBytes);
  out.roles = reader.uint();
  out.prefixes = codec::read_list<std::string>(
      reader, limits::kTopicPrefixes,
      [](codec::TapeReader& each) { return std::string(each.str(limits::kTopicBytes)); });
  out.quota = reader.uint();
  out.validity = read_validity(reader);
  out.issuer = reader.fixed<DeviceId>();
  EBB_RETURN_IF_ERROR(reader.status());
  EBB_RETURN_IF_ERROR(check_label(out.label));
  EBB_RETURN_IF_ERROR(check_prefixes(out.prefixes));
  EBB_RETURN_IF_ERROR(check_validity(out.validity, limits::kCertificateMs));
  return out;
}

Result<IssuerCertificate> read_issuer_body(ByteView body) {
  EBB_ASSIGN(const codec::Tape tape, codec::Tape::parse(body));
  codec::TapeReader reader(tape, "issuer certificate");
  IssuerCertificate out;
  reader.enter(kIssuerFields);
  out.mesh = reader.fixed<MeshId>();
  out.serial = reader.uint();
  out.issuer = reader.fixed<DeviceId>();
  out.label = reader.str(limits::kCertificateLabelBytes);
  out.validity = read_validity(reader);
  EBB_RETURN_IF_ERROR(reader.status());
  EBB_RETURN_IF_ERROR(check_label(out.label));
  EBB_RETURN_IF_ERROR(check_validity(out.validity, limits::kIssuerCertificateMs));
  return out;
}

Bytes body_of(const Certificate& certificate) {
  Bytes body;
  codec::Writer writer(body);
  writer.array(kFields);
  writer.bin(certificate.mesh.view());
  writer.uint(certificate.serial);
  writer.bin(certificate.device.view());
  writer.bin(certificate.link_key.view());
  writer.str(certificate.label);
  writer.uint(certificate.roles);
  writer.array(certificate.prefixes.size());
  for (const std::string& prefix : certificate.prefixes)
    writer.str(prefix);
  writer.uint(certificate.quota);
  write_validity(writer, certificate.validity);
  writer.bin(certificate.issuer.view());
  return body;
}

Bytes body_of(const IssuerCertificate& certificate) {
  Bytes body;
  codec::Writer writer(body);
  writer.array(kIssuerFields);
  writer.bin(certificate.mesh.view());
  writer.uint(certificate.serial);
  writer.bin(certificate.issuer.view());
  writer.str(certificate.label);
  write_validity(writer, certificate.validity);
  return body;
}

Error other_mesh() { return {ErrorCode::kInvalidArgument, "certificate: of another mesh"}; }
Error bad_signature() { return {ErrorCode::kBadSignature, "certificate"}; }

}  // namespace

bool is_topic_prefix(std::string_view prefix) {
  return prefix.empty() || (is_valid_topic(prefix) && prefix != kControlTopic);
}

bool Certificate::allows_topic(std::string_view topic) const {
  return topic == kControlTopic ||
         std::any_of(prefixes.begin(), prefixes.end(),
                     [topic](const std::string& prefix) { return topic.starts_with(prefix); });
}

bool Certificate::is_renewal_due(WallTime now) const {
  const std::int64_t whole = validity.not_after.ms - validity.not_before.ms;
  return now.ms >= validity.not_after.ms - whole / 3;
}

Result<Bytes> sign_certificate(const Identity& issuer, const Certificate& certificate) {
  EBB_CHECK(issuer.device() == certificate.issuer);
  const Bytes body = body_of(certificate);
  EBB_RETURN_IF_ERROR(read_body(body));
  Bytes encoded = sign_body(issuer, kLabel, body);
  if (encoded.size() > limits::kCertificateBytes) {
    return Error{ErrorCode::kTooLarge, "certificate"};
  }
  return encoded;
}

Result<Bytes> sign_issuer_certificate(const Identity& root, const IssuerCertificate& certificate) {
  const Bytes body = body_of(certificate);
  EBB_RETURN_IF_ERROR(read_issuer_body(body));
  return sign_body(root, kIssuerLabel, body);
}

Result<ReadCertificate> read_certificate(const MeshId& mesh, ByteView encoded) {
  ReadCertificate read;
  EBB_ASSIGN(read.parts, split_signed(encoded, limits::kCertificateBytes));
  EBB_ASSIGN(read.certificate, read_body(read.parts.body));
  if (read.certificate.mesh != mesh) return other_mesh();
  return read;
}

bool certificate_holds(const ReadCertificate& read, const SignatureCheck& signatures) {
  return body_holds(read.certificate.issuer, kLabel, read.parts, signatures);
}

Result<Certificate> decode_certificate(const MeshId& mesh, ByteView encoded,
                                       const SignatureCheck& signatures) {
  EBB_ASSIGN(ReadCertificate read, read_certificate(mesh, encoded));
  if (!certificate_holds(read, signatures)) return bad_signature();
  return std::move(read.certificate);
}

Result<IssuerCertificate> decode_issuer_certificate(const MeshId& mesh, const DeviceId& root,
                                                    ByteView encoded,
                                                    const SignatureCheck& signatures) {
  EBB_ASSIGN(const SignedBody parts, split_signed(encoded, limits::kCertificateBytes));
  EBB_ASSIGN(IssuerCertificate certificate, read_issuer_body(parts.body));
  if (certificate.mesh != mesh) return other_mesh();
  if (!body_holds(root, kIssuerLabel, parts, signatures)) return bad_signature();
  return certificate;
}

}  // namespace ebb::trust
