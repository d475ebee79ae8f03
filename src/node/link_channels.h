// What the links of this program go through. A fact of the build, which nothing at run time
// changes: the library says the encrypted channel (link_channels.cc), and only a program that
// measures what that costs (tools/bench/plain_links.cc, never installed) is linked with another
// answer. So there is nothing here to choose, and nothing but this function may stand in its
// source.
//
// Ownership: what `setup` refers to must outlive the channels.
// Threads:   any thread.
#pragma once

#include <memory>

#include "mesh/secure_channel.h"

namespace ebb::node {

std::unique_ptr<mesh::Channels> make_link_channels(mesh::SecureSetup setup);

}  // namespace ebb::node
