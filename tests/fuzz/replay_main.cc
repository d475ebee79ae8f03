// Runs a fuzz target without a fuzzer: every input of a corpus, then a fixed number of mutations of
// them, the same on every machine. With -Dfuzzer=true the targets link with libFuzzer instead.
//
//     fuzz_event [--mutations N] [--case N] CORPUS...
//
// A corpus is a file of golden vectors (a name that ends in .txt) or a directory of inputs. A
// failure prints the number of its case; --case runs only that one.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/rng.h"
#include "tests/vectors/vector_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using ebb::Bytes;
using ebb::Rng;

constexpr std::size_t kInputBytesMax = std::size_t{1} << 20;
constexpr std::uint64_t kSeed = 20240229;

// Read by the handler of a fatal signal, hence not inside an object.
char running[64] = "";

extern "C" void report_case(int signal_number) {
  std::fputs(running, stderr);
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

struct Options {
  std::uint64_t mutations = 20000;
  std::int64_t only = -1;
  std::vector<std::string> corpora;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool has_value = i + 1 < argc;
    if (argument == "--mutations" && has_value) {
      options.mutations = std::stoull(argv[++i]);
    } else if (argument == "--case" && has_value) {
      options.only = std::stoll(argv[++i]);
    } else {
      options.corpora.emplace_back(argument);
    }
  }
  return options;
}

std::vector<Bytes> read_corpora(const std::vector<std::string>& corpora) {
  std::vector<Bytes> inputs{{}};
  for (const std::string& corpus : corpora) {
    if (corpus.ends_with(".txt")) {
      const ebb::tests::VectorFile file(std::filesystem::path(corpus).filename().string());
      for (const auto& [name, bytes] : file.entries())
        inputs.push_back(bytes);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
      std::ifstream file(entry.path(), std::ios::binary);
      inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  return inputs;
}

// Half the bytes put in are headers of msgpack at the edges of their lengths.
std::uint8_t random_byte(Rng& rng) {
  static constexpr std::uint8_t kEdges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x98, 0x9f, 0xa0, 0xbf,
                                            0xc0, 0xc1, 0xc4, 0xc5, 0xc6, 0xca, 0xcb, 0xcc, 0xcf,
                                            0xd3, 0xd9, 0xdb, 0xdc, 0xdd, 0xdf, 0xe0, 0xff};
  if (rng.chance(1, 2)) return kEdges[rng.below(std::size(kEdges))];
  return static_cast<std::uint8_t>(rng.below(256));
}

struct Range {
  std::ptrdiff_t begin;
  std::ptrdiff_t end;
};

Range random_range(Rng& rng, const Bytes& bytes) {
  const std::uint64_t begin = rng.below(bytes.size() + 1);
  const std::uint64_t end = rng.between(begin, bytes.size());
  return {static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end)};
}

void mutate_once(Rng& rng, Bytes& bytes, const std::vector<Bytes>& corpus) {
  const Range range = random_range(rng, bytes);
  const auto at = bytes.begin() + range.begin;
  switch (rng.below(7)) {
    case 0:
      if (at != bytes.end()) *at = static_cast<std::uint8_t>(*at ^ (1U << rng.below(8)));
      break;
    case 1:
      if (at != bytes.end()) *at = random_byte(rng);
      break;
    case 2:
      bytes.insert(at, random_byte(rng));
      break;
    case 3:
      bytes.erase(at, bytes.begin() + range.end);
      break;
    case 4:
      bytes.resize(static_cast<std::size_t>(range.begin));
      break;
    case 5: {
      const Bytes copy(at, bytes.begin() + range.end);
      bytes.insert(at, copy.begin(), copy.end());
      break;
    }
    default: {
      const Bytes& other = corpus[rng.below(corpus.size())];
      const Range piece = random_range(rng, other);
      bytes.insert(at, other.begin() + piece.begin, other.begin() + piece.end);
    }
  }
}

// The input of a case depends on nothing but its number and the corpus.
Bytes input_of(std::uint64_t number, const std::vector<Bytes>& corpus) {
  if (number < corpus.size()) return corpus[number];
  Rng rng(kSeed + number);
  Bytes bytes = corpus[rng.below(corpus.size())];
  for (std::uint64_t i = rng.between(1, 6); i > 0; --i)
    mutate_once(rng, bytes, corpus);
  if (bytes.size() > kInputBytesMax) bytes.resize(kInputBytesMax);
  // Just its size on the heap, so that a sanitizer sees a read behind it.
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  for (const int fatal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(fatal, report_case);
  }
  const std::vector<Bytes> corpus = read_corpora(options.corpora);
  for (std::uint64_t number = 0; number < corpus.size() + options.mutations; ++number) {
    if (options.only >= 0 && number != static_cast<std::uint64_t>(options.only)) continue;
    std::snprintf(running, sizeof running, "failed: --case %llu\n",
                  static_cast<unsigned long long>(number));
    const Bytes input = input_of(number, corpus);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("cases: 1 passed, 0 failed, 0 skipped\n");
  return 0;
}
