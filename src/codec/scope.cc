#include "codec/scope.h"

#include <string>
#include <utility>
#include <vector>

#include "codec/wire_parts.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

// The set of what was read; fails where it was not in order, or said something twice.
template <class Element>
std::set<Element> ordered(TapeReader& reader, std::vector<Element> list) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (!(list[i - 1] < list[i])) reader.fail(ErrorCode::kNotCanonical);
  }
  return {std::make_move_iterator(list.begin()), std::make_move_iterator(list.end())};
}

}  // namespace

void write_scope(Writer& writer, const Scope& scope) {
  writer.uint(static_cast<std::uint8_t>(scope.kind));
  writer.array(scope.topics.size());
  for (const std::string& topic : scope.topics)
    writer.str(topic);
  writer.array(scope.devices.size());
  for (const DeviceId& device : scope.devices)
    writer.bin(device.view());
}

Scope read_scope(TapeReader& reader) {
  Scope scope;
  scope.kind =
      static_cast<ScopeKind>(reader.uint_up_to(static_cast<std::uint64_t>(ScopeKind::kLeaf)));
  scope.topics =
      ordered(reader, read_list<std::string>(reader, limits::kScopeTopics, [](TapeReader& each) {
                return std::string(each.str(limits::kTopicBytes));
              }));
  scope.devices =
      ordered(reader, read_list<DeviceId>(reader, limits::kScopeDevices,
                                          [](TapeReader& each) { return each.fixed<DeviceId>(); }));
  if (reader.ok() && !is_valid_scope(scope)) reader.fail(ErrorCode::kMalformed);
  return scope;
}

Bytes encode_scope(const Scope& scope) {
  Bytes out;
  Writer writer(out);
  writer.array(kScopeFields);
  write_scope(writer, scope);
  return out;
}

}  // namespace ebb::codec
