// Writes the Prometheus text format, version 0.0.4.
//
// Model:     family() once, then its samples; the type decides nothing but the TYPE line.
// Ownership: the string must outlive the writer; it is appended to.
// Threads:   not thread-safe; a value on the stack of one call.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "node/node.h"

namespace ebb::http {

class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  explicit PrometheusText(std::string& out) : out_(out) {}

  // `type`: "counter", "gauge" or "histogram".
  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(std::uint64_t value, Labels labels = {});
  void sample(double value, Labels labels = {});
  // A family of one sample.
  void counter(std::string_view name, std::string_view help, std::uint64_t value);
  void gauge(std::string_view name, std::string_view help, std::uint64_t value);
  void histogram(std::string_view name, std::string_view help, const node::Histogram& values);

 private:
  void begin_line(std::string_view suffix, Labels labels);

  std::string& out_;
  std::string name_;
};

}  // namespace ebb::http
