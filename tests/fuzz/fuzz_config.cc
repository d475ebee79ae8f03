// Any text as a configuration file: it is refused with words that name the place, or every value
// of it can be shown, and is one that the same key takes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/check.h"
#include "node/config.h"

using namespace ebb;
using namespace ebb::node;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text(ByteView(data, size)));
  const Result<Config> config = parse_config(text, "ebb.toml", {});
  if (!config.ok()) {
    EBB_CHECK(!config.error().message().empty());
    return 0;
  }
  for (const ConfigLine& line : describe_config(*config))
    EBB_CHECK(!line.key.empty() && !line.origin.empty());
  // As a flag over the same file the name is taken again.
  ConfigOverrides overrides;
  overrides.values["node.name"] = {config->name, "flag --name"};
  const Result<Config> again = parse_config(text, "ebb.toml", overrides);
  EBB_CHECK(config->name.empty() || (again.ok() && again->name == config->name));
  return 0;
}
