#include "http/prometheus.h"

#include <charconv>

namespace ebb::http {
namespace {

void append_number(std::string& out, double value) {
  char digits[400];  // enough for any double without an exponent
  out.append(digits,
             std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr);
}

void append_label_value(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      out.append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
}

}  // namespace

void PrometheusText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ").append(help);
  out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void PrometheusText::begin_line(std::string_view suffix, Labels labels) {
  out_.append(name_).append(suffix);
  char separator = '{';
  for (const auto& [name, value] : labels) {
    out_.append(1, separator).append(name).append("=\"");
    append_label_value(out_, value);
    out_.push_back('"');
    separator = ',';
  }
  out_.append(separator == ',' ? "} " : " ");
}

void PrometheusText::sample(std::uint64_t value, Labels labels) {
  begin_line("", labels);
  out_.append(std::to_string(value)).append("\n");
}

void PrometheusText::sample(double value, Labels labels) {
  begin_line("", labels);
  append_number(out_, value);
  out_.append("\n");
}

void PrometheusText::counter(std::string_view name, std::string_view help, std::uint64_t value) {
  family(name, "counter", help);
  sample(value);
}

void PrometheusText::gauge(std::string_view name, std::string_view help, std::uint64_t value) {
  family(name, "gauge", help);
  sample(value);
}

void PrometheusText::histogram(std::string_view name, std::string_view help,
                               const node::Histogram& values) {
  family(name, "histogram", help);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < values.bounds.size() && i < values.counts.size(); ++i) {
    cumulative += values.counts[i];
    std::string bound;
    append_number(bound, values.bounds[i]);
    begin_line("_bucket", {{"le", bound}});
    out_.append(std::to_string(cumulative)).append("\n");
  }
  begin_line("_bucket", {{"le", "+Inf"}});
  out_.append(std::to_string(values.count)).append("\n");
  begin_line("_sum", {});
  append_number(out_, values.sum);
  out_.append("\n");
  begin_line("_count", {});
  out_.append(std::to_string(values.count)).append("\n");
}

}  // namespace ebb::http
