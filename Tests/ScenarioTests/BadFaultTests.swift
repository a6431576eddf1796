import Primitives
import Testing

@testable import Scenario

/// What is wrong with faults, and what they are when nothing is.
@Suite struct BadFaultTests {
  private static func fault(
    _ fields: String, _ kind: Diagnostic.Kind, _ message: String, help: String? = nil
  ) -> BadInput {
    BadInput("crash: worker-manager-0, restart_after: 1m", fields, kind, message, help: help)
  }

  /// Two faults, the second a minute after the first.
  private static func conflict(_ one: String, _ other: String, _ message: String) -> BadInput {
    BadInput(
      "{name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}",
      "{at: 5m, \(one)}\n  - {at: ▲6m, \(other)}", .inconsistent,
      "`faults[1]` and `faults[0]` \(message)",
      help: "end one before the other begins, or leave one out")
  }

  private static func labelled(
    _ fields: String, _ message: String, help: String
  ) -> BadInput {
    BadInput(
      """
      keep_alive: fixed(60s)
            scaling: knative(target: 10, window: 60s)
          - name: jobs
            runtime: go
            shape: small
            arrivals: {process: diurnal, peak: 2k/m, curve: offline}
            service_time: constant(50ms)
        objectives:
          - "p99(latency, service=api) < 400ms"
          - "failed / requests < 0.1%"
        faults:
          - {name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}
      """.replacing("\n  ", with: "\n"),
      """
      keep_alive: fixed(60s)
            labels: {tier: gold}
            scaling: knative(target: 10, window: 60s)
          - name: jobs
            runtime: go
            shape: small
            labels: {tier: silver, team: data}
            arrivals: {process: diurnal, peak: 2k/m, curve: offline}
            service_time: constant(50ms)
        objectives:
          - "p99(latency, service=api) < 400ms"
          - "failed / requests < 0.1%"
        faults:
          - {name: dies, at: 5m, \(fields)}
      """.replacing("\n  ", with: "\n"), .unknownName, message, help: help)
  }

  static let faults = [
    fault(
      "crash: ▲gateway-2 of zone-a", .unknownName, "there is no gateway-2 of zone-a",
      help: "there are 2 in each zone, from gateway-0 on"),
    fault(
      "crash: ▲host-agent of node-4 of zone-a", .unknownName, "there is no node-4 of zone-a",
      help: "it has 4 machines of its own, from node-0 on"),
    fault(
      "lose: ▲10% of pods of jbos", .unknownName, "there is no service `jbos`",
      help: "did you mean `jobs`?"),
    fault(
      "lose: 3 pods of jobs, restart_after: ▲1m", .inconsistent,
      "pods that are lost do not come back",
      help: "remove `restart_after`: others are made in their place"),
    fault(
      "slow: kubernetes, factor: ▲1", .inconsistent, "a factor of 1 changes nothing",
      help: "give more than 1, or remove the fault"),
    fault(
      "slow: ▲machine-supply, factor: 3", .inconsistent,
      "there are no machines to come: no `cluster.node_pools`",
      help: "add node pools, or remove the fault"),
    fault(
      "slow: ▲coordinator, factor: 3", .inconsistent,
      "nobody needs the Coordinator: no service has `breaking`, and no downstream a "
        + "`central_limit`",
      help: "add `breaking: {}` to a service, or remove the fault"),
    fault(
      "slow: ▲registry, factor: 3", .neverHappens,
      "nobody asks the registry: fixed machines have all images, and there are no others",
      help: "add `cluster.node_pools` or `cluster.virtual_nodes`, or remove the fault"),
    fault(
      "slow: ▲api, factor: 3", .neverHappens, "nobody asks the API for anything",
      help: "add `changes`, or remove the fault: no request goes through the API"),
    fault(
      "drop: zone-a, share: ▲0%", .inconsistent, "a share of nothing changes nothing",
      help: "give more than 0 %, or remove the fault"),
    fault(
      "slow: kubernetes, factor: 2, ramp: ▲3m, for: 2m", .inconsistent,
      "it is over before it has grown", help: "let `ramp` be no longer than it lasts"),
    fault(
      "stop: etcd, for: 1m, times: 3, every: ▲30s", .inconsistent,
      "it comes again before it is over", help: "let `every` be longer than it lasts"),
    fault(
      "push: ▲api", .inconsistent, "a configuration without anything in it changes nothing",
      help: "give `max_instances`, `concurrency`, `call_timeout` or `errors`, as in `errors: 5%`"),
    fault(
      "push: api, max_instances: ▲1000", .inconsistent, "`api` may have 1000 instances already",
      help: "give less"),
    fault(
      "clock: ▲worker-manager-0", .inconsistent, "a clock that neither jumps nor drifts is right",
      help: "give `ahead: 30s`, `behind: 30s`, or `rate: 1.1`"),
    fault(
      "clock: ▲etcd, ahead: 1s", .unknownName, "`etcd` has no clock that matters",
      help: "for example `worker-manager-0`"),
    // What does not exist.
    fault(
      "lose: ▲zone-q", .unknownName, "there is no zone `zone-q`", help: "did you mean `zone-a`?"),
    fault(
      "slow: ▲zone-q, factor: 2", .unknownName, "there is no zone `zone-q`",
      help: "did you mean `zone-a`?"),
    fault(
      "cut: zone-a, from: ▲zone-q", .unknownName, "there is no zone `zone-q`",
      help: "did you mean `zone-a`?"),
    fault(
      "stop: ▲remote-cache of zone-q", .unknownName, "there is no zone `zone-q`",
      help: "did you mean `zone-a`?"),
    fault(
      "crash: ▲dispatcher-9", .unknownName, "there is no dispatcher-9",
      help: "there are 3, from dispatcher-0 on"),
    fault(
      "crash: ▲consumer-5 of zone-a", .unknownName, "there is no consumer-5 of zone-a",
      help: "there are 2 in each zone, from consumer-0 on"),
    fault(
      "limit: ▲nothing, share: 50%", .unknownName, "there is no downstream `nothing`",
      help: "add it to `downstreams`"),
    fault(
      "stop: ▲ectd", .unknownName, "`ectd` cannot be stopped",
      help: "one of `etcd`, `kubernetes`, `autoscaler`, `api`, `coordinator`, `registry`, "
        + "`machine-supply`, `object-store`, `remote-cache of zone-a`; a zone is cut off: "
        + "`cut: zone-a`"),
    // Its times.
    fault(
      "lose: zone-a, until: ▲4m", .outOfRange, "`faults[0]` ends at 240.0 s and begins at 300.0 s",
      help: "let it end after it begins"),
    fault(
      "lose: zone-a, for: ▲0s", .outOfRange, "`faults[0].for` is 0.0 s: it would end as it begins",
      help: "give a time above 0"),
    fault(
      "lose: zone-a, for: 1m, until: ▲7m", .inconsistent,
      "`faults[0]` has both `for` and `until`", help: "keep one of them"),
    BadInput(
      "{name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}", "▲{name: dies, at: 5m}",
      .missingKey, "`faults[0]` does not say what goes wrong",
      help: "one of `crash`, `lose`, `stop`, `slow`, `cut`, `drop`, `surge`, `spoil`, `push`, "
        + "`clock`, `limit`, as in `lose: zone-a`"),
    BadInput(
      "{name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}",
      "{at: 5m, lose: zone-a, for: 2m}\n  - {at: ▲6m, crash: gateway-0 of zone-a, for: 30s}",
      .inconsistent,
      "`faults[1]` and `faults[0]` contradict each other: what one strikes is lost with zone-a "
        + "all the while",
      help: "end one before the other begins, or leave one out"),
    conflict(
      "lose: zone-a, for: 2m", "lose: node-3 of zone-a, for: 1m",
      "contradict each other: what one strikes is lost with zone-a all the while"),
    conflict(
      "lose: zone-a, restart_after: never", "crash: worker-manager-0, restart_after: never",
      "contradict each other: what one strikes is lost with zone-a all the while"),
    conflict(
      "lose: zone-a, for: 3m", "crash: gateway-1 of zone-a, for: 10s, every: 30s, times: 4",
      "contradict each other: what one strikes is lost with zone-a all the while"),
    conflict(
      "lose: zone-a, for: 2m", "cut: control-plane, from: zone-a, for: 1m",
      "contradict each other: what one strikes is lost with zone-a all the while"),
    conflict(
      "lose: zone-a, for: 2m", "slow: zone-a, factor: 5, for: 30s",
      "contradict each other: what one strikes is lost with zone-a all the while"),
    conflict(
      "stop: etcd, for: 2m", "slow: etcd, factor: 3, for: 5m",
      "stop etcd and slow it at the same time"),
    conflict(
      "slow: kubernetes, factor: 2, for: 2m", "slow: kubernetes, factor: 3, for: 5m",
      "slow kubernetes at the same time"),
    conflict(
      "push: api, errors: 5%, for: 2m", "push: api, errors: 9%, for: 2m",
      "push a configuration of api at the same time"),
    conflict(
      "clock: worker-manager-0, ahead: 3s, for: 2m", "clock: worker-manager-0, behind: 3s",
      "set the clock of worker-manager-0 at the same time"),
    conflict(
      "lose: node-0 of zone-a, for: 2m", "lose: 25% of zone-a, for: 1m",
      "take some of the same machines of zone-a down at the same time"),
    fault(
      "lose: ▲-3 pods of jobs", .outOfRange,
      "`-3 pods of jobs` says neither how many pods nor which share of them",
      help: "a number from 1 on or a share above 0%: `3 pods of SERVICE`, "
        + "`10% of pods of SERVICE`"),
    fault(
      "lose: ▲10% pods of jobs", .outOfRange,
      "`10% pods of jobs` says neither how many pods nor which share of them",
      help: "a number from 1 on or a share above 0%: `3 pods of SERVICE`, "
        + "`10% of pods of SERVICE`"),
    labelled(
      "surge: ▲label tier=glod, factor: 2", "no service has the label `tier=glod`",
      help: "did you mean `tier=gold`?"),
    labelled(
      "surge: ▲label zone=x, factor: 2", "no service has the label `zone=x`",
      help: "one of `team=data`, `tier=gold`, `tier=silver`"),
  ]

  /// What an override says stands in no line of the file, however deep in it.
  @Test func anOverrideHasNoLine() throws {
    let result = ScenarioReader().read(
      Samples.valid, file: "valid.yaml",
      overrides: ["faults=[{at: 5m, lose: zone-a, for: 1m}, {at: 5m, lose: -3 pods of jobs}]"])
    let error = try #require(result.errors.first)
    #expect(result.errors.count == 1 && error.kind == .outOfRange, "\(result.rendered)")
    #expect(error.line == 0 && !error.render(source: result.source).contains("|"))
    let sound = ScenarioReader().read(
      Samples.valid, file: "valid.yaml", overrides: ["faults=[{at: 5m, stop: etcd}]"])
    #expect(sound.document?.faults.map(\.line) == [0])
    let written = ScenarioReader().read(Samples.valid, file: "valid.yaml", overrides: [])
    #expect(written.document?.faults.allSatisfy { $0.line > 1 } == true)
  }

  /// What nobody would notice is told of an override as of a file, and not of what goes with a
  /// cluster that is lost, which nobody wrote.
  @Test func anOverrideWithoutEffectIsTold() {
    let parts: [(String, Diagnostic.Kind)] = [
      ("machine-supply", .inconsistent), ("coordinator", .inconsistent),
      ("registry", .neverHappens),
    ]
    for (part, kind) in parts {
      let result = ScenarioReader().read(
        Samples.valid, file: "valid.yaml", overrides: ["faults=[{at: 5m, stop: \(part), for: 1m}]"])
      let told = result.diagnostics.filter { $0.kind == kind }
      #expect(told.count == 1 && told.allSatisfy { $0.line == 0 }, "\(part): \(result.rendered)")
    }
    let lost = "{at: 5m, lose: north, for: 1m}"
    let written = Samples.read(Self.regions(lost))
    let given = ScenarioReader().read(
      Self.regions("{at: 5m, stop: etcd, in: north/online}"), file: "regions.yaml",
      overrides: ["faults=[\(lost)]"])
    for result in [written, given] {
      #expect(result.document != nil, "\(result.rendered)")
      #expect(!result.diagnostics.contains { $0.message.contains("AutoScale") })
    }
    let stopped = Samples.read(Self.regions("{at: 5m, stop: autoscaler, in: north/online}"))
    #expect(stopped.diagnostics.contains { $0.message.contains("AutoScale") })
  }

  @Test(arguments: faults)
  func eachHasItsError(_ bad: BadInput) throws {
    try BadInputTests().eachChangeHasItsError(bad)
  }

  /// Of one downstream only one thing can be so at a time, whichever words say it; of two, or one
  /// after the other, both.
  @Test(arguments: [
    ("limit: db, share: 50%, for: 2m", "limit: db, share: 20%, for: 1m", true),
    ("limit: db, share: 50%, for: 1m", "limit: db, share: 20%, for: 1m", true),
    ("limit: db, share: 50%, for: 2m", "slow: downstream db, factor: 2, for: 1m", true),
    ("slow: downstream db, factor: 2, for: 2m", "limit: db, share: 20%, for: 1m", true),
    ("slow: downstream db, factor: 2, for: 2m", "slow: downstream db, factor: 3, for: 1m", true),
    ("limit: db, share: 50%, for: 59s", "limit: db, share: 20%, for: 1m", false),
    ("limit: db, share: 50%, for: 2m", "limit: other, share: 20%, for: 1m", false),
    ("slow: downstream db, factor: 2, for: 2m", "slow: service api, factor: 3, for: 1m", false),
  ])
  func whatADownstreamBearsIsSaidOnce(one: String, other: String, isConflict: Bool) {
    let text = Samples.valid.replacing(
      "services:\n",
      with: """
        downstreams:
          - {name: db, capacity: 100/s}
          - {name: other, capacity: 100/s}
        services:
          - {name: more, runtime: go, shape: small, downstream: other, service_time: 1ms,
             arrivals: {process: poisson, rate: 1/s}}

        """
    ).replacing("runtime: python\n", with: "runtime: python\n    downstream: db\n").replacing(
      "{name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}",
      with: "{at: 5m, \(one)}\n  - {at: 6m, \(other)}")
    let result = Samples.read(text)
    #expect((result.document == nil) == isConflict, "\(result.rendered)")
    #expect(
      result.errors.map(\.message)
        == (isConflict
          ? ["`faults[1]` and `faults[0]` say what db bears at the same time"] : []))
  }

  /// What outlasts the loss of its zone is down when that is back: such faults combine, and so do
  /// those of which a part comes before or after it.
  @Test(arguments: [
    ("lose: zone-a, for: 2m", "crash: gateway-0 of zone-a, for: 5m"),
    ("lose: zone-a, for: 2m", "lose: node-3 of zone-a, for: 5m"),
    ("lose: zone-a, for: 2m", "crash: host-agent of 50% of zone-a, for: 61s"),
    ("lose: zone-a, for: 2m", "crash: worker-manager-0, restart_after: never"),
    ("lose: zone-a, for: 2m", "crash: dispatcher-0, for: 4m"),
    ("lose: zone-a, for: 2m", "crash: gateway-0 of zone-a, for: 20s, every: 50s, times: 3"),
    ("crash: dispatcher-0, for: 2m", "lose: zone-a, for: 30s"),
    ("lose: zone-b, restart_after: never", "crash: gateway-0 of zone-a, for: 20s"),
    ("lose: zone-a, for: 2m", "slow: zone-a, factor: 5, for: 61s"),
    ("lose: zone-a, for: 2m", "cut: zone-b, for: 30s"),
    ("slow: zone-a, factor: 5, for: 30s", "drop: zone-a, share: 5%, ramp: 10s, for: 30s"),
  ])
  func whatOutlastsALossCombines(one: String, other: String) {
    let text = Samples.valid.replacing(
      "{name: dies, at: 5m, crash: worker-manager-0, restart_after: 1m}",
      with: "{at: 5m, \(one)}\n  - {at: 6m, \(other)}")
    let result = Samples.read(text)
    #expect(result.document?.faults.count == 2, "\(result.rendered)")
  }

  private static func read(_ fields: String) throws -> FaultSection {
    let text = Samples.valid.replacing("crash: worker-manager-0, restart_after: 1m", with: fields)
    let result = Samples.read(text)
    return try #require(result.document?.faults.first, "\(result.rendered)")
  }

  private static func regions(_ fault: String, second: String = "south") -> String {
    """
    headroom: 1
    name: regions
    duration: 10m
    regions:
      - name: north
        clusters: [{name: online, zones: [{name: a, nodes: {count: 2, cpu: 8, memory: 8GiB}}]}]
      - name: \(second)
        clusters: [{name: online, zones: [{name: a, nodes: {count: 2, cpu: 8, memory: 8GiB}}]}]
    runtimes: {go: {init: 1ms}}
    shapes: {small: {cpu: 1, memory: 1GiB}}
    services:
      - {name: a, cluster: north/online, runtime: go, shape: small, service_time: 1ms,
         arrivals: {process: poisson, rate: 1/s}}
    faults: [\(fault)]
    """
  }

  /// Two regions of one name are one error, with its line; a cut between clusters is one too.
  @Test func regionsHaveTheirErrors() {
    let twice = Samples.read(Self.regions("{at: 5m, lose: north, for: 1m}", second: "north"))
    #expect(twice.diagnostics.map(\.kind) == [.duplicateName], "\(twice.rendered)")
    #expect(twice.diagnostics.first?.line == 7)
    let others = [
      ("cut: north/online", "cluster", "north/online/a"),
      (
        "drop: north, share: 5%", "region",
        "north/online/a"
      ), ("stop: api, in: north/online", "cluster", "north"),
      ("stop: etcd, in: north", "region", "north/online"),
    ]
    for (fault, kind, example) in others {
      let result = Samples.read(Self.regions("{at: 5m, \(fault), for: 1m}"))
      #expect(result.errors.map(\.kind) == [.unknownName], "\(result.rendered)")
      let told = result.errors.first
      #expect(told?.message.hasSuffix("is a \(kind), and that is not what is meant here") == true)
      #expect(told?.help == "for example `\(example)`", "\(result.rendered)")
    }
    let cut = Samples.read(
      Self.regions("{at: 5m, cut: north/online/a, from: south/online/a, for: 1m}"))
    #expect(cut.diagnostics.map(\.kind) == [.inconsistent], "\(cut.rendered)")
    let message =
      "`north/online/a` and `south/online/a` are in two clusters, between which no message goes"
    #expect(cut.diagnostics.first?.message == message)
  }

  /// More pods than there can be is a warning: all go.
  @Test func morePodsThanThereAreAreTold() {
    for (count, isTold) in [(1000, false), (1001, true)] {
      let result = Samples.read(
        Samples.valid.replacing(
          "crash: worker-manager-0, restart_after: 1m", with: "lose: \(count) pods of api"))
      #expect(result.document != nil, "\(result.rendered)")
      let told = result.diagnostics.filter { $0.kind == .implausible }
      #expect(told.contains { $0.message.contains("more than 1000 pods") } == isTold)
    }
  }

  /// What a downstream bears may fall by and by.
  @Test func aLimitMayGrow() throws {
    let text = Samples.valid.replacing(
      "services:\n", with: "downstreams:\n  - {name: db, capacity: 100/s}\nservices:\n"
    ).replacing("runtime: python\n", with: "runtime: python\n    downstream: db\n").replacing(
      "crash: worker-manager-0, restart_after: 1m",
      with: "limit: db, share: 50%, ramp: 30s, for: 1m")
    let result = Samples.read(text)
    let fault = try #require(result.document?.faults.first, "\(result.rendered)")
    #expect(fault.ramp == .seconds(30))
  }

  /// A label names services wherever a service is named, with the word before it or without.
  @Test func labelsNeedNoOtherWord() throws {
    let text = Samples.valid
      .replacing(
        "    runtime: python\n    shape",
        with: "    runtime: python\n    labels: {team: red}\n    shape")
    for target in ["label team=red", "service label team=red"] {
      let fault = "slow: \(target), factor: 5, for: 1m"
      let result = Samples.read(
        text.replacing("crash: worker-manager-0, restart_after: 1m", with: fault))
      let document = try #require(result.document, "\(result.rendered)")
      #expect(document.faults[0].effect == .slowService("label team=red", factor: 5))
    }
  }

  /// The only cluster is lost by its name as one of several: with its zones and what it has once.
  @Test func theOnlyClusterHasAName() throws {
    let text = Samples.valid.replacing("cluster:\n", with: "cluster:\n  name: prod\n")
      .replacing("crash: worker-manager-0, restart_after: 1m", with: "lose: prod, for: 1m")
    let result = Samples.read(text)
    let document = try #require(result.document, "\(result.rendered)")
    let part = try #require(document.parts.first)
    #expect(document.parts.count == 1 && document.faults.count == 1)
    #expect(part.faults.compactMap(\.zone) == ["zone-a", "zone-b"])
    #expect(part.faults.count == 5 && part.faults.allSatisfy { $0.restartAfter == .seconds(60) })
    #expect(part.path(ofFault: 4) == "faults[0]")
    let other = Samples.read(
      Samples.valid.replacing("crash: worker-manager-0", with: "lose: prod"))
    #expect(other.diagnostics.map(\.kind) == [.unknownName])
  }

  @Test func whatIsRightIsRead() throws {
    #expect(try Self.read("lose: 10% of pods of jobs").effect == .losePods("jobs", .share(0.1)))
    #expect(try Self.read("lose: 3 pods of jobs").effect == .losePods("jobs", .count(3)))
    #expect(try Self.read("lose: 3 pods of jobs").restartAfter == nil)
    let agents = try Self.read("crash: host-agent of 50% of zone-b")
    #expect(agents.agents?.zone == "zone-b" && agents.agents?.which == .share(0.5))
    #expect(agents.target == "host-agent of 50% of zone-b")
    let ramp = try Self.read("slow: service jobs, factor: 3, ramp: 30s, for: 2m")
    #expect(ramp.ramp == .seconds(30))
    let again = try Self.read("crash: gateway-1 of zone-a, for: 10s, every: 1m, times: 3")
    #expect(again.beginnings == [.seconds(300), .seconds(360), .seconds(420)])
    var push = FaultPush()
    push.maximumInstances = 3
    push.errors = 0.05
    #expect(
      try Self.read("push: jobs, max_instances: 3, errors: 5%").effect == .push("jobs", push))
    #expect(
      try Self.read("clock: worker-manager-1, behind: 30s").effect
        == .clock(manager: 1, jump: .seconds(-30), rate: 1))
    #expect(try Self.read("clock: worker-manager-1, rate: 0.5").restartAfter == nil)
  }
}
