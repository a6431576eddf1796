import Foundation
import Reporting
import Testing

@Suite struct ReportingTests {
  // MARK: JSON

  /// What is written is read by another reader as it was meant.
  @Test func jsonIsJSON() throws {
    let words = ["", "a\"b\\c", "line\nnext\ttab\r", "\u{0}\u{1F}\u{7F}", "Größe 🙂", "</script>"]
    let numbers: [Double] = [0, -0.5, 1e-9, 12_345_678_901_234, 1e300, 0.1, 3]
    var object = JSONObject()
    object["words"] = JSONValue(words)
    object["numbers"] = .array(numbers.map { .number($0) })
    object["nothing"] = .array([.number(.nan), .number(.infinity), JSONValue(nil as Int?), .null])
    object["most"] = .array([.unsigned(.max), .integer(.min), .bool(true)])
    object["empty"] = .array([.object([:]), .array([])])
    let data = Data(JSONValue.object(object).text.utf8)
    let read = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(read["words"] as? [String] == words)
    #expect(read["numbers"] as? [Double] == numbers)
    #expect((read["nothing"] as? [Any])?.allSatisfy { $0 is NSNull } == true)
    #expect((read["most"] as? [NSNumber])?[0].uint64Value == .max)
    #expect((read["most"] as? [NSNumber])?[1].int64Value == .min)
    #expect((read["empty"] as? [Any])?.count == 2)
  }

  @Test func keysKeepTheirOrderAndAreNeverMissing() {
    var object: JSONObject = ["z": .null, "a": .integer(1)]
    object["m"] = JSONValue(nil as Double?)
    object["a"] = nil
    #expect(JSONValue.object(object).text == "{\n  \"z\": null,\n  \"a\": null,\n  \"m\": null\n}")
  }

  // MARK: Command lines

  @Test(arguments: [
    ["plain", "a/b.yaml", "--set", "x=1"], ["two words", "it's", ""], ["$HOME", "`x`", "a\\b"],
    ["faults=[]", "*", "~", "#x", "a\nb", "é"], ["''", "'", "\"q\""],
  ])
  func aShellTakesWordsApartAgain(_ words: [String]) throws {
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    // One word and a NUL each.
    shell.arguments = ["-c", "printf '%s\\0' " + ShellWords.text(words)]
    let pipe = Pipe()
    shell.standardOutput = pipe
    try shell.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    shell.waitUntilExit()
    let found = data.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    #expect(found == words + [""])
  }

  @Test func againReplacesWhatWasWritten() {
    #expect(ShellWords.again(["headroom", "run", "a b"]) == "headroom run 'a b' --force")
    #expect(ShellWords.again(["headroom", "run", "--force", "a"]) == "headroom run --force a")
    #expect(ShellWords.again(["headroom", "run", "--", "a"]) == "headroom run --force -- a")
  }

  // MARK: Text

  @Test func sparklinesTakeAnyNumber() {
    #expect(TextForm.sparkline([0, 0.05, 0.1]) == "▁▄█")
    #expect(TextForm.sparkline([.nan, .infinity, -1, 1, 9], top: 1) == "▁▁▁██")
    #expect(TextForm.sparkline([.nan, .nan]) == "▁▁")
  }

  @Test func timesThatAreComparedHaveOneUnit() {
    #expect(TextForm.times(seconds: [450, 660, 0]) == ["7.50 min", "11 min", "0"])
    #expect(TextForm.times(seconds: [45, 660]) == ["45 s", "660 s"])
    #expect(TextForm.times(seconds: [7200, 40_000]) == ["2 h", "11.1 h"])
    #expect(TextForm.times(seconds: [0.02, 3]) == ["0.0200 s", "3 s"])
    #expect(TextForm.times(seconds: [2e-6, 5e-4]) == ["2 us", "500 us"])
    for (seconds, text) in [(0.0, "0"), (5e-10, "0.500 ns"), (0.25, "250 ms"), (599, "599 s")] {
      #expect(TextForm.time(seconds: seconds) == text)
    }
    #expect(TextForm.time(seconds: 600) == "10 min" && TextForm.time(seconds: -36_000) == "-10 h")
  }

  @Test func tablesAlignColumns() {
    let rows = [["met", "a < 1", "0.5", "one replication"], ["MISSED", "long < 2", "12", ""]]
    #expect(
      TextForm.table(rows, left: 2, notes: true)
        == "met     a < 1     0.5  one replication\nMISSED  long < 2   12")
  }

  @Test func progressSaysHowLongItTakes() {
    #expect(
      ProgressText.line("first pass", done: 600, total: 2400, elapsed: 4)
        == "first pass · 25 % · 150x real time · 0:12 left")
    #expect(ProgressText.line("x", done: 0, total: 100, elapsed: 0) == "x · 0 %")
    #expect(ProgressText.line("x", done: 500, total: 100, elapsed: 2).contains("99 %"))
    #expect(ProgressText.line("x", done: 1, total: 7201, elapsed: 1).hasSuffix("2:00:00 left"))
  }
}
