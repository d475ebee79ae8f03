// Which addresses this program may bind and dial. A fact of the build, which nothing at run time
// changes: while devices have no certificates, the library says loopback only (bind_loopback.cc),
// and only a program for tests (meson option `unsafe_bind`) is linked with the other answer.
//
// Threads: constant; any thread.
#pragma once

namespace ebb::node {

extern const bool kBindsAnyAddress;

}  // namespace ebb::node
