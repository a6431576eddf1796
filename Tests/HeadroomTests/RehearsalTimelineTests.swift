import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// Who notices which fault and when, when others have what it took, and when all is well again:
/// each is read off what the run tells of that fault.
@Suite struct RehearsalTimelineTests {
  private static func document(
    _ faults: [String], fidelity: String, more: String = "", topic: Bool = false
  ) throws -> ScenarioDocument {
    let text = """
      headroom: 1
      name: timeline
      duration: 8m
      warmup: 1m
      fidelity: \(fidelity)
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}
          - {name: zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}}
          - {name: zone-c, nodes: {count: 4, cpu: 16, memory: 64GiB}}
        balancer: {phase: 0s}
        \(more)
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: api, runtime: go, shape: small, concurrency: 4, keep_alive: forever,
           service_time: "exponential(mean: 50ms)", cpu_fraction: 0.5,
           instances: {min: 30, max: 30, initial: 30},
           arrivals: {process: poisson, rate: 60/s}}
        \(topic ? Self.topic : "")
      faults: [\(faults.joined(separator: ", "))]
      objectives: ["completed / requests > 50%"]
      """
    let result = ScenarioReader().read(text, file: "timeline.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  private static let topic =
    "- {name: jobs, class: offline, runtime: go, shape: small, concurrency: 4, "
    + "topic: {partitions: 6}, service_time: 20ms, instances: {min: 12, max: 12, initial: 12}, "
    + "arrivals: {process: poisson, rate: 60/s}}"

  private static func pair(
    _ faults: [String], fidelity: String, more: String = "", topic: Bool = false
  ) throws -> RehearsalStudy.Pair {
    let document = try document(faults, fidelity: fidelity, more: more, topic: topic)
    return try RehearsalStudy(
      runner: ScenarioRunner(document, threads: 1), replications: 1
    ).pair(0, peaks: nil)
  }

  /// Whoever is asked to end before the runs part has neither of them whole.
  @Test func bothTwinsAreCut() throws {
    struct Asked: Interruption { var isInterrupted: Bool { true } }
    let document = try Self.document(["{at: 5m, lose: zone-a, for: 1m}"], fidelity: "flow")
    let runner = ScenarioRunner(document, threads: 1, interruption: Asked())
    let pair = try RehearsalStudy(runner: runner, replications: 1).pair(0, peaks: nil)
    #expect(pair.faulted.isInterrupted && pair.calm.isInterrupted)
    #expect(pair.calm.simulated < .seconds(300))
    let whole = try Self.pair(["{at: 5m, lose: zone-a, for: 1m}"], fidelity: "flow")
    #expect(!whole.faulted.isInterrupted && !whole.calm.isInterrupted)
  }

  /// Three questions at ten seconds each without an answer, from a multiple of ten seconds on: the
  /// balancer takes a zone for gone that it is cut off from, and not whoever looks after leases
  /// that run out earlier.
  @Test(arguments: ["request", "flow"]) func theBalancerNoticesZones(fidelity: String) throws {
    for fault in ["lose: zone-b", "cut: zone-b"] {
      let timeline = try Self.pair(["{at: 3m, \(fault), for: 2m}"], fidelity: fidelity).timeline
      let detected = try #require(timeline.secondsToDetect, "\(fault)")
      #expect(detected >= 20.5 && detected <= 21.5, "\(fault): \(detected)")
      let shifted = try #require(timeline.secondsToShift, "\(fault)")
      #expect(shifted > detected && shifted <= detected + 2, "\(fault): \(shifted)")
      #expect(timeline.faults.map(\.detector) == ["the balancer"], "\(fault)")
      #expect(timeline.secondsToEnd == 120, "\(fault)")
    }
  }

  /// A cluster whose zones are all cut off from who asks them is taken for gone as a lost one is,
  /// and its traffic goes to the other cluster of the region, whoever looks after leases that run
  /// out earlier; where there is no other, nobody can help.
  @Test(arguments: ["request", "flow"]) func theBalancerNoticesClusters(fidelity: String) throws {
    for cut in ["cut: everything, from: control-plane", "cut: control-plane"] {
      let document = try Self.twoClusters("\(cut), in: north/east", fidelity: fidelity)
      let timeline = try RehearsalStudy(
        runner: ScenarioRunner(document, threads: 1), replications: 1
      ).pair(0, peaks: nil).timeline
      #expect(timeline.faults.map(\.detector) == ["the balancer"], "\(cut)")
      let detected = try #require(timeline.secondsToDetect, "\(cut)")
      #expect(detected >= 20.5 && detected <= 21.5, "\(cut): \(detected)")
      let shifted = try #require(timeline.secondsToShift, "\(cut)")
      #expect(shifted > detected && shifted <= detected + 3, "\(cut): \(shifted)")
      #expect(timeline.secondsToEnd == 120, "\(cut)")
      let alone = try Self.pair(["{at: 3m, \(cut), for: 2m}"], fidelity: fidelity).timeline
      #expect(alone.faults.map(\.detector) == ["the balancer"], "\(cut)")
      #expect(alone.secondsToDetect.map { $0 >= 20.5 && $0 <= 21.5 } == true, "\(cut)")
    }
  }

  /// A region of two clusters with a service in both.
  private static func twoClusters(_ fault: String, fidelity: String) throws -> ScenarioDocument {
    let zones = ["zone-a", "zone-b"].map {
      "{name: \($0), nodes: {count: 4, cpu: 16, memory: 64GiB}}"
    }.joined(separator: ", ")
    let text = """
      headroom: 1
      name: clusters
      duration: 8m
      warmup: 1m
      fidelity: \(fidelity)
      regions:
        - name: north
          clusters:
            - {name: west, zones: [\(zones)], balancer: {phase: 0s}}
            - {name: east, zones: [\(zones)], balancer: {phase: 0s}}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: api, clusters: [north/west, north/east], runtime: go, shape: small,
           concurrency: 4, keep_alive: forever, service_time: "exponential(mean: 50ms)",
           cpu_fraction: 0.5, instances: {min: 20, max: 20, initial: 20},
           arrivals: {process: poisson, rate: 60/s}}
      faults: [{at: 3m, \(fault), for: 2m}]
      objectives: ["completed / requests > 50%"]
      """
    let result = ScenarioReader().read(text, file: "clusters.yaml", overrides: [])
    return try #require(result.document, "\(result.rendered)")
  }

  /// The balancer takes a gateway for gone after three questions, and its parts go to the next one
  /// of the zone; both are told.
  @Test(arguments: ["request", "flow"]) func theBalancerNoticesGateways(fidelity: String) throws {
    // Whichever gateway has the lane.
    let faults = [0, 1].map {
      "{name: g\($0), at: \(3 + $0)m, crash: gateway-\($0) of zone-a, for: 50s}"
    }
    let pair = try Self.pair(faults, fidelity: fidelity, more: "gateways: {per_zone: 2}")
    let courses = pair.timeline.faults
    #expect(courses.map(\.name) == ["g0", "g1"])
    #expect(courses.map(\.secondsToDetect) == [21, 21])
    #expect(courses.map(\.detector) == ["the balancer", "the balancer"])
    // Only one of them has anything that could move.
    #expect(courses.compactMap(\.secondsToShift) == [21])
    let told = pair.faulted.collected.log.events.map(\.event)
    #expect(told.count { $0.kind == .faultNoticed } == 2)
    #expect(told.count { $0.kind == .faultShifted } == 1)
  }

  /// Kubernetes' patience with a machine is 40 s; a machine that is back before reports itself.
  @Test(arguments: ["request", "flow"]) func kubernetesNoticesMachines(fidelity: String) throws {
    let pair = try Self.pair(
      [
        "{name: long, at: 3m, lose: 50% of zone-a, for: 1m}",
        "{name: short, at: 5m, lose: 50% of zone-b, for: 10s}",
      ], fidelity: fidelity)
    #expect(pair.timeline.faults.map(\.secondsToDetect) == [40, 10])
    #expect(pair.timeline.faults.map(\.detector) == ["Kubernetes", "Kubernetes"])
    // Nothing of it is for want of room, of which there is plenty.
    #expect(!pair.faulted.collected.log.events.contains { $0.event.kind == .noCapacity })
  }

  /// Room is not what a lost zone lacks.
  @Test func aLostZoneIsNotFull() throws {
    let pair = try Self.pair(["{at: 3m, lose: zone-b, for: 2m}"], fidelity: "request")
    let told = pair.faulted.collected.log.events.map(\.event.kind)
    #expect(told.contains(.zoneLost) && !told.contains(.noCapacity))
  }

  /// Who asks for a route waits a second for its Dispatcher, then asks another one.
  @Test(arguments: ["request", "flow"]) func callersNoticeDispatchers(fidelity: String) throws {
    let faults = (0..<3).map {
      "{name: d\($0), at: \(3 + $0)m, crash: dispatcher-\($0), for: 30s}"
    }
    let timeline = try Self.pair(
      faults, fidelity: fidelity,
      more: "gateways: {route_ttl: 100ms, route_stale: 0s}, dispatchers: {count: 3}"
        .replacing(", dispatchers", with: "\n  dispatchers")
    ).timeline
    // One of them owns the only service; nobody misses the others.
    let found = timeline.faults.compactMap(\.secondsToDetect)
    #expect(found.count == 1 && found.allSatisfy { $0 > 1 && $0 < 3 }, "\(found)")
    #expect(timeline.faults.compactMap(\.secondsToShift) == found)
  }

  /// A consumer that has no partitions is missed by nobody; one that has some when its session has
  /// run out, and the other one of its zone has them three seconds later.
  @Test(arguments: ["request", "flow"]) func groupsNoticeTheirConsumers(fidelity: String) throws {
    let faults = [0, 1].map {
      "{name: c\($0), at: \(2 + 3 * $0)m, crash: consumer-\($0) of zone-a, for: 90s}"
    }
    let timeline = try Self.pair(
      faults, fidelity: fidelity, more: "consumers: {per_zone: 2}", topic: true
    ).timeline
    #expect(timeline.faults.compactMap(\.secondsToDetect) == [45])
    #expect(timeline.faults.compactMap(\.secondsToShift) == [48])
    #expect(timeline.faults.map(\.secondsToEnd) == [90, 90])
  }

  /// Of several faults each has its own times, and the fault is over when the last is.
  @Test func eachFaultHasItsOwnTimes() throws {
    let timeline = try Self.pair(
      [
        "{name: first, at: 2m, stop: kubernetes, for: 30s}",
        "{name: second, at: 4m, lose: zone-b, for: 1m}",
      ], fidelity: "flow"
    ).timeline
    #expect(timeline.faults.map(\.name) == ["first", "second"])
    #expect(timeline.faults[0].detected == nil && timeline.faults[0].detector == nil)
    #expect(timeline.faults[0].secondsToEnd == 30)
    // Since its own strike, and not since that of the other.
    #expect(timeline.secondsToDetect.map { $0 > 20 && $0 < 22 } == true)
    #expect(timeline.secondsToShift.map { $0 > 21 && $0 < 24 } == true)
    #expect(timeline.ended == .seconds(300) && timeline.secondsToEnd == 180)
    let again = try Self.pair(
      ["{at: 2m, crash: dispatcher-0, for: 10s, every: 1m, times: 3}"], fidelity: "flow"
    ).timeline
    #expect(again.faults.map(\.strike) == [.seconds(120), .seconds(180), .seconds(240)])
    #expect(again.ended == .seconds(250))
  }

  /// Pods that are lost are lost at once: their callers see it, and nothing comes back.
  @Test(arguments: ["request", "flow"]) func lostPodsAreOverAtOnce(fidelity: String) throws {
    let timeline = try Self.pair(["{at: 3m, lose: 3 pods of api}"], fidelity: fidelity).timeline
    #expect(timeline.secondsToEnd == 0 && timeline.secondsToDetect == 0)
    #expect(timeline.faults.map(\.detector) == ["a caller"])
  }

  /// Which of the regions' clusters a fault is in does not matter to how it is called: faults that
  /// are armed later have the numbers of all.
  @Test func faultsOfLaterClustersKeepTheirNames() throws {
    let names = ["zone-a", "zone-b"].map {
      "{name: \($0), nodes: {count: 2, cpu: 16, memory: 64GiB}}"
    }
    let zones = "[\(names.joined(separator: ", "))]"
    let text = """
      headroom: 1
      name: names
      duration: 4m
      warmup: 30s
      regions:
        - {name: north, clusters: [{name: a, zones: \(zones), balancer: {phase: 0s}}]}
        - {name: south, clusters: [{name: b, zones: \(zones), balancer: {phase: 0s}}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - {name: one, cluster: north/a, runtime: go, shape: small, service_time: 20ms,
           instances: {min: 4, max: 4, initial: 4}, arrivals: {process: poisson, rate: 5/s}}
        - {name: two, cluster: south/b, runtime: go, shape: small, service_time: 20ms,
           instances: {min: 4, max: 4, initial: 4}, arrivals: {process: poisson, rate: 5/s}}
      faults:
        - {name: early, at: 1m, crash: gateway-0 of north/a/zone-a, for: 40s}
        - {name: late, at: 2m, crash: gateway-0 of south/b/zone-b, for: 40s}
      objectives: ["completed / requests > 10%"]
      """
    let result = ScenarioReader().read(text, file: "names.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let pair = try RehearsalStudy(
      runner: ScenarioRunner(document, threads: 1), replications: 1
    ).pair(0, peaks: nil)
    #expect(pair.timeline.faults.map(\.name) == ["early", "late"])
    #expect(pair.timeline.faults.map(\.secondsToDetect) == [21, 21])
  }

  // MARK: Degraded and recovered

  /// Three requests a second: an interval of ten seconds has thirty, whose mean differs from the
  /// twin's by a quarter now and then for nothing. What counts is what the fault did, at once.
  @Test(arguments: ["request", "flow"]) func chanceIsNoDegradation(fidelity: String) throws {
    let text = """
      headroom: 1
      name: rare
      duration: 30m
      warmup: 5m
      fidelity: \(fidelity)
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 4, cpu: 32, memory: 128GiB}}
          - {name: zone-b, nodes: {count: 4, cpu: 32, memory: 128GiB}}
          - {name: zone-c, nodes: {count: 4, cpu: 32, memory: 128GiB}}
      runtimes: {go: {init: "lognormal(median: 60ms, sigma: 0.4)"}}
      shapes: {s: {cpu: 1, memory: 1GiB}}
      services:
        - {name: api, runtime: go, shape: s, concurrency: 4,
           arrivals: {process: poisson, rate: 3/s}, service_time: "exponential(mean: 100ms)",
           cpu_fraction: 1, scaling: "knative()", instances: {min: 3, max: 90}}
      faults: [{name: loss, at: 10m, lose: 1 pods of api}]
      objectives: ["completed / requests > 99%"]
      """
    let result = ScenarioReader().read(text, file: "rare.yaml", overrides: [])
    let document = try #require(result.document, "\(result.rendered)")
    let timeline = try RehearsalStudy(
      runner: ScenarioRunner(document, threads: 1), replications: 1
    ).pair(0, peaks: nil).timeline
    let seconds = try #require(timeline.secondsToRecover)
    #expect(seconds > 0 && seconds <= 30, "\(timeline.stretches)")
    #expect(timeline.stretches.count == 1 && timeline.secondsDegraded == seconds)
  }
}
