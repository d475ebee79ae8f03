// Events as text: the JSON of one that is to be appended, and the lines of those that come.
//
// Threads: values and pure functions; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/failure.h"

namespace ebb::cli {

// The event object of `append TYPE k=v...`. A value is JSON when it parses as such, else text.
// Every number keeps the digits that were typed.
Outcome<std::string> event_object(const AppendOptions& options);

// One line for a person: time, device, type, source and payload, escaped and cut to `columns`.
std::string event_line(std::string_view event, std::size_t columns, bool colours);

// Cuts a stream into lines, whatever its parts.
class LineCutter {
 public:
  // Calls `take` with every line that is complete now, without its end; false from it stops.
  bool feed(std::string_view part, const std::function<bool(std::string_view)>& take);

 private:
  std::string rest_;
};

// Reads text/event-stream.
class EventStream {
 public:
  struct Message {
    std::string event, data, id;
  };
  // Calls `take` with every message that is complete now; false from it stops.
  bool feed(std::string_view part, const std::function<bool(const Message&)>& take);

 private:
  bool take_line(std::string_view line, const std::function<bool(const Message&)>& take);
  LineCutter lines_;
  Message message_;
};

}  // namespace ebb::cli
