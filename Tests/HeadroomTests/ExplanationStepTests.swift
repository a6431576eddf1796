import ControlPlane
import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// The chain of decisions that an explanation tells, link by link: what is told is what the rules
/// give for the numbers that are told with it.
@Suite struct ExplanationStepTests {
  private static func document(
    _ text: String, _ overrides: [String] = []
  ) throws -> ScenarioDocument {
    let result = ScenarioReader().read(text, file: "told.yaml", overrides: overrides)
    return try #require(result.document, "\(result.rendered)")
  }

  /// One service in one zone, with a list of requests or a rate.
  private static func text(
    _ service: String, arrivals: String, more: String = "", pools: String = "{size: 2}"
  ) -> String {
    """
    headroom: 1
    name: told
    duration: 5m
    seed: 3
    cluster:
      zones: [{name: zone-a, nodes: {count: 4, cpu: 16, memory: 64GiB}}]
      gateways: {route_ttl: 1s, route_stale: 10m}
    runtimes: {go: {init: 30ms}}
    shapes: {small: {cpu: 0.5, memory: 512MiB}}
    pools: \(pools)
    services:
      - {name: api, runtime: go, shape: small, service_time: 100ms, \(service),
         arrivals: {\(arrivals)}}
    \(more)
    """
  }

  private static func list(_ times: String) -> String { "process: list, times: [\(times)]" }

  private static func told(
    _ document: ScenarioDocument, _ window: Range<Int64>, until end: Int64? = nil
  ) throws -> [Explanation] {
    let (log, watched) = try Watching.log(
      document, service: 0,
      window: .seconds(window.lowerBound)..<Instant.seconds(window.upperBound),
      until: .seconds(end ?? window.upperBound + 20))
    return log.inOrder.map { Watching.explain($0, log, watched) }
  }

  private static func expectWhole(_ explained: Explanation) throws {
    let latency = try #require(explained.latency)
    #expect(explained.parts.reduce(Nanoseconds.zero) { $0 + $1.length } == latency)
  }

  // MARK: Route

  /// A route that is as old as its life is used while a Dispatcher is asked behind it; within its
  /// life nobody is asked.
  @Test func theRouteIsTold() throws {
    let document = try Self.document(
      Self.text(
        "instances: {min: 1, max: 1, initial: 1}, concurrency: 4",
        arrivals: Self.list("100s, 100500ms, 103s")))
    let told = try Self.told(document, 100..<110)
    let routes = told.compactMap { $0.entry.arrival.gateway?.route }
    #expect(routes == [.stale, .fresh, .stale])
    for explained in told {
      let isStale = explained.entry.arrival.gateway?.route == .stale
      let arrival = try #require(explained.steps.first).what
      #expect(arrival.hasPrefix(isStale ? "route stale" : "route hit"), "\(arrival)")
      #expect(explained.steps.contains { $0.what.hasPrefix("resolve_route") } == isStale)
      #expect(explained.path == .warm)
    }
  }

  // MARK: Candidates and choice

  /// With the fewest requests first, each request goes to one of the instances that are named, to
  /// one with the fewest requests.
  @Test func theChoiceIsAmongThoseThatAreNamed() throws {
    let document = try Self.document(
      Self.text(
        "choice: least_requests, instances: {min: 3, max: 3, initial: 3}, concurrency: 2",
        arrivals: Self.list("100s, 100010ms, 100020ms, 100030ms, 100040ms, 100050ms, 100060ms")))
    let told = try Self.told(document, 100..<101)
    #expect(told.count == 7)
    for (number, explained) in told.enumerated() {
      let gateway = try #require(explained.entry.arrival.gateway)
      let call = try #require(explained.entry.calls.first)
      #expect(gateway.candidates.map(\.inFlight).reduce(0, +) == number)
      let step = try #require(explained.steps.first).what
      for candidate in gateway.candidates {
        #expect(step.contains("pod \(candidate.pod.raw): \(candidate.inFlight)"))
      }
      guard number < 6 else {
        // All six places are taken: it waits for the first that is free.
        #expect(explained.path == .waited && call.waited)
        continue
      }
      #expect(gateway.candidates.count == 3 && step.contains("fewer than 2 in flight"))
      let chosen = try #require(gateway.candidates.first { $0.pod == call.pod })
      #expect(chosen.inFlight == gateway.candidates.map(\.inFlight).min())
      #expect(
        explained.steps.contains {
          $0.what.hasPrefix("calls pod \(call.pod.raw) on node \(call.node.raw): \(call.inFlight)")
        })
    }
  }

  // MARK: Pool and placement

  /// Without a stock Kubernetes makes the pod: all four nodes have room, and it goes to the one
  /// with the best score of those that are told. The next goes to another node.
  @Test func placementIsToldWithItsScores() throws {
    let document = try Self.document(
      Self.text(
        "concurrency: 1, keep_alive: fixed(200s)", arrivals: Self.list("100s, 101s, 101s"),
        pools: "{size: 0}"), ["start=empty"])
    let told = try Self.told(document, 100..<102, until: 160)
    let first = try #require(told.first)
    #expect(first.path == .coldFallback)
    var nodes: [Substring] = []
    for (index, step) in first.steps.enumerated()
    where step.what.contains("nodes in zone-a have room") {
      #expect(step.place == "kubernetes" && step.what.hasPrefix("4 of 4 nodes"), "\(step.what)")
      let list = try #require(step.what.split(separator: "; best scores: ").last)
        .split(separator: ", ").map { $0.split(separator: " ") }
      let scores = try list.map { try #require(Int($0[2])) }
      #expect(list.count == 4 && scores == scores.sorted(by: >), "\(step.what)")
      let best = list[0][1].dropLast()
      #expect(first.steps[index + 1].what.hasSuffix(" placed on node \(best)"))
      // Who has a pod already has less to offer than who has none.
      for (node, score) in zip(list, scores) {
        #expect((score < scores[0]) == nodes.contains(node[1].dropLast()), "\(step.what)")
      }
      nodes.append(best)
    }
    #expect(nodes.count >= 2 && Set(nodes).count == nodes.count)
    for explained in told { try Self.expectWhole(explained) }
  }

  /// Of a stock of one the first start has it and the second finds it empty.
  @Test func hitsAndMissesOfThePoolAreTold() throws {
    let document = try Self.document(
      Self.text(
        "concurrency: 1, keep_alive: fixed(1s)", arrivals: Self.list("100s, 100001ms"),
        pools: "{size: 1, refill: 60s}"), ["start=warm"])
    let told = try Self.told(document, 100..<101, until: 160)
    let pools = told.map { explained in
      explained.steps.map(\.what).filter { $0.hasPrefix("pool go small in zone-a") }
    }
    #expect(pools[0].contains { $0.contains(": hit, 0 left") }, "\(pools)")
    #expect(pools[1].contains { $0.contains(": miss, 0 left") }, "\(pools)")
    #expect(told.map(\.path) == [.coldPool, .waited])
  }

  // MARK: Breaker

  /// An instance that is bad is ejected by five errors in a row: requests are told so, and nobody
  /// calls it until it is tried.
  @Test func theBreakerIsTold() throws {
    let document = try Self.document(
      Self.text(
        "concurrency: 4, choice: round_robin, instances: {min: 12, max: 12, initial: 12}, "
          + "cold_start: never, breaking: {}", arrivals: "process: poisson, rate: 100/s",
        more: "faults: [{at: 60s, spoil: api, share: 8%, errors: 100%, factor: 1}]"))
    let (log, watched) = try Watching.log(
      document, service: 0, window: .seconds(60)..<Instant.seconds(75), until: .seconds(78),
      candidates: 12)
    let bad = Set(
      log.entries.filter { $0.outcome == .ended(.erred) }.compactMap { $0.calls.first?.pod })
    #expect(bad.count == 1)
    let pod = try #require(bad.first)
    let errors = log.inOrder.filter { $0.outcome == .ended(.erred) }
    // In the order in which they ended: five, and what was under way.
    #expect(errors.count >= 5 && errors.count < 9)
    let erred = Watching.explain(errors[0], log, watched)
    #expect(
      erred.steps.last?.what == "the instance or its version is bad, and answers with an error")
    // Once it is ejected.
    let ends = errors.compactMap { $0.ends.last?.at }
    let last = try #require(ends.max())
    let later = log.inOrder.filter { $0.arrival.at > last }
    #expect(later.count > 500 && later.allSatisfy { $0.calls.first?.pod != pod })
    let seen = later.filter { entry in
      entry.arrival.gateway?.candidates.contains { $0.pod == pod } ?? false
    }
    for entry in seen {
      let what = try #require(Watching.explain(entry, log, watched).steps.first).what
      #expect(what.contains("pod \(pod.raw): 0 (ejected, ejections in a row: 1"), "\(what)")
    }
    #expect(!seen.isEmpty)
  }

  // MARK: Limits

  /// What a limit goes by: the rate, the number under way, and the share that a gateway lets in.
  @Test func limitsAreTold() throws {
    func told(_ limits: String) throws -> [Explanation] {
      let document = try Self.document(
        Self.text(
          "instances: {min: 2, max: 2, initial: 2}, concurrency: 4, limits: \(limits)",
          arrivals: Self.list("100s, 100010ms, 100020ms")))
      return try Self.told(document, 100..<101)
    }
    let rate = try told("{qps: 10/s, burst: 1}")
    #expect(
      rate.map(\.outcome) == [.ended(.completed), .ended(.completed), .ended(.rateLimit)])
    // Two at once, then one each tenth of a second: the third comes 80 ms too early.
    #expect(
      rate[2].steps.last?.what == "refused by the limit on the rate: 10.0 requests a second here, "
        + "2 at once; the next passes after 80 ms")
    let concurrency = try told("{concurrency: 2}")
    #expect(concurrency[2].outcome == .ended(.concurrencyLimit))
    #expect(
      concurrency[2].steps.last?.what
        == "refused by the limit on concurrency: 2 under way here of 2")
    #expect(concurrency[2].path == .none && concurrency[2].parts.isEmpty)
  }

  /// A gateway that has too much to do says how much of this importance it lets in.
  @Test func sheddingIsTold() throws {
    let text = Self.text(
      "concurrency: 20, instances: {min: 20, max: 20, initial: 20}, importance: 3",
      arrivals: "process: poisson, rate: 400/s"
    ).replacing(
      "gateways: {", with: "gateways: {per_zone: 1, capacity: 300/s, shedding: {}, ")
    let told = try Self.told(try Self.document(text), 60..<62)
    let shed = told.filter { $0.outcome == .ended(.shed) }
    #expect(shed.count > 100 && shed.count < told.count)
    for explained in shed {
      let what = try #require(explained.steps.last).what
      #expect(
        what.hasPrefix("shed: the gateway has too much to do, and lets in ")
          && what.hasSuffix(" % of importance 3"), "\(what)")
    }
  }

  /// What a consumer may send by its lease of a central limit.
  @Test func leasesAreTold() throws {
    let document = try Self.document(
      Self.text(
        "instances: {min: 8, max: 8, initial: 8}, cold_start: never, class: offline, "
          + "downstream: db, topic: {partitions: 4}", arrivals: "process: poisson, rate: 40/s",
        more: "downstreams: [{name: db, capacity: 100/s, central_limit: 20/s}]"))
    let told = try Self.told(document, 60..<61, until: 200)
    let calls = told.flatMap { $0.steps.map(\.what) }.filter { $0.hasPrefix("calls pod") }
    #expect(calls.count > 20)
    for call in calls {
      #expect(
        call.contains("its consumer has a lease of 20.0 a second of the central limit"), "\(call)")
    }
  }

  // MARK: Retries

  /// Of a request that is refused twice and answered then: its attempts, and the back-off between
  /// them, add up to what its client has waited.
  @Test func retriesAreTold() throws {
    let document = try Self.document(
      Self.text(
        "instances: {min: 1, max: 1, initial: 1}, concurrency: 1, cold_start: never, "
          + "clients: {retries: 5, backoff: 50ms, budget: none}, limits: {concurrency: 1}",
        arrivals: Self.list("100s, 100010ms, 100020ms")))
    let told = try Self.told(document, 100..<101)
    #expect(told[0].path == .warm && told[0].parts.allSatisfy { $0.name != "back-off" })
    let again = told.filter { explained in
      explained.steps.contains { $0.what.hasPrefix("refused by the limit on concurrency") }
    }
    #expect(again.count == 2)
    for explained in again {
      #expect(explained.parts.contains { $0.name == "back-off" && $0.place == "client" })
      let refused = explained.entry.ends.count { $0.outcome == .concurrencyLimit }
      #expect(refused >= 1)
      switch explained.outcome {
      case .ended(.completed): #expect(explained.entry.ends.count == refused + 1)
      default:
        #expect(explained.outcome == .ended(.givenUp) && refused == 6)
        #expect(explained.steps.last?.what == "its client tries no more")
      }
      try Self.expectWhole(explained)
    }
    #expect(again.contains { $0.outcome == .ended(.completed) })
  }

  /// Twelve requests at once on an instance that answers ten a second, with clients who leave after
  /// a quarter of a second: attempts wait their turn long after their clients have left. Each
  /// attempt has its own time and each back-off its own, and together they are what the client has
  /// waited; what is called for nobody is no part of it.
  @Test func attemptsAfterATimeOutAreTold() throws {
    let times = (0..<12).map { "\(100_000 + $0)ms" }.joined(separator: ", ")
    let document = try Self.document(
      Self.text(
        "instances: {min: 1, max: 1, initial: 1}, concurrency: 1, cold_start: never, "
          + "clients: {timeout: 250ms, retries: 6, backoff: 80ms, budget: none}",
        arrivals: Self.list(times)))
    let told = try Self.told(document, 100..<101)
    var (backOffs, calledForNobody, timeOuts) = (0, 0, 0)
    for explained in told {
      try Self.expectWhole(explained)
      #expect(explained.parts.allSatisfy { $0.length > .zero })
      let entry = explained.entry
      let attempts = ClientAttempt.all(of: entry)
      #expect(attempts.count == entry.attempts.count && attempts[0].began == entry.arrival.at)
      let waits = explained.parts.filter { $0.name == "back-off" }
      #expect(waits.count == attempts.count - 1)
      for (wait, pair) in zip(waits, zip(attempts, attempts.dropFirst())) {
        // From when its client has left to when it comes again, and nothing else.
        #expect(wait.from == pair.0.end?.at && wait.to == pair.1.began)
      }
      for attempt in attempts where attempt.end?.outcome == .clientLeft {
        timeOuts += 1
        let end = attempt.began + .milliseconds(250)
        #expect(attempt.end?.at == end)
        let own = explained.parts.filter { $0.from >= attempt.began && $0.to <= end }
        #expect(own.reduce(Nanoseconds.zero) { $0 + $1.length } == .milliseconds(250))
        // It waits until it is called, if it is.
        let last = attempt.call == nil ? "waiting" : "no answer"
        #expect(own.last?.name == last, "\(own)")
      }
      if explained.outcome == .ended(.completed) {
        #expect(attempts.last?.end?.outcome == .completed)
        #expect(explained.parts.suffix(2).map(\.name).contains("service"))
      }
      backOffs += waits.count
      calledForNobody += explained.steps.count { $0.what.hasSuffix("; its client has left") }
      #expect(
        entry.calls.count == attempts.compactMap(\.call).count
          + explained.steps.count { $0.what.hasSuffix("; its client has left") })
    }
    #expect(told.count == 12 && backOffs > 12 && timeOuts > 12 && calledForNobody > 3)
    #expect(told.contains { $0.outcome == .ended(.completed) })
  }

  /// What is told of requests of a lane whose zone or cluster is lost while their clients try again
  /// elsewhere: one chain to its end, nothing of which is left open.
  private static func expectFollowed(
    _ told: [Explanation], from zone: String, to places: [String]
  ) throws {
    let moved = told.filter { explained in
      explained.entry.attempts.contains { $0.traced.lane != explained.entry.arrival.lane }
    }
    #expect(moved.count > 20, "\(moved.count) of \(told.count)")
    for explained in told { #expect(explained.outcome != .open) }
    for explained in moved {
      try expectWhole(explained)
      #expect(explained.outcome == .ended(.completed))
      let steps = explained.steps.map(\.what)
      let turn = try #require(
        explained.steps.firstIndex { $0.what.contains("the balancer sends nothing to \(zone)") })
      #expect(places.contains { explained.steps[turn].what.hasSuffix("it goes to \($0)") })
      // Before it connections are refused here; after it an instance there is called, and answers.
      #expect(
        steps[..<turn].contains {
          $0 == "its gateway or the zone is not there: its connection is refused"
        })
      let call = try #require(steps.lastIndex { $0.hasPrefix("calls pod") })
      #expect(call > turn && steps.last == "answered")
      for step in explained.steps[turn...] where !step.what.contains(" to ") {
        #expect(places.contains { step.place.hasSuffix($0) }, "\(step.place): \(step.what)")
      }
      let attempts = ClientAttempt.all(of: explained.entry)
      #expect(attempts.allSatisfy { $0.end != nil } && attempts.last?.call != nil)
      #expect(attempts.dropLast().allSatisfy { $0.call == nil })
      #expect(
        explained.parts.suffix(3).allSatisfy { $0.name == "hop" || $0.name == "service" },
        "\(explained.parts)")
    }
  }

  /// Two zones, one of which goes at 60 s, with clients who try again for long enough.
  static func movedClients() throws -> ScenarioDocument {
    try document(
      Self.text(
        "instances: {min: 8, max: 40}, concurrency: 4, "
          + "clients: {retries: 12, backoff: 2s, budget: none}",
        arrivals: "process: poisson, rate: 40/s",
        more: "faults: [{at: 60s, lose: zone-a, for: 60s}]"
      ).replacing(
        "64GiB}}]", with: "64GiB}}, {name: zone-b, nodes: {count: 4, cpu: 16, memory: 64GiB}}]"))
  }

  @Test func retriesInAnotherZoneAreFollowed() throws {
    let told = try Self.told(try Self.movedClients(), 75..<80, until: 200)
    try Self.expectFollowed(told, from: "zone-a", to: ["zone-b"])
  }

  static func clientsOfALostCluster() throws -> ScenarioDocument {
    try document(
      SpreadServiceTests.text(
        clients: "clients: {retries: 12, backoff: 2s, budget: none},",
        faults: "{name: loss, at: 60s, lose: north/a, restart_after: 60s}", duration: "4m"))
  }

  @Test func retriesInAnotherClusterAreFollowed() throws {
    let told = try Self.told(try Self.clientsOfALostCluster(), 75..<80, until: 200)
    try Self.expectFollowed(
      told, from: "north/a/zone-", to: ["zone-a", "zone-b", "zone-c"].map { "north/b/\($0)" })
  }

  // MARK: The region's balancer, and rehearsals

  /// Of a rehearsal the run with its faults is explained: connections that are refused while nobody
  /// has noticed, and requests of the lost cluster that another serves afterwards.
  @Test func aRehearsalIsExplainedInItsFaultedRun() throws {
    let document = try Self.document(
      SpreadServiceTests.text(faults: "{name: loss, at: 60s, lose: north/a, restart_after: 60s}"))
    let study = RehearsalStudy(runner: ScenarioRunner(document, threads: 1), replications: 1)
    let pair = try study.pair(0, peaks: nil)
    // Three questions at ten seconds each without an answer, the first of them when the balancer
    // asks next, and a window: nothing is left in the
    // cluster, and the other one of its region has it all.
    let phase = try #require(pair.faulted.configuration.balancer?.phase).seconds
    let detected = try #require(pair.timeline.secondsToDetect)
    #expect(abs(detected - phase - 21) < 0.5)
    #expect(pair.timeline.secondsToShift.map { (1...3).contains($0 - detected) } == true)
    /// What invocations of the shop in a cluster do between two seconds.
    func watch(_ focus: Int, _ window: Range<Int64>, isCalm: Bool = false) throws -> [Explanation] {
      var platform = study.runner.mapping.platform(replication: 0, peaks: nil)
      let faults = platform.takeFaults()
      let run = Run(
        platform, replication: 0, objectives: document.objectives, keepsMinutes: false)
      run.focus = focus
      try run.advance(to: study.parting)
      if !isCalm { run.arm(faults) }
      let lanes = run.cluster.lanes(of: ServiceID(0))
      let log = InvocationLog(
        service: ServiceID(0), lanes: lanes,
        window: .seconds(window.lowerBound)..<Instant.seconds(window.upperBound))
      let watched = WatchedRun(run, lanes: lanes.map { LaneID($0) })
      try watched.approach(
        .seconds(window.lowerBound), into: log, candidates: 4, sinceLookBack: true)
      while run.cluster.now < .seconds(window.upperBound + 5) { try watched.advance() }
      // Watching from the fork on has changed nothing of it.
      try run.advance(to: .origin + document.duration)
      #expect(try run.finish().digest == (isCalm ? pair.calm.digest : pair.faulted.digest))
      return log.inOrder.map { Watching.explain($0, log, watched) }
    }
    let refused = try watch(0, 65..<70)
    #expect(refused.count > 300)
    for explained in refused {
      #expect(explained.outcome == .ended(.unreachable) && explained.entry.calls.isEmpty)
      #expect(
        explained.steps.last?.what
          == "its gateway or the zone is not there: its connection is refused")
    }
    // After the shift: everything in the other cluster, and nothing in the lost one.
    #expect(try watch(0, 95..<100).isEmpty)
    let (moved, calm) = (try watch(1, 95..<100), try watch(1, 95..<100, isCalm: true))
    #expect(moved.count > 3 * calm.count - 200 && moved.count > calm.count + 300)
    for explained in moved where explained.latency != nil { try Self.expectWhole(explained) }
    let route = moved.first { $0.entry.arrival.gateway?.route == .fresh }
    #expect(route?.steps.first?.what.hasPrefix("route hit") == true)
  }
}
