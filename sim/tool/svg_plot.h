// Plots as inline SVG: lines over an axis of time, and horizontal bars. Colours are classes of the
// page's style, so that they follow light and dark.
//
// Model:   every picture has a title for those who cannot see it; its numbers stand in a table
//          beside it, which is the caller's to write.
// Threads: pure functions; any thread.
// Limits:  kSeriesMax series have colours of their own; kPointsMax points of one are drawn.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace ebb::sim_tool {

inline constexpr std::size_t kSeriesMax = 8;
inline constexpr std::size_t kPointsMax = 600;

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x rising
  bool steps = false;                             // holds its value until the next point
};

struct Tick {
  double at = 0;
  std::string text;
};

struct LinePlot {
  std::string title;
  std::vector<Series> series;
  double x_min = 0, x_max = 1;
  double y_min = 0, y_max = 1;
  bool logarithmic = false;  // x, then above 0
  std::vector<Tick> x_ticks, y_ticks;
  std::string x_label;
};

struct Bar {
  std::string label;
  double value = 0;
  std::string text;  // the value in words
};

std::string line_plot(const LinePlot& plot);
std::string bar_plot(const std::string& title, const std::vector<Bar>& bars);
// Safe as text and as an attribute's value.
std::string escape_html(const std::string& text);

}  // namespace ebb::sim_tool
