// Context: what every command gets: where it reads and prints, the data directory, the global
// flags, and the local API. Turns what goes wrong there into failures that a person can act on.
//
// Ownership: terminal and local commands must outlive the context.
// Threads:   call on the main thread.
// Errors:    exit code 3 when no node answers, 5 when it does not answer in time, else 1.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "cli/failure.h"
#include "cli/http_client.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "core/data_directory.h"
#include "core/secret.h"

namespace ebb::cli {

// An answer of the API: its bytes, and what they say.
struct Document {
  SecretText text;
  nlohmann::json value;
  SecretText secret =
      {};  // where it was asked for: then it is in `text` and here, and not in `value`
};

// Fields of a request, and what the command line calls them.
using FieldNames = std::vector<std::pair<std::string, std::string>>;

class Context {
 public:
  // `place`: what place_of() made of the flags.
  Context(Terminal& terminal, const LocalCommands& local, Globals globals, Place place)
      : terminal_(terminal),
        local_(local),
        globals_(std::move(globals)),
        place_(std::move(place)),
        colours_(use_colours(globals_, terminal)) {}

  Terminal& terminal() const { return terminal_; }
  const LocalCommands& local() const { return local_; }
  const Globals& globals() const { return globals_; }
  const Place& place() const { return place_; }
  const std::string& dir() const { return place_.dir; }
  // A command on this machine as hints write it.
  std::string command(std::string_view words) const { return place_.command(words); }
  std::string socket_path() const { return path_in(dir(), kSocketFile); }
  std::string log_path() const { return path_in(dir(), kLogFile); }
  bool colours() const { return colours_; }
  // Width that table lines are cut to; 0 (not at all) when the output is no terminal.
  std::size_t columns() const { return terminal_.out_is_terminal ? terminal_.columns : 0; }
  bool shows_progress() const { return terminal_.err_is_terminal && !globals_.quiet; }
  // The time that a request may take.
  Duration timeout() const;

  void print(std::string_view text) const;
  // The API's answer as it came, with a line end.
  void print_json(std::string_view text) const;
  // For people, on stderr; control characters are escaped.
  void note(std::string_view text) const;

  // Any answer, error statuses included; fails only when there is none.
  Outcome<HttpAnswer> send(HttpRequest request) const;
  // The failure that an answer with an error status tells of.
  // Where it is about one of `names` the command line named what cannot be: exit code 2.
  Failure failure_of_answer(const HttpAnswer& answer, const FieldNames& names = {}) const;
  // 200 answers in JSON.
  Outcome<Document> get(const RequestTarget& target, const FieldNames& names = {}) const;
  Outcome<Document> remove(const RequestTarget& target) const;
  Outcome<Document> post(const RequestTarget& target, std::string json,
                         const FieldNames& names = {}) const;
  // The same where a member of the answer is a secret of letters, digits and '-'. It is read of the
  // text, since a parser keeps copies of what it reads.
  Outcome<Document> post_for_secret(const RequestTarget& target, std::string json,
                                    std::string_view member, const FieldNames& names = {}) const;

  // The one device known here whose id begins with `prefix`, in full.
  Outcome<std::string> device_with_prefix(std::string_view prefix) const;

 private:
  Failure failure_of_transport(const Error& error) const;
  Outcome<Document> document_of(HttpRequest request, const FieldNames& names = {},
                                std::string_view secret_member = {}) const;

  Terminal& terminal_;
  const LocalCommands& local_;
  Globals globals_;
  Place place_;
  bool colours_;
};

// Members of an answer; what is missing or of another type reads as empty or 0.
std::string text_at(const nlohmann::json& object, std::string_view key);
std::uint64_t count_at(const nlohmann::json& object, std::string_view key);
std::int64_t number_at(const nlohmann::json& object, std::string_view key);
bool flag_at(const nlohmann::json& object, std::string_view key);
// An empty array or object when missing.
const nlohmann::json& list_at(const nlohmann::json& object, std::string_view key);
const nlohmann::json& object_at(const nlohmann::json& object, std::string_view key);

}  // namespace ebb::cli
