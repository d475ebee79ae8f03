// What a device has to know to be answered in a mesh, and is handed when it joins.
#pragma once

#include "core/limits.h"
#include "core/secret.h"

namespace ebb {

using MeshSecret = Secret<limits::kMeshSecretBytes, struct MeshSecretTag>;

}  // namespace ebb
