#include "sim/tool/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ebb::sim_tool {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 300;
constexpr double kLeft = 56;
constexpr double kRight = 16;
constexpr double kTop = 12;
constexpr double kBottom = 44;
constexpr double kBarHeight = 22;
constexpr double kBarLabel = 220;
constexpr double kBarValue = 110;

double clamp01(double value) { return std::clamp(value, 0.0, 1.0); }

double part_of(double value, double low, double high) {
  return high > low ? clamp01((value - low) / (high - low)) : 0;
}

double x_at(const LinePlot& plot, double x) {
  const double part = plot.logarithmic ? part_of(std::log(std::max(x, plot.x_min)),
                                                 std::log(plot.x_min), std::log(plot.x_max))
                                       : part_of(x, plot.x_min, plot.x_max);
  return kLeft + part * (kWidth - kLeft - kRight);
}

double y_at(const LinePlot& plot, double y) {
  return kTop + (1 - part_of(y, plot.y_min, plot.y_max)) * (kHeight - kTop - kBottom);
}

std::string open_svg(const std::string& title, double height) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\"><title>{}</title>\n",
      kWidth, height, escape_html(title), escape_html(title));
}

std::string path_of(const LinePlot& plot, const Series& series) {
  std::string path;
  const std::size_t step = series.points.size() / kPointsMax + 1;
  double last_y = 0;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const bool is_last = i + 1 == series.points.size();
    if (i % step != 0 && !is_last) continue;
    const double x = x_at(plot, series.points[i].first);
    const double y = y_at(plot, series.points[i].second);
    if (path.empty()) {
      path = fmt::format("M{:.1f} {:.1f}", x, y);
    } else if (series.steps) {
      path += fmt::format("L{:.1f} {:.1f}L{:.1f} {:.1f}", x, last_y, x, y);
    } else {
      path += fmt::format("L{:.1f} {:.1f}", x, y);
    }
    last_y = y;
  }
  return path;
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    }
  }
  return out;
}

std::string line_plot(const LinePlot& plot) {
  std::string svg = open_svg(plot.title, kHeight);
  for (const Tick& tick : plot.y_ticks) {
    const double y = y_at(plot, tick.at);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, escape_html(tick.text));
  }
  for (const Tick& tick : plot.x_ticks) {
    const double x = x_at(plot, tick.at);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"/>"
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        x, x, kTop, kHeight - kBottom, x, kHeight - kBottom + 16, escape_html(tick.text));
  }
  svg += fmt::format("<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 6, escape_html(plot.x_label));
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    svg +=
        fmt::format("<path class=\"line s{}\" d=\"{}\"><title>{}</title></path>\n", i % kSeriesMax,
                    path_of(plot, plot.series[i]), escape_html(plot.series[i].name));
  }
  svg += "</svg>\n<p class=\"legend\">";
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    svg += fmt::format("<span class=\"key k{}\"></span>{} ", i % kSeriesMax,
                       escape_html(plot.series[i].name));
  }
  return svg + "</p>\n";
}

std::string bar_plot(const std::string& title, const std::vector<Bar>& bars) {
  const double height = kBarHeight * static_cast<double>(bars.size()) + 8;
  std::string svg = open_svg(title, height);
  double most = 0;
  for (const Bar& bar : bars)
    most = std::max(most, bar.value);
  double y = 4;
  for (const Bar& bar : bars) {
    const double width = part_of(bar.value, 0, most) * (kWidth - kBarLabel - kBarValue);
    svg += fmt::format(
        "<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>"
        "<rect class=\"bar\" x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\"/>"
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        kBarLabel - 8, y + 15, escape_html(bar.label), kBarLabel, y + 3, width, kBarHeight - 6,
        kBarLabel + width + 6, y + 15, escape_html(bar.text));
    y += kBarHeight;
  }
  return svg + "</svg>\n";
}

}  // namespace ebb::sim_tool
