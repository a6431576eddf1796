import ControlPlane
import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// Consumers and brokers that crash in a rehearsal, which arms them on the way: what they do is
/// what they do in a run that has known of them from its beginning.
@Suite struct GroupRehearsalTests {
  enum Group: CaseIterable {
    /// Flow has a form for a crash of either; it has none where windows bind what instances get, or
    /// several consumers share a lane.
    case one, windows, shared

    var topic: String {
      self == .windows ? "{partitions: 8, window: 2}" : "{partitions: 8}"
    }
    /// So that hardly ever nothing is under way at a crash, where windows leave room for it.
    var serviceTime: String { self == .one ? "50ms" : "20ms" }
    var consumers: String {
      self == .shared ? "consumers: {per_zone: 3, per_lane: 3}" : "consumers: {per_zone: 1}"
    }
  }

  static let faults = [
    "{at: 2m, crash: consumer-0 of zone-a, for: 30s}",
    "{at: 2m, crash: consumer-0 of zone-a, for: 20s, every: 1m, times: 2}",
    "{at: 2m, crash: broker-0 of zone-a, for: 1m}",
  ]

  private static func document(
    _ group: Group, _ fault: String, fidelity: String
  ) throws -> ScenarioDocument {
    let text = """
      headroom: 1
      name: group
      duration: 6m
      warmup: 30s
      fidelity: \(fidelity)
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 4, cpu: 32, memory: 128GiB}}
          - {name: zone-b, nodes: {count: 4, cpu: 32, memory: 128GiB}}
        \(group.consumers)
        brokers: {per_zone: 3}
      runtimes: {go: {init: 30ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: jobs, class: offline, runtime: go, shape: small, concurrency: 1,
           topic: \(group.topic),
           service_time: "exponential(mean: \(group.serviceTime))", cpu_fraction: 0.2,
           instances: {min: 24, max: 24, initial: 24}, cold_start: never,
           arrivals: {process: poisson, rate: 200/s}}
      faults: [\(fault)]
      objectives: ["lag(service=jobs) < 100k"]
      """
    let result = ScenarioReader().read(text, file: "group.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  private static func counters(_ outcome: RunOutcome) -> LaneCounters {
    outcome.lanes.reduce(into: LaneCounters()) { $0.add($1) }
  }

  @Test(arguments: Group.allCases, ["request", "flow", "auto"])
  func armedOnTheWayIsKnownFromTheBeginning(group: Group, fidelity: String) throws {
    for fault in Self.faults {
      let document = try Self.document(group, fault, fidelity: fidelity)
      let runner = ScenarioRunner(document, threads: 1)
      let pair = try RehearsalStudy(runner: runner, replications: 1).pair(0, peaks: nil)
      let known = try runner.run(replication: 0, peaks: nil)
      let (armed, written) = (Self.counters(pair.faulted), Self.counters(known))
      let what = "\(group), \(fidelity), \(fault)"
      #expect(pair.faulted.fidelities == known.fidelities, "\(what)")
      #expect(armed.arrivals == written.arrivals && armed.completed == written.completed, "\(what)")
      #expect(armed.redelivered == written.redelivered, "\(what)")
      #expect(pair.faulted.lags == known.lags, "\(what)")
      if fidelity == "request" { #expect(pair.faulted.digest == known.digest, "\(what)") }
      // It has done something, and not to the calm twin.
      let calm = Self.counters(pair.calm)
      #expect(calm.redelivered == 0 && pair.faulted.digest != pair.calm.digest, "\(what)")
      let messages = RehearsalMessages(pair)
      #expect(messages.lost == 0 && messages.produced > 60_000, "\(what)")
      #expect(messages.late > 0, "\(what): \(messages)")
      if fault.contains("consumer") {
        // One of three consumers may have had nothing under way.
        #expect(armed.redelivered > 0 || group == .shared, "\(what)")
        #expect(messages.redelivered == Int(armed.redelivered), "\(what)")
        #expect(messages.peakLag > messages.calmPeakLag, "\(what): \(messages)")
        // While nobody reads, more than a second's messages wait; then they are worked off.
        let seconds = try #require(messages.secondsToCatchUp, "\(what)")
        #expect(seconds >= 20 && seconds < 200 && messages.late > 1000, "\(what): \(seconds)")
        let back: Int64 = fault.contains("30s") ? 150 : 140
        // It is over when it is for the last time.
        #expect(
          pair.timeline.ended == .seconds(fault.contains("times") ? back + 60 : back), "\(what)")
        // Whoever is back meanwhile, the group waits for the session's end, and agrees within three
        // seconds.
        #expect(pair.timeline.detected == .seconds(165), "\(what)")
        #expect(pair.timeline.shifted == .seconds(168), "\(what)")
      } else {
        // Others are elected after nine seconds.
        #expect(pair.timeline.detected == .seconds(129), "\(what)")
        #expect(pair.timeline.shifted == .seconds(129), "\(what)")
      }
    }
  }

  /// Of two clusters each notices by its own rules: elections of three and of nine seconds, a
  /// consumer by itself and one of three; and what takes over from a zone stands in its cluster.
  @Test(arguments: [
    ("crash: broker-0 of north/a/zone-a, for: 1m", 3, 3),
    ("crash: broker-0 of north/b/zone-a, for: 1m", 9, 9),
    // It is back before it is missed, or missed after twenty seconds; alone it must be back itself.
    ("crash: consumer-0 of north/a/zone-a, for: 1m", 20, 23),
    ("crash: consumer-0 of north/b/zone-a, for: 1m", 45, 63),
  ])
  func everyClusterHasItsOwnTimes(fault: String, detected: Int64, shifted: Int64) throws {
    func cluster(_ name: String, _ more: String) -> String {
      """
      {name: \(name), zones: [{name: zone-a, nodes: {count: 4, cpu: 32, memory: 128GiB}},
                  {name: zone-b, nodes: {count: 4, cpu: 32, memory: 128GiB}}], \(more)}
      """
    }
    func service(_ name: String, _ place: String, _ topic: String) -> String {
      """
        - {name: \(name), cluster: \(place), class: offline, runtime: go, shape: small,
           topic: {partitions: 12, \(topic)}, service_time: 10ms, cold_start: never,
           instances: {min: 24, max: 24, initial: 24},
           arrivals: {process: poisson, rate: 100/s}}
      """
    }
    let text = """
      headroom: 1
      name: clusters
      duration: 4m
      regions:
        - name: north
          clusters:
            - \(cluster("a", "consumers: {per_zone: 3, per_lane: 3}, brokers: {election: 3s}"))
            - \(cluster("b", "consumers: {per_zone: 1}, brokers: {election: 9s}"))
      runtimes: {go: {init: 30ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
      \(service("jobs-a", "north/a", "session_timeout: 20s"))
      \(service("jobs-b", "north/b", "session_timeout: 45s"))
      faults: [{at: 2m, \(fault)}]
      """
    let result = ScenarioReader().read(text, file: "clusters.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let pair = try RehearsalStudy(runner: ScenarioRunner(document, threads: 1), replications: 1)
      .pair(0, peaks: nil)
    #expect(pair.timeline.detected == .seconds(120 + detected), "\(fault)")
    #expect(pair.timeline.shifted == .seconds(120 + shifted), "\(fault)")
    #expect(pair.faulted.configuration.lostZones.isEmpty)
  }

  /// Zones that are lost are those of the fault's cluster.
  @Test func lostZonesAreOfTheirCluster() throws {
    let text = SpreadServiceTests.text(
      faults: "{at: 1m, lose: north/b/zone-b, for: 1m}, {at: 1m, lose: south/a, for: 1m}")
    let whole = ScenarioMapping(try SpreadServiceTests.document(text))
      .platform(replication: 0, peaks: nil).whole
    #expect(whole.lostZones == [4, 6, 7, 8])
  }

  /// Consumers that are broken by a rehearsal at request fidelity and at flow: the messages that
  /// come again, and the lag, are the same to a tenth.
  @Test func bothFidelitiesAgree() throws {
    func messages(_ fidelity: String) throws -> RehearsalMessages {
      let document = try Self.document(.one, Self.faults[0], fidelity: fidelity)
      let runner = ScenarioRunner(document, threads: 1)
      return RehearsalMessages(
        try RehearsalStudy(runner: runner, replications: 1).pair(0, peaks: nil))
    }
    let (requests, flow) = (try messages("request"), try messages("flow"))
    #expect(abs(Double(flow.peakLag) / Double(requests.peakLag) - 1) < 0.1)
    let catchUp = try (
      #require(requests.secondsToCatchUp), #require(flow.secondsToCatchUp)
    )
    #expect(abs(catchUp.0 - catchUp.1) <= 10)
    #expect(flow.redelivered > 0 && requests.redelivered > 0)
  }
}
