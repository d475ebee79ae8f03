// `ebb-sim plan`: the examples that ship, the three forms of a report, and what is wrong.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/tool/svg_plot.h"
#include "tests/sim_tool/tool_run.h"

using ebb::tests::ToolRun;

namespace {

std::string example(const std::string& name) {
  return EBB_SOURCE_ROOT "/docs/examples/" + name + ".toml";
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

const std::string kSmall =
    "name = \"<Small> & \\\"odd\\\"\"\nduration = \"10m\"\n[group.till]\ncount = 4\n"
    "events = \"60/h\"\npeers = [\"till\"]\n[group.office]\ncount = 1\npeers = [\"till\"]\n";

}  // namespace

TEST_CASE("every example that ships runs, and its page asks no network for anything") {
  for (const std::string name : {"kiosks", "ferries", "sensors"}) {
    CAPTURE(name);
    ToolRun sim;
    REQUIRE(sim.run({"plan", example(name), "--duration", "20m", "--html", sim.file("p.html")}) ==
            0);
    CHECK(sim.err_has(" deliveries/s"));
    CHECK(sim.out_has("DEVICES"));
    CHECK(sim.out_has("100 %"));
    const std::string page = sim.read("p.html");
    CHECK(page.find("</html>") != std::string::npos);
    CHECK(count_of(page, "<svg ") == 4);
    CHECK(count_of(page, "http") == count_of(page, "xmlns=\"http://www.w3.org/2000/svg\""));
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("prefers-color-scheme:dark") != std::string::npos);
    CHECK(page.find("nan") == std::string::npos);
    CHECK(page.find("inf") == std::string::npos);
  }
}

TEST_CASE("the JSON of a fleet says when events got where, and what that took") {
  ToolRun sim;
  REQUIRE(sim.run({"plan", sim.write("f.toml", kSmall), "--json"}) == 0);
  const auto report = nlohmann::json::parse(sim.out);
  CHECK(report["complete"] == true);
  CHECK(report["devices"] == 5);
  const std::uint64_t events = report["events"];
  CHECK(events >= 20);
  CHECK(report["deliveries"] == events * 4);
  REQUIRE(report["reach"].size() == 4);
  for (const auto& reach : report["reach"])
    CHECK(reach["events"] == events);
  CHECK(report["reach"][0]["p50_s"] <= report["reach"][3]["p50_s"]);
  CHECK(report["reach"][3]["slowest_s"] > 0);
  CHECK(report["reach"][3]["slowest_s"] < 60);
  REQUIRE(report["groups"].size() == 2);
  CHECK(report["groups"][0]["events"] == events);
  CHECK(report["groups"][1]["bytes_in_per_device_day"] > 0);
  CHECK(report["links"].size() >= 2);
  CHECK(report["messages"][0]["bytes"] > 0);
  CHECK(report["copies_per_event"] >= 1);
  CHECK(report["completeness"].back()["all_permille"] == 1000);
  CHECK(report["defects"].empty());
}

TEST_CASE("the same fleet and seed give the same report, another seed another") {
  ToolRun sim;
  const std::string file = sim.write("f.toml", kSmall);
  REQUIRE(sim.run({"plan", file}) == 0);
  const std::string first = sim.out;
  REQUIRE(sim.run({"plan", file}) == 0);
  CHECK(sim.out == first);
  REQUIRE(sim.run({"plan", file, "--seed", "2"}) == 0);
  CHECK(sim.out != first);
}

TEST_CASE("names of users are text in a page") {
  ToolRun sim;
  REQUIRE(sim.run({"plan", sim.write("f.toml", kSmall), "--duration", "60s", "--html",
                   sim.file("p.html")}) == 0);
  CHECK(sim.read("p.html").find("<title>&lt;Small&gt; &amp; &quot;odd&quot;</title>") !=
        std::string::npos);
  CHECK(ebb::sim_tool::escape_html("<a href=\"x\">&") == "&lt;a href=&quot;x&quot;&gt;&amp;");
}

TEST_CASE("a fleet that is wrong is exit code 2 and names line and key") {
  ToolRun sim;
  CHECK(sim.run({"plan"}) == 2);
  CHECK(sim.run({"plan", sim.file("gone.toml")}) == 2);
  CHECK(sim.run({"plan", sim.write("f.toml", "[group.a]\ncont = 3\n")}) == 2);
  CHECK(sim.err_has("f.toml line 1: group.a.count: is missing"));
  CHECK(sim.run({"plan", sim.write("f.toml", "[group.a]\ncount = 3\npers = [\"a\"]\n")}) == 2);
  CHECK(sim.err_has("f.toml line 3: group.a.pers: there is no such key; did you mean peers?"));
  CHECK(sim.run({"plan", sim.write("f.toml", kSmall), "--duration", "soon"}) == 2);
  CHECK(sim.out.empty());
  CHECK(sim.run({"plan", sim.write("f.toml", kSmall), "--html", sim.file("no/such/p.html")}) == 1);
}
