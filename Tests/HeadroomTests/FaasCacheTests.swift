import Foundation
import Testing

/// A cache of containers in one server's memory: hits, misses and drops of 20,000 requests, exact.
@Suite struct FaasCacheTests {
  /// The published generator's draws.
  private struct Draws {
    var state: UInt32

    mutating func next() -> Int {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Int(state >> 16)
    }
  }

  /// Writes the trace as the reference describes it; first come the draws of the functions, which
  /// the scenario has written out.
  private static func writeTrace(to folder: URL, _ reference: [String: Any]) throws {
    var draws = Draws(state: UInt32(try #require(reference["seed"] as? Int)))
    let functions = try #require(reference["nf"] as? Int)
    var kinds: [[Int]] = []
    for _ in 0..<functions {
      let memory = 64 * (1 + draws.next() % 8)
      let warm = 50 * (1 + draws.next() % 20)
      kinds.append([memory, warm + 100 * (1 + draws.next() % 30), warm])
    }
    let checks = try #require(reference["checks"] as? [String: Any])
    #expect(kinds[0] == checks["f00"] as? [Int])
    #expect(kinds[1] == checks["f01"] as? [Int])
    var time = 0
    var lines = ["t_ms,function"]
    for _ in 0..<20_000 {
      time += draws.next() % 4000
      let share = draws.next() % 1000
      let function = functions * share * share * share / 1_000_000_000
      lines.append("\(time),f\(function < 10 ? "0" : "")\(function)")
    }
    func line(_ event: [Any]) throws -> String {
      "\(try #require(event[1] as? Int)),\(try #require(event[0] as? String))"
    }
    let first = try #require(checks["first_events"] as? [[Any]]).map(line)
    #expect(Array(lines[1...first.count]) == first)
    #expect(lines.last == (try line(try #require(checks["last_event"] as? [Any]))))
    #expect(kinds.reduce(0) { $0 + $1[0] } == checks["total_memory_mb"] as? Int)
    try lines.joined(separator: "\n").write(
      to: folder.appending(path: "faascache.csv"), atomically: true, encoding: .utf8)
  }

  @Test func hitsMissesAndDropsAreExact() throws {
    let reference = try Reference.json("faascache_lru")
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "headroom-faascache-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Self.writeTrace(to: folder, reference)
    let expected = try #require(reference["expected"] as? [[String: Int]])
    #expect(expected.count == 4)
    for row in expected {
      let memory = try #require(row["memory_mb"])
      let results = try Reference.run(
        "faascache", overrides: ["cluster.zones.server.nodes.memory=\(memory)MiB"],
        data: folder.path)
      let cold = try results.values("cold_starts")[0]
      let completed = try results.values("completed")[0]
      #expect(Int(completed - cold) == row["hit"])
      #expect(Int(cold) == row["miss"])
      #expect(Int(try results.values("refused")[0]) == row["drop"])
    }
  }
}
