#include "http/start_problem.h"

#include "core/data_directory.h"
#include "http/answer.h"

namespace ebb::http {
namespace {

StartProblem explain_busy(const Error& error, const std::string& dir) {
  if (error.context == "port in use") {
    return {.what = "cannot listen on " + error.detail + ": the port is in use",
            .why = "another program, perhaps another node, has it",
            .next = "stop that program, or choose another address with --listen or in " +
                    path_in(dir, kConfigFile)};
  }
  return {.what = "a node is running on " + dir + " already: " + error_message(error),
          .why = "one process at a time may write a store",
          .next = ebb_command("status", dir) + " asks that node, " + ebb_command("down", dir) +
                  " stops it"};
}

// The store is of other keys than those beside it.
std::string next_of_foreign_store(const std::string& dir) {
  return "put back what belongs together: the store in " + path_in(dir, "store") +
         " and the keys and mesh.genesis it was made with";
}

std::string sentence_of(const Error& error) {
  return speaks_for_itself(error) ? error.detail : error_message(error);
}

}  // namespace

StartProblem explain_start(const Error& error, const std::string& dir) {
  StartProblem problem{.what = sentence_of(error), .why = {}, .next = {}};
  switch (error.code) {
    case ErrorCode::kBusy:
      return explain_busy(error, dir);
    case ErrorCode::kExists:
      problem.next = "stop what answers there, or move the file away";
      break;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kMalformed:
      if (error.context.starts_with("store belongs to ")) {
        problem.next = next_of_foreign_store(dir);
        break;
      }
      problem.usage = blames_flag(error);
      if (!problem.usage)
        problem.next = ebb_command("config check", dir) + " reads the configuration again";
      break;
    case ErrorCode::kUnsupported:
      problem.why = "a newer ebb has used this directory; nothing was written";
      problem.next = "install that version again";
      break;
    case ErrorCode::kCorrupt:
      if (speaks_for_itself(error)) break;
      problem.why = "the disk, or another program that wrote to it";
      problem.next = "copy " + dir + " before anything else; " + ebb_command("verify", dir) +
                     " says what is damaged";
      break;
    case ErrorCode::kDiskFull:
      problem.next =
          "free some space, or raise store.disk_budget_bytes in " + path_in(dir, kConfigFile);
      break;
    case ErrorCode::kIo:
      if (error.context == kTooManyFiles) {
        problem.why = "a limit of this process, or of the machine";
        problem.next = "raise it with `ulimit -n`, or LimitNOFILE in a unit of systemd";
        break;
      }
      problem.next = "see that " + dir + " exists, is yours, and that its disk works";
      break;
    default:
      break;
  }
  return problem;
}

std::string ready_text(const StartProblem& problem) {
  std::string text = "error: " + problem.what + "\n";
  if (!problem.next.empty()) text += "next: " + problem.next + "\n";
  return text;
}

std::string problem_text(const StartProblem& problem) {
  std::string text = "ebb: " + problem.what + "\n";
  if (!problem.why.empty()) text += "  why:  " + problem.why + "\n";
  if (!problem.next.empty()) text += "  next: " + problem.next + "\n";
  return text;
}

}  // namespace ebb::http
