import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// What is configured goes through the region's API, and no request does.
@Suite struct RegionAPIScenarioTests {
  private static func text(
    changes: String, faults: String = "", fidelity: String = "request", regions: Bool = true,
    shop: String = "clusters: [north/a, north/b]"
  ) -> String {
    let zones = ["zone-a", "zone-b"].map {
      "{name: \($0), nodes: {count: 4, cpu: 16, memory: 64GiB}}"
    }.joined(separator: ", ")
    let clusters = "[{name: a, zones: [\(zones)]}, {name: b, zones: [\(zones)]}]"
    let topology =
      regions
      ? "regions: [{name: north, clusters: \(clusters)}]" : "cluster: {zones: [\(zones)]}"
    return """
      headroom: 1
      name: api
      duration: 5m
      fidelity: \(fidelity)
      \(topology)
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 6}
      services:
        - {name: shop, \(regions ? shop + "," : "") runtime: go, shape: small, concurrency: 4,
           service_time: "exponential(mean: 40ms)", instances: {min: 4, max: 60},
           scaling: knative, arrivals: {process: poisson, rate: 100/s}}
      objectives: ["requests(service=shop) > 1"]
      changes: [\(changes)]
      \(faults.isEmpty ? "" : "faults: [\(faults)]")
      """
  }

  private static func outcome(_ text: String, threads: Int = 1) throws -> RunOutcome {
    let result = ScenarioReader().read(text, file: "api.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    return try ScenarioRunner(document, threads: threads).run(replication: 0, peaks: nil)
  }

  private static func changes(_ outcome: RunOutcome) -> [Double] {
    outcome.collected.log.events.map(\.event).filter { $0.kind == .changed }.map {
      ($0.at - .origin).seconds
    }
  }

  private static func ready(_ outcome: RunOutcome, at second: Int64) -> Int {
    outcome.collected.rows.filter { $0.to == .seconds(second) }.reduce(0) { $0 + $1.gauges.ready }
  }

  private static let more = "{at: 60s, service: shop, instances: {min: 24}}"

  @Test(arguments: ["request", "flow"]) func aChangeComesAboutInEveryCluster(
    _ fidelity: String
  ) throws {
    let outcome = try Self.outcome(Self.text(changes: Self.more, fidelity: fidelity))
    // Asked for at 60 s, there at the next whole second.
    #expect(Self.changes(outcome) == [61, 61])
    #expect(Self.ready(outcome, at: 60) < 24)
    #expect(Self.ready(outcome, at: 100) == 48)
    let least = try Self.outcome(
      Self.text(
        changes: Self.more + ", {at: 120s, service: shop, instances: {min: 4, max: 6}}",
        fidelity: fidelity))
    #expect(Self.changes(least) == [61, 61, 121, 121])
    #expect(Self.ready(least, at: 300) <= 12)
  }

  @Test(arguments: ["request", "flow"]) func oneClusterHasAnAPIToo(_ fidelity: String) throws {
    let outcome = try Self.outcome(
      Self.text(changes: Self.more, fidelity: fidelity, regions: false))
    #expect(Self.changes(outcome) == [61])
    #expect(Self.ready(outcome, at: 100) == 24)
  }

  /// While the API is away nothing is configured, and traffic is what it is without the change.
  @Test(arguments: ["request", "flow"]) func withoutTheAPITrafficFlows(_ fidelity: String) throws {
    let stop = "{name: away, at: 50s, stop: api, for: 100s}"
    let late = try Self.outcome(
      Self.text(changes: Self.more, faults: stop, fidelity: fidelity))
    // Asked again every 5 s from 60 s on: heard at 150 s and there a second later.
    #expect(Self.changes(late) == [151, 151])
    let never = try Self.outcome(
      Self.text(changes: "{at: 299s, service: shop, instances: {min: 24}}", fidelity: fidelity))
    func until(_ outcome: RunOutcome) -> [LaneCounters] {
      outcome.collected.rows.filter { $0.to <= .seconds(150) }.map(\.counters)
    }
    #expect(until(late) == until(never))
    #expect(late.lanes.map(\.arrivals) == never.lanes.map(\.arrivals))
    #expect(late.lanes.allSatisfy { $0.failed == 0 && $0.refused == 0 })
  }

  /// The balancer moves the traffic of a lost cluster without it.
  @Test func aLostClusterIsLeftWithoutTheAPI() throws {
    let faults = """
      {name: away, at: 50s, stop: api, for: 200s}, {name: loss, at: 60s, lose: north/a, \
      restart_after: never}
      """
    let outcome = try Self.outcome(Self.text(changes: Self.more, faults: faults))
    let events = outcome.collected.log.events.map(\.event)
    #expect(events.contains { $0.kind == .trafficShifted && $0.at < .seconds(100) })
    // The lost cluster hears nothing of the change; the other does.
    #expect(Self.changes(outcome) == [251])
  }

  @Test(arguments: ["request", "flow"]) func aDrainedClusterGetsNothing(_ fidelity: String) throws {
    let outcome = try Self.outcome(
      Self.text(changes: "{at: 60s, drain: north/a, for: 2m}", fidelity: fidelity))
    #expect(Self.changes(outcome) == [61, 181])
    func arrivals(_ prefix: String, _ span: Range<Int64>) -> UInt64 {
      outcome.collected.rows.filter { row in
        let group = outcome.collected.groups[row.group]
        return outcome.configuration.zones[group.zone].name.hasPrefix(prefix)
          && row.from >= .seconds(span.lowerBound) && row.to <= .seconds(span.upperBound)
      }.reduce(0) { $0 + $1.counters.arrivals }
    }
    #expect(arrivals("north/a/", 70..<180) == 0)
    #expect(arrivals("north/b/", 70..<180) > 10_000)
    #expect(arrivals("north/a/", 190..<300) > 5_000)
    #expect(outcome.lanes.allSatisfy { $0.failed == 0 })
  }

  @Test(arguments: ["request", "flow"]) func aDrainedZoneGetsNothing(_ fidelity: String) throws {
    let outcome = try Self.outcome(
      Self.text(changes: "{at: 60s, drain: zone-a}", fidelity: fidelity, regions: false))
    let rows = outcome.collected.rows.filter {
      $0.from >= .seconds(70) && outcome.collected.groups[$0.group].zone == 0
    }
    #expect(rows.allSatisfy { $0.counters.arrivals == 0 })
    #expect(outcome.lanes.reduce(0) { $0 + $1.failed } == 0)
  }

  @Test func slownessDelays() throws {
    let slow = "{name: slow, at: 50s, slow: api, factor: 100, for: 100s}"
    let outcome = try Self.outcome(Self.text(changes: Self.more, faults: slow))
    // 5 s for the wish.
    #expect(Self.changes(outcome) == [66, 66])
  }

  // MARK: Pushes

  private static let bad = "{name: bad, at: 60s, push: shop, errors: 100%, for: 60s}"

  /// When the push and its roll-back come about, and the whole seconds in which answers begin to be
  /// errors and end to be.
  private static func push(
    _ faults: String, changes: String = "", regions: Bool = true
  ) throws -> (told: [Double], erred: [UInt64]) {
    let outcome = try Self.outcome(
      Self.text(changes: changes, faults: faults, regions: regions))
    let told = outcome.collected.log.events.map(\.event).filter { event in
      let isOfFault = event.kind == .faultBegins || event.kind == .faultEnds
      return isOfFault && outcome.configuration.faults[event.subject].name == "bad"
    }.map { ($0.at - .origin).seconds }
    let erred = [60, 120, 180, 240, 300].map { second in
      outcome.collected.rows.filter { $0.to <= .seconds(second) }
        .reduce(0) { $0 + $1.counters.erred }
    }
    return (told, erred)
  }

  /// A push is asked for like any change, and there with the next whole second in each cluster.
  @Test(arguments: [true, false]) func aPushGoesThroughTheAPI(regions: Bool) throws {
    let (told, erred) = try Self.push(Self.bad, regions: regions)
    #expect(told == (regions ? [61, 61, 121, 121] : [61, 121]))
    #expect(erred[0] == 0 && erred[1] > 5_000 && erred[4] - erred[1] < 200)
  }

  /// While the API is away nothing is pushed, and nothing rolled back.
  @Test func aPushIsLateWithoutTheAPI() throws {
    let late = try Self.push("{name: away, at: 50s, stop: api, for: 52s}, \(Self.bad)")
    // Asked again every 5 s from 60 s on, and heard at 105 s.
    #expect(late.told == [106, 106, 121, 121])
    let stays = try Self.push("{name: away, at: 100s, stop: api, for: 100s}, \(Self.bad)")
    // Asked for at 120 s, and every 5 s from then on; heard at 200 s, as it is there again.
    #expect(stays.told == [61, 61, 201, 201])
    #expect(stays.erred[2] - stays.erred[1] > 5_000 && stays.erred[4] - stays.erred[3] == 0)
    let never = try Self.push("{name: away, at: 50s, stop: api, for: 1h}, \(Self.bad)")
    #expect(never.told.isEmpty && never.erred[4] == 0)
  }

  /// A roll-back is asked for when the push has been confirmed, however late: it does not overtake.
  @Test func aRollBackComesAfterItsPush() throws {
    let away = "{name: away, at: 50s, stop: api, for: 100s}"
    let (told, erred) = try Self.push(
      "\(away), {name: bad, at: 62s, push: shop, errors: 100%, for: 33s}")
    // Asked for at 62 s, 67 s and so on: heard at 152 s; its end at 95 s, 100 s and so on, which
    // is asked for first at 155 s.
    #expect(told == [153, 153, 156, 156])
    #expect(erred[4] > 300 && erred[4] < 900)
  }

  @Test func aPushIsLateWhereTheAPIIsSlow() throws {
    // 5 s for the wish instead of 50 ms.
    let (told, _) = try Self.push(
      "{name: slow, at: 50s, slow: api, factor: 100, for: 30s}, \(Self.bad)")
    #expect(told == [66, 66, 121, 121])
  }

  /// The number of instances that is configured while a push holds is that of the roll-back.
  @Test func aChangeWhileAPushHolds() throws {
    let outcome = try Self.outcome(
      Self.text(
        changes: "{at: 90s, service: shop, instances: {min: 24}}",
        faults: "{at: 60s, push: shop, max_instances: 2, for: 60s}"))
    #expect(Self.ready(outcome, at: 110) <= 4)
    #expect(Self.ready(outcome, at: 200) == 48)
  }

  /// A rehearsal's faulted run has the same push as a run from the beginning, where its calm twin
  /// has no API at all.
  @Test func aRehearsedPushIsThatOfARun() throws {
    let text = Self.text(changes: "", faults: Self.bad)
    let document = try #require(
      ScenarioReader().read(text, file: "api.yaml", overrides: []).document)
    let study = RehearsalStudy(
      runner: ScenarioRunner(document, threads: 1), replications: 1)
    let pair = try study.pair(0, peaks: nil)
    let whole = try Self.outcome(text)
    #expect(pair.faulted.lanes == whole.lanes)
    #expect(pair.calm.lanes.allSatisfy { $0.erred == 0 })
    #expect(pair.timeline.ended == .seconds(121))
    #expect(pair.faulted.lanes.reduce(0) { $0 + $1.erred } > 5_000)
  }

  @Test(arguments: ["", ", \(bad)"]) func threadsAndForksDoNotMatter(push: String) throws {
    let text = Self.text(
      changes: Self.more + ", {at: 100s, drain: north/b, for: 1m}",
      faults: "{name: away, at: 50s, stop: api, for: 30s}\(push)")
    let one = try Self.outcome(text)
    #expect(try Self.outcome(text, threads: 2).digest == one.digest)
    let document = try #require(
      ScenarioReader().read(text, file: "api.yaml", overrides: []).document)
    for instant in [55.0, 79.7, 101, 130] {
      let run = Run(
        ScenarioMapping(document).platform(replication: 0, peaks: nil), replication: 0,
        objectives: document.objectives)
      try run.advance(to: .origin + Nanoseconds(seconds: instant))
      let fork = run.fork()
      try fork.advance(to: .origin + document.duration)
      #expect(try fork.finish().digest == one.digest)
    }
  }
}
