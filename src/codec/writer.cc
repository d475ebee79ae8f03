#include <bit>
#include <limits>
#include <msgpack.hpp>

#include "codec/value.h"
#include "core/check.h"

namespace ebb::codec {
namespace {

// What msgpack's packer writes to.
class Appender {
 public:
  explicit Appender(Bytes& out) : out_(out) {}
  void write(const char* data, std::size_t size) { append(out_, as_bytes({data, size})); }

 private:
  Bytes& out_;
};

constexpr std::uint8_t kFloat64 = 0xcb;

std::uint32_t narrow(std::size_t size) {
  EBB_CHECK(size <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(size);
}

template <class Write>
void pack(Bytes& out, const Write& write) {
  Appender appender(out);
  msgpack::packer<Appender> packer(appender);
  write(packer);
}

}  // namespace

void Writer::nil() {
  pack(out_, [](auto& packer) { packer.pack_nil(); });
}

void Writer::boolean(bool value) {
  pack(out_, [value](auto& packer) { value ? packer.pack_true() : packer.pack_false(); });
}

void Writer::uint(std::uint64_t value) {
  pack(out_, [value](auto& packer) { packer.pack_uint64(value); });
}

void Writer::integer(std::int64_t value) {
  pack(out_, [value](auto& packer) { packer.pack_int64(value); });
}

void Writer::real(double value) {
  // msgpack's pack_double writes a whole number as an integer and loses -0.0.
  out_.push_back(kFloat64);
  append_be64(out_, std::bit_cast<std::uint64_t>(value));
}

void Writer::str(std::string_view text) {
  pack(out_, [text](auto& packer) {
    const std::uint32_t size = narrow(text.size());
    packer.pack_str(size).pack_str_body(text.data(), size);
  });
}

void Writer::bin(ByteView bytes) {
  pack(out_, [bytes](auto& packer) {
    const std::uint32_t size = narrow(bytes.size());
    packer.pack_bin(size).pack_bin_body(as_text(bytes).data(), size);
  });
}

void Writer::array(std::size_t size) {
  pack(out_, [size](auto& packer) { packer.pack_array(narrow(size)); });
}

void Writer::map(std::size_t size) {
  pack(out_, [size](auto& packer) { packer.pack_map(narrow(size)); });
}

void Writer::raw(ByteView canonical) { append(out_, canonical); }

}  // namespace ebb::codec
