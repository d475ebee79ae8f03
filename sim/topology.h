// Topology: what lies between each ordered pair of hosts, and which address leads to whom.
//
// Model:   a path has a latency, is open unless some cut names it, and may be narrow or a black
//          hole for large packets. Cuts lie over each other: a path opens when the last of them is
//          healed. A host has one current address; earlier ones lead nowhere until
//          restore_addresses().
// Units:   capacity in datagrams under way.
// Threads: not thread-safe; owned by the network of a run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "sim/options.h"

namespace ebb::sim {

struct Direction {
  HostIndex from = 0;
  HostIndex to = 0;
};
using CutId = std::uint64_t;

class Topology {
 public:
  static constexpr std::uint16_t kPort = 4000;
  // A packet of more does not pass a black hole.
  static constexpr std::size_t kSmallPacket = 576;

  Topology(const NetworkOptions& options, Rng& rng, std::size_t hosts);

  // The address that a host has at the start.
  static std::string first_address(HostIndex host);
  const std::string& address(HostIndex host) const { return addresses_[host]; }
  std::optional<HostIndex> host_at(const std::string& address) const;
  void change_address(HostIndex host);
  void restore_addresses();

  bool is_cut(HostIndex from, HostIndex to) const { return at(from, to).cuts > 0; }
  CutId cut(std::vector<Direction> directions);
  void heal(CutId cut);
  std::size_t cuts() const { return cuts_.size(); }
  // All cuts, narrow paths and black holes end.
  void heal_all();

  Duration latency(HostIndex from, HostIndex to) const { return at(from, to).latency; }
  void set_latency(Direction path, Duration latency) { at(path.from, path.to).latency = latency; }

  // Of a narrow path: its share of the rate is 1 / divisor, its room `capacity` datagrams.
  void narrow(Direction path, std::uint64_t divisor, std::size_t capacity);
  void widen(Direction path) { narrow(path, 1, 0); }
  std::uint64_t divisor(HostIndex from, HostIndex to) const { return at(from, to).divisor; }
  // False: there is no room for a datagram. Else it takes room until datagram_left().
  bool datagram_enters(HostIndex from, HostIndex to);
  void datagram_left(HostIndex from, HostIndex to);

  void set_black_hole(Direction path, bool is) { at(path.from, path.to).black_hole = is; }
  bool swallows(HostIndex from, HostIndex to, std::size_t bytes) const {
    return at(from, to).black_hole && bytes > kSmallPacket;
  }

 private:
  struct Pair {
    Duration latency;
    std::uint32_t cuts = 0;
    std::uint32_t datagrams = 0;  // under way
    std::uint64_t divisor = 1;
    std::size_t capacity = 0;  // 0: without bound
    bool black_hole = false;
  };
  Pair& at(HostIndex from, HostIndex to) { return pairs_[from * hosts_ + to]; }
  const Pair& at(HostIndex from, HostIndex to) const { return pairs_[from * hosts_ + to]; }

  std::size_t hosts_;
  std::vector<Pair> pairs_;
  std::vector<std::string> addresses_;
  std::map<std::string, HostIndex> leads_to_;
  std::map<std::string, HostIndex> led_to_;  // given up
  std::map<CutId, std::vector<Direction>> cuts_;
  CutId next_cut_ = 1;
  std::uint64_t changes_ = 0;
};

}  // namespace ebb::sim
