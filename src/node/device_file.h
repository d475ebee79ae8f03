// Device files: a mesh file with the keys of one new device, which its issuer has certified
// already.
//
// Errors:  those of load_home and of `certify`; kTooLarge.
// Threads: any; `certify` is called on the same.
#pragma once

#include <functional>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "trust/authority_record.h"

namespace ebb::node {

using CertifyDevice = std::function<Result<Bytes>(
    const std::string& device, const std::string& link_key, const std::string& label)>;

// Of the mesh of the directory `dir`.
Result<std::string> make_device_file(const std::string& dir, const std::string& label,
                                     const CertifyDevice& certify);
// What lets devices in, by the records that the directory holds.
Result<trust::Admit> known_admit(const std::string& dir);

}  // namespace ebb::node
