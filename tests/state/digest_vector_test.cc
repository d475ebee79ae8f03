// The golden vector of state: entries and digests that another program computed.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "codec/event.h"
#include "tests/state/model.h"

using namespace ebb;
using namespace ebb::tests;

namespace {

struct VectorEvent {
  LogId log;
  std::string topic;
  Seq seq = 0;
  Hash chain;
  Bytes bytes;
};

struct VectorDigest {
  state::Arguments arguments;
  Hash digest;
};

struct Vector {
  std::vector<VectorEvent> events;
  Entries entries;
  std::vector<VectorDigest> digests;
  Hash view;
};

Bytes bytes_of(std::istream& in) {
  std::string hex;
  in >> hex;
  const auto bytes = from_hex(hex == "-" ? "" : hex);
  REQUIRE(bytes.has_value());
  return *bytes;
}

template <class T>
T fixed(std::istream& in) {
  const auto value = T::from(bytes_of(in));
  REQUIRE(value.has_value());
  return *value;
}

void read_line(const std::string& line, Vector& vector) {
  std::istringstream in(line);
  std::string what;
  in >> what;
  if (what == "event") {
    VectorEvent event;
    event.log = fixed<LogId>(in);
    in >> event.topic >> event.seq;
    event.chain = fixed<Hash>(in);
    event.bytes = bytes_of(in);
    vector.events.push_back(std::move(event));
  } else if (what == "entry") {
    Bytes key = bytes_of(in);
    vector.entries[std::move(key)] = bytes_of(in);
  } else if (what == "digest") {
    VectorDigest digest;
    digest.arguments.base = fixed<Hash>(in);
    digest.arguments.authority = fixed<Hash>(in);
    in >> digest.arguments.configuration.seq;
    digest.arguments.configuration.chain = fixed<Hash>(in);
    digest.digest = fixed<Hash>(in);
    vector.digests.push_back(digest);
  } else {
    REQUIRE(what == "view");
    in >> what;
    REQUIRE(what == state::kCountViewName);
    vector.view = fixed<Hash>(in);
  }
}

Vector read_vector() {
  std::ifstream in(std::filesystem::path(EBB_SOURCE_ROOT) / "tests" / "vectors" /
                   "state_digest.txt");
  REQUIRE(in.is_open());
  Vector vector;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') read_line(line, vector);
  }
  return vector;
}

}  // namespace

TEST_CASE("state vector: entries and digests are those of the file") {
  const Vector vector = read_vector();
  REQUIRE(vector.events.size() == 15);
  REQUIRE(vector.digests.size() == 2);
  for (const VectorDigest& expected : vector.digests) {
    const auto fold = new_fold(expected.arguments);
    for (const VectorEvent& each : vector.events) {
      const auto event = codec::decode_event(each.bytes);
      REQUIRE(event.ok());
      REQUIRE(fold->apply(each.log, each.topic, each.seq, each.chain, *event) ==
              state::ApplyResult::kApplied);
    }
    CHECK(to_hex(fold->digest().view()) == to_hex(expected.digest.view()));
    CHECK(to_hex(fold->view_digest().view()) == to_hex(vector.view.view()));
    Entries stored;
    keep(stored, fold->take_dirty());
    CHECK(stored == vector.entries);
  }
}
