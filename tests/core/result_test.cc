#include "core/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>

using namespace ebb;

namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kInvalidArgument, "odd", std::to_string(number)};
  return number / 2;
}

Result<int> quarter(int number) {
  EBB_ASSIGN(const int once, half(number));
  EBB_ASSIGN(const int twice, half(once));
  return twice;
}

Status even(int number) {
  EBB_RETURN_IF_ERROR(half(number));
  return {};
}

}  // namespace

TEST_CASE("a result is a value or the error that stopped it") {
  CHECK(*quarter(12) == 3);
  CHECK(quarter(6).error().code == ErrorCode::kInvalidArgument);
  CHECK(quarter(6).error().detail == "3");
  CHECK(even(2).ok());
  CHECK_FALSE(even(3).ok());
  CHECK(even(3).error().message() == "invalid_argument: odd: 3");
}

TEST_CASE("a value can be moved out of a result") {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> value = std::move(result).value();
  CHECK(*value == 7);
}

TEST_CASE("every error code has a name of its own") {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorCode::kInternal);
  for (int code = 0; code <= last; ++code) {
    names.insert(error_code_name(static_cast<ErrorCode>(code)));
  }
  CHECK(names.size() == static_cast<std::size_t>(last) + 1);
}
