import ControlPlane
import Foundation
import Planning
import Platform
import Primitives
import ResultStore
import Scenario
import Testing

@testable import Simulation

/// What a run leaves in its tables.
@Suite struct StoredTablesTests {
  private static func tables(
    _ overrides: [String] = [], objectives: [String] = []
  ) throws -> RunTables {
    let document = try SmallCluster.document(
      SmallCluster.text, overrides, objectives: objectives)
    return RunTables(outcome: try SmallCluster.run(document), run: 1, document: document)
  }

  @Test func servicesSayWhatTheyAre() throws {
    let rows = try Self.tables().services()
    let py = try #require(rows.first { $0.name == "py" })
    #expect([py.kind, py.tenant, py.serviceClass] == ["function", "research", "offline"])
    #expect(py.zones == "zone-a,zone-b")
    #expect(py.coldStarts == py.coldStartsPool + py.coldStartsFallback && py.coldStarts > 0)
    #expect(rows.allSatisfy { $0.peakReadyInstances > 0 })
  }

  /// Cold starts are invocations, starts are instances; the parts of a start add up to it.
  @Test func coldStartsByPath() throws {
    let tables = try Self.tables(["pools.size=1"])
    let services = tables.services()
    let cold = tables.coldStarts()
    for (path, sum) in [
      (ColdStartPath.pool, services.reduce(0) { $0 + $1.coldStartsPool }),
      (.fallback, services.reduce(0) { $0 + $1.coldStartsFallback }),
    ] {
      #expect(sum > 0)
      #expect(cold.filter { $0.path == path }.reduce(0) { $0 + $1.count } == sum)
    }
    #expect(Set(cold.map(\.runtime)) == ["go", "python"])
    let starts = tables.starts()
    for total in starts where total.component == "total" {
      let parts = starts.filter {
        $0.zone == total.zone && $0.runtime == total.runtime && $0.path == total.path
          && $0.component != "total"
      }
      #expect(parts.count == 7)
      let sum = parts.reduce(0) { $0 + ($1.meanNs ?? 0) }
      #expect(abs(sum - (total.meanNs ?? 0)) < 1)
      // Five hops and more lie between the parts.
      let between = parts.first { $0.component == "messages" }?.meanNs ?? 0
      #expect(between > 1_000_000)
    }
    let figures = Dictionary(
      uniqueKeysWithValues: tables.measures().map { ($0.name, $0.value) })
    #expect(figures["cold_starts"] == Double(services.reduce(0) { $0 + $1.coldStarts }))
    #expect(figures["arrivals"] == Double(services.reduce(0) { $0 + $1.arrivals }))
  }

  @Test func intervalsBeginWhereTheySay() throws {
    let tables = try Self.tables()
    #expect(tables.zoneSeries().first?.time == .origin)
    #expect(tables.poolSeries().map(\.time).min() == .origin)
    #expect(tables.zoneSeries().map(\.time).max() == .seconds(590))
    // Nothing changes in a pool that nobody takes from.
    let quiet = try Self.tables(["services.py.arrivals.rate=0/s"]).poolSeries()
    let pools = try Self.tables(["services.py.arrivals.rate=0/s"]).pools()
    let python = try #require(pools.first { $0.runtime == "python" })
    #expect(quiet.count { $0.pool == python.pool } == 1)
  }

  @Test func alarmsAreThere() throws {
    let tables = try Self.tables()
    let alarms = tables.alarms()
    let raised = tables.outcome.collected.log.events.count { $0.event.kind == .alarmRaised }
    #expect(raised > 0 && !alarms.isEmpty && alarms.count <= raised)
    for alarm in alarms {
      #expect(alarm.threshold == 3 && alarm.level < 3)
      if let cleared = alarm.cleared { #expect(cleared > alarm.raised) }
    }
    #expect(alarms.contains { $0.cleared != nil })
    let texts = tables.events().filter { $0.kind == "pool_alarm_raised" }.map(\.text)
    #expect(texts.allSatisfy { $0.hasSuffix("is below 3") })
    let severities = tables.events().filter { $0.kind == "pool_alarm_cleared" }.map(\.severity)
    #expect(!severities.isEmpty && severities.allSatisfy { $0 == .info })
  }

  /// Every balance of every scope closes, and each lane with requests has one.
  @Test func balancesClose() throws {
    let text =
      SmallCluster.text + """

        faults:
          - {name: wm, at: 5m, crash: worker-manager-0, restart_after: 1m}
        """
    let document = try SmallCluster.document(text)
    let outcome = try SmallCluster.run(document)
    let rows = RunTables(outcome: outcome, run: 1, document: document).conservation()
    var open: [String: Int] = [:]
    for row in rows { open["\(row.scope) \(row.quantity)", default: 0] += row.side * row.count }
    #expect(open.values.allSatisfy { $0 == 0 }, "\(open)")
    #expect(open["go-online-0@zone-b requests"] == 0 && open["py@zone-a requests"] == 0)
    #expect(open["zone-c node_cpu_milli"] == 0 && open["zone-c node_memory_mib"] == 0)
    let tokens = rows.filter { $0.quantity == "tokens" }
    #expect(tokens.allSatisfy { $0.count > 0 } && tokens.count == 3)
    let lanes = Set(rows.filter { $0.quantity == "requests" }.map(\.scope))
    #expect(lanes.count == 1 + 5 * 3 + 2)
  }

  @Test func lanesHaveHistograms() throws {
    let tables = try Self.tables(
      objectives: ["p99(latency, service=py) < 1s", "p99(start_latency, service=go-online) < 9s"])
    let rows = tables.histograms()
    let lanes = rows.filter { $0.scope == "lane" && $0.measure == "latency" }
    let all = try #require(rows.first { $0.scope == "all" && $0.measure == "latency" })
    #expect(lanes.reduce(0) { $0 + $1.count } == all.count)
    #expect(lanes.count == 5 * 3 + 2)
    let followed = rows.filter { $0.scope == "objective" }
    #expect(followed.map(\.measure) == ["latency", "start_latency"])
    let py = try #require(rows.first { $0.scope == "group" && $0.serviceClass == "offline" })
    #expect(followed[0].service == 5 && py.measure == "latency")
    let offline = rows.filter {
      $0.scope == "group" && $0.serviceClass == "offline" && $0.measure == "latency"
    }
    #expect(followed[0].count == offline.reduce(0) { $0 + $1.count })
  }

  @Test func componentsAreAllThere() throws {
    let rows = try Self.tables(["cluster.gateways.handling_time=constant(1ms)"]).components()
    for component in ["dispatcher", "worker-manager", "etcd", "kubernetes", "host-agent"] {
      let own = rows.filter { $0.component == component }
      #expect(own.reduce(0) { $0 + $1.messagesIn } > 0, "\(component)")
      #expect(own.reduce(0) { $0 + $1.messagesOut } > 0, "\(component)")
    }
    let gateways = rows.filter { $0.component == "gateway" }
    #expect(gateways.map(\.instance) == ["zone-a", "zone-b", "zone-c"])
    #expect(gateways.allSatisfy { ($0.busy ?? .zero) > .milliseconds(500) })
    let repeated = try Self.tables(["network.loss=2%"]).components()
    let retries = repeated.filter { $0.component == "dispatcher" }.compactMap(\.retries)
    #expect(retries.reduce(0, +) > 0)
  }

  @Test func codeIsCountedInBytes() throws {
    let rows = try Self.tables(["services.py.code_size=10MiB"]).caches()
    #expect(rows.reduce(0) { $0 + $1.hits } > 0)
    let size = 50 << 20
    for row in rows where row.zone == "zone-c" { #expect(row.bytes == row.hits * size) }
  }

  /// A full cluster is one event, not one for each pod.
  @Test func whatGoesOnIsToldOnce() {
    var log = EventLog(zones: 2, pools: 1)
    for second in 0..<5000 {
      log.note(NotableEvent(kind: .noCapacity, at: .seconds(Int64(second)), subject: second % 2))
    }
    log.note(NotableEvent(kind: .noCapacity, at: .seconds(9000), subject: 0))
    #expect(log.events.map(\.count) == [2500, 2500, 1])
    #expect(log.events[0].until == .seconds(4998))
    for second in 0..<3000 {
      log.note(
        NotableEvent(kind: .alarmRaised, at: .seconds(Int64(second)), subject: 0, detail: 1))
    }
    #expect(log.events.count == 3 + EventLog.mostEvents)
    #expect(log.leftOut == 3000 - EventLog.mostEvents)
    // Many alarms leave room for the one crash that explains them.
    log.note(NotableEvent(kind: .crash, at: .seconds(9001), subject: 0))
    #expect(log.events.last?.event.kind == .crash)
    #expect(log.alarms == [AlarmPeriod(pool: 0, level: 1, raised: .origin, cleared: nil)])
    log.clear(pool: 0, at: .seconds(5))
    #expect(log.alarms.first?.cleared == .seconds(5))
  }

  /// Flow has no form for processors that are shared exactly, and says so at the place.
  @Test func flowIsNotExact() throws {
    let text = SmallCluster.text + "\nfidelity: flow\n"
    let result = ScenarioReader().read(
      text, file: "small.yaml", overrides: ["contention=exact"])
    #expect(result.document == nil)
    let error = try #require(result.errors.first)
    #expect(error.message == "flow has no form for processors that are shared exactly")
    #expect(error.line == text.split(separator: "\n", omittingEmptySubsequences: false).count - 1)
    // Services that need no processors can flow all the same.
    let free = ["contention=exact", "services.py.cpu_fraction=0"]
    #expect(ScenarioReader().read(text, file: "small.yaml", overrides: free).document != nil)
  }

  /// Asked for flow where no lane has a form for it, a run says what it was.
  @Test func aFidelityThatWasNotRunIsNotStored() throws {
    let exact = try SmallCluster.document(SmallCluster.text, ["fidelity=flow"])
    var document = exact
    document.contention = "exact"
    #expect(RunRow(try SmallCluster.run(document), id: 1, study: 1).fidelity == "request")
    #expect(RunRow(try SmallCluster.run(exact), id: 1, study: 1).fidelity == "flow")
  }
}

/// A size study and its file.
@Suite struct SizeStudyTests {
  @Test func aStudyIsStoredWhole() throws {
    let document = try SmallCluster.document(
      SmallCluster.text, ["pools.only=[python]"],
      objectives: ["pool_misses / pool_takes < 50%"])
    let study = SizeStudy(
      runner: ScenarioRunner(document, threads: 2), percentages: [0.01, 4], replications: 8,
      window: 60_000_000_000..<600_000_000_000)
    let outcome = try study.run()
    #expect(outcome.peaks.keys.allSatisfy { $0.runtime == "python" })
    let misses = outcome.candidates.map { candidate -> Double in
      candidate.judged[0].value ?? .nan
    }
    #expect(misses[0] > 0.5 && misses[1] < 0.2, "\(misses)")
    let path = FileManager.default.temporaryDirectory
      .appending(path: "headroom-size-\(UInt64.random(in: 0 ... .max)).sqlite").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try ResultWriter(path: path)
    try writer.append(StudyRow(id: 1, command: "size"))
    try SizeRecording(writer).record(outcome, document: document)
    try writer.finish()
    let reader = try ResultReader(path: path)
    let runs = try reader.runs()
    #expect(runs.map(\.id) == Array(1...16))
    #expect(Set(runs.map(\.digest)).count == 16)
    #expect(runs.prefix(8).map(\.replication) == Array(0..<8))
    #expect(runs.allSatisfy { $0.seed == "3" && $0.verdict != nil && !$0.arm.isEmpty })
    let objectives = try reader.rows(ObjectiveRow.self)
    #expect(objectives.count { $0.run == nil } == 2)
    #expect(objectives.count { $0.run != nil } == 16)
    let results = try reader.rows(SizeResultRow.self)
    for row in results where row.measure == "cold_starts" {
      func same(_ name: String) throws -> SizeResultRow {
        try #require(
          results.first {
            $0.measure == name && $0.runtime == row.runtime && $0.percentage == row.percentage
          })
      }
      let (pool, fallback) = (
        try same("cold_starts_pool"), try same("cold_starts_fallback")
      )
      #expect(abs(pool.mean + fallback.mean - row.mean) < 1e-9)
      #expect(pool.low != nil && fallback.high != nil)
      if row.runtime == "go" { #expect(pool.mean == 0 && fallback.mean > 0) }
    }
  }

  /// Where there are virtual nodes their cold starts are a measure of their own, and only there.
  @Test func virtualNodesAreAPath() throws {
    let virtual = SmallCluster.text.replacing(
      "network: {",
      with: "  virtual_nodes: {prefer: virtual, prices: [{cpu: 1, memory: 1GiB, per_hour: 0.1}]}\n"
        + "network: {")
    for (text, isThere) in [(virtual, true), (SmallCluster.text, false)] {
      let document = try SmallCluster.document(
        text, ["duration=3m"], objectives: ["pool_misses / pool_takes < 50%"])
      let study = SizeStudy(
        runner: ScenarioRunner(document, threads: 2), percentages: [0.05], replications: 2,
        window: 60_000_000_000..<180_000_000_000)
      let measures = try study.run().candidates[0].measures.filter { $0.runtime == nil }
      func mean(_ name: String) -> Double? { measures.first { $0.name == name }?.mean }
      #expect(mean("cold_starts_isolate") == nil)
      #expect((mean("cold_starts_virtual") != nil) == isThere)
      let other = try #require(mean(isThere ? "cold_starts_virtual" : "cold_starts_fallback"))
      #expect(other > 0)
      let parts = ["pool", "fallback", "virtual"].compactMap { mean("cold_starts_\($0)") }
      let all = try #require(mean("cold_starts"))
      #expect(abs(parts.reduce(0, +) - all) < 1e-9)
    }
  }

  /// Sizes may be tried for a scenario that has no pools.
  @Test func sizesOfPoolsThatAreNotThereYet() throws {
    let document = try SmallCluster.document(
      SmallCluster.text, ["pools.size=none", "duration=3m"],
      objectives: ["pool_misses / pool_takes < 50%"])
    let study = SizeStudy(
      runner: ScenarioRunner(document, threads: 2), percentages: [5], replications: 2,
      window: 60_000_000_000..<180_000_000_000)
    let outcome = try study.run()
    #expect(outcome.candidates[0].totalPods > 0)
    #expect(try #require(outcome.candidates[0].judged[0].value) < 0.5)
  }
}
