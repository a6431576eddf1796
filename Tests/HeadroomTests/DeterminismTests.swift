import Foundation
import Platform
import Primitives
import Scenario
import Testing

@testable import Simulation

/// Same scenario, seed and version: the same bits, in debug and release builds, with either event
/// queue, for any number of threads, from a fork as from midnight.
@Suite struct DeterminismTests {
  /// Named overrides of the small cluster; each runs through other parts of the model.
  private static let cases: [(name: String, overrides: [String])] = [
    ("request", []),
    ("heap", ["queue=heap"]),
    ("exact", ["contention=exact", "duration=3m"]),
    ("flow", ["fidelity=flow"]),
    ("auto", ["fidelity=auto", "services.go-online.arrivals.total_rate=500/s", "duration=2m"]),
    ("empty", ["start=empty", "warmup=0s", "pools.size=1"]),
    ("seed", ["seed=4"]),
  ]

  private static let stored = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden/digests.json")

  private struct Golden: Codable, Equatable {
    var version: String
    var digests: [String: String]
  }

  private static func digests() throws -> [String: String] {
    var digests: [String: String] = [:]
    for (name, overrides) in cases {
      let document = try SmallCluster.document(SmallCluster.text, overrides)
      digests[name] = HexadecimalWord.text(try SmallCluster.run(document).digest)
    }
    return digests
  }

  /// Whoever changes what a run does gives the program another version, since `verify` takes runs
  /// of one version as comparable.
  @Test func digestsBelongToTheVersion() throws {
    let found = Golden(version: ProgramVersion.text, digests: try Self.digests())
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: Self.stored))
    if ProcessInfo.processInfo.environment["HEADROOM_UPDATE_GOLDEN"] != nil {
      try #require(
        golden.version != found.version || golden == found,
        "digests have changed: give ProgramVersion another number first")
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try (encoder.encode(found) + Data("\n".utf8)).write(to: Self.stored)
      return
    }
    #expect(found == golden, "another version, or other digests under this one")
    #expect(found.digests["request"] == found.digests["heap"])
    #expect(Set(found.digests.values).count == Self.cases.count - 1, "cases that are the same")
  }

  @Test func threadsChangeNothing() throws {
    let document = try SmallCluster.document(
      SmallCluster.text, ["replications=5", "duration=2m"])
    let digests = try [1, 2, 4].map { threads in
      try ScenarioRunner(document, threads: threads).runAll(peaks: nil).map(\.digest)
    }
    #expect(Set(digests[0]).count == 5)
    #expect(digests[1] == digests[0] && digests[2] == digests[0])
  }

  /// What a fork costs does not depend on the time before it: at hour 20 it executes the events of
  /// the minute that it simulates, and those are the trunk's.
  @Test func aForkAtHourTwenty() throws {
    let document = try SmallCluster.document(
      SmallCluster.text,
      [
        "duration=24h", "services.go-online.arrivals.total_rate=0.1/s",
        "services.py.arrivals.rate=0.1/s",
      ])
    let configuration = ScenarioMapping(document).platform(replication: 0, peaks: nil)
    let trunk = Run(configuration, replication: 0)
    let hour = Instant.seconds(20 * 3600)
    let minute = Instant.seconds(20 * 3600 + 60)
    try trunk.advance(to: hour)
    let before = trunk.executed
    let fork = trunk.fork()
    #expect(fork.executed == before)
    try fork.advance(to: minute)
    try trunk.advance(to: minute)
    #expect(fork.executed == trunk.executed)
    #expect(fork.executed - before < before / 500 && fork.executed > before)
    #expect(try fork.finish().digest == trunk.finish().digest)
  }
}
