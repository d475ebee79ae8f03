// A mesh on paper for the tests of certificates: keys by name, and the logs of its authorities as
// they write them.
//
// Threads: not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "tests/codec/samples.h"
#include "tests/trust/log_writer.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"
#include "trust/genesis.h"
#include "trust/hash.h"
#include "trust/identity.h"

namespace ebb::tests {

inline constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
inline constexpr WallTime kNow{kSampleMs};

inline WallTime days(std::int64_t n) { return {kNow.ms + n * kDay}; }

inline std::unique_ptr<trust::Identity> key_of(std::uint8_t first) {
  EBB_CHECK(trust::crypto_ready().ok());
  return std::move(trust::Identity::from_seed(counting<Hash>(first).view())).value();
}

inline const MeshId kPaperMesh = counting<MeshId>(0x10);
inline const std::unique_ptr<trust::Identity> kRoot = key_of(0x20);

inline Bytes issuer_certificate(const DeviceId& issuer, trust::Validity validity,
                                std::uint64_t serial = 1) {
  return std::move(trust::sign_issuer_certificate(*kRoot,
                                                  {kPaperMesh, serial, issuer, "issuer", validity}))
      .value();
}

inline trust::Certificate certificate_of(const DeviceId& device, const DeviceId& issuer,
                                         trust::Validity validity, std::uint64_t serial = 1) {
  trust::Certificate certificate;
  certificate.mesh = kPaperMesh;
  certificate.serial = serial;
  certificate.device = device;
  certificate.link_key = counting<trust::LinkKey>(0x40);
  certificate.label = "pump 7, hall 3";
  certificate.roles = trust::roles::kReader | trust::roles::kWriter;
  certificate.prefixes = {""};
  certificate.validity = validity;
  certificate.issuer = issuer;
  return certificate;
}

// The same of the mesh on paper, and its certificates.
class AuthorityWriter {
 public:
  explicit AuthorityWriter(const trust::Identity& key) : key_(&key), log_(key, kPaperMesh) {}

  // The record that goes on with the log.
  Bytes write(trust::record::Content content, WallTime at = kNow) {
    return log_.write(std::move(content), at);
  }
  Bytes certify(const DeviceId& device, trust::Validity validity, std::uint64_t serial = 1) {
    return certify(certificate_of(device, key_->device(), validity, serial));
  }
  Bytes certify(const trust::Certificate& certificate) {
    return write(
        trust::record::Cert{std::move(trust::sign_certificate(*key_, certificate)).value()});
  }

  const Position& end() const { return log_.end(); }
  const DeviceId& authority() const { return key_->device(); }

 private:
  const trust::Identity* key_;
  LogWriter log_;
};

}  // namespace ebb::tests
