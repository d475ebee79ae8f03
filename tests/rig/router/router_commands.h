// What the router of the rig tests is told while it runs, a line at a time.
//
// Threads: not thread-safe; call where the switch lives.
// Errors:  the answer begins with "error"; nothing was changed.
#pragma once

#include <string>
#include <string_view>

#include "tests/rig/router/packet_switch.h"

namespace ebb::tests {

// Answers without a line end. The commands are listed in router_main.cc.
std::string run_command(PacketSwitch& net, std::string_view line);

}  // namespace ebb::tests
