// Entry of every C++ test program. Runs doctest, then prints what the test runner counts:
// a line `SKIP <name>: <reason>` for each skipped case, and last
// `cases: P passed, F failed, S skipped`.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>
#include <string>
#include <vector>

namespace {

// What happened to the cases of this program. doctest builds the listener itself, without
// arguments of ours, hence one object for the program.
struct Tally {
  int passed = 0;
  int failed = 0;
  std::vector<std::string> skips;
};

Tally& tally() {
  static Tally instance;
  return instance;
}

class TallyListener : public doctest::IReporter {
 public:
  explicit TallyListener(const doctest::ContextOptions&) {}

  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    Tally& result = tally();
    ++(stats.testCaseSuccess ? result.passed : result.failed);
  }

  // Also called for cases that a filter on the command line leaves out; those are not skipped.
  void test_case_skipped(const doctest::TestCaseData& test) override {
    if (test.m_skip) tally().skips.emplace_back(test.m_name);
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_start(const doctest::TestCaseData&) override {}
};

void print_tally() {
  const Tally& result = tally();
  for (const std::string& name : result.skips)
    std::cout << "SKIP " << name << ": marked with doctest::skip()\n";
  std::cout << "cases: " << result.passed << " passed, " << result.failed << " failed, "
            << result.skips.size() << " skipped" << std::endl;
}

}  // namespace

REGISTER_LISTENER("tally", 1, TallyListener);

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int exit_code = context.run();
  // A question such as --list-test-cases ran no case.
  if (!context.shouldExit()) print_tally();
  return exit_code;
}
