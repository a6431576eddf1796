import Platform
import Primitives
import Scenario
import Testing

@testable import Planning
@testable import Simulation

/// Matrices of losses and the search for the worst one, by domain: what was planted is found, and
/// what is found is what a fault of the scenario does.
@Suite struct LossSearchTests {
  /// Two regions. `quiet` is everywhere in the north; `heavy` is in north/b alone, and has ten
  /// times its traffic from 12 to 14 minutes. The south has less than any of both.
  static func text(faults: String = "", fidelity: String = "flow") -> String {
    let zones = ["zone-a", "zone-b"].map {
      "{name: \($0), nodes: {count: 4, cpu: 16, memory: 64GiB}}"
    }.joined(separator: ", ")
    func service(_ name: String, _ place: String, _ arrivals: String, _ more: String = "")
      -> String
    {
      """
        - {name: \(name), \(place), runtime: go, shape: small, concurrency: 4, \(more)
           service_time: "exponential(mean: 20ms)", cpu_fraction: 0.5,
           instances: {min: 20, max: 60},
           arrivals: {\(arrivals)}}
      """
    }
    let peak =
      "process: profile, points: [{at: 0s, rate: 20/s}, {at: 12m, rate: 20/s}, "
      + "{at: 12m10s, rate: 200/s}, {at: 13m50s, rate: 200/s}, {at: 14m, rate: 20/s}]"
    return """
      headroom: 1
      name: losses
      duration: 24m
      warmup: 1m
      fidelity: \(fidelity)
      regions:
        - name: north
          clusters: [{name: a, zones: [\(zones)]}, {name: b, zones: [\(zones)]}]
        - {name: south, clusters: [{name: c, zones: [\(zones)]}]}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      pools: {size: 6}
      services:
      \(service("quiet", "clusters: [north/a, north/b]", "process: poisson, rate: 20/s"))
      \(service("heavy", "cluster: north/b", peak))
      \(service("far", "cluster: south/c", "process: poisson, rate: 5/s"))
      faults: [\(faults.isEmpty ? "{at: 5m, lose: north/a/zone-a, for: 30s}" : faults)]
      objectives: ["completed / requests > 98%"]
      """
  }

  static func runner(
    _ text: String? = nil, _ overrides: [String] = []
  ) throws -> ScenarioRunner {
    let result = ScenarioReader().read(
      text ?? Self.text(), file: "losses.yaml", overrides: overrides)
    return ScenarioRunner(try #require(result.document, "\(result.rendered)"), threads: 2)
  }

  /// Where there is time for it every loss that is looked for is judged for as long after its end;
  /// in a run of eight minutes none could be.
  @Test func lossesAreJudgedForAsLong() throws {
    let whole = WorstLoss(runner: try Self.runner())
    #expect(whole.isWhole)
    let last = try #require(whole.times.last)
    #expect(last == .seconds(24 * 60 - 30 - 600))
    let short = WorstLoss(runner: try Self.runner(nil, ["duration=8m"]))
    #expect(!short.isWhole)
    #expect(short.times.last.map { $0 > .seconds(400) } == true)
  }

  // MARK: Targets

  @Test func domainsAreThoseOfTheScenario() throws {
    let whole = try Self.runner().mapping.platform(replication: 0, peaks: nil).whole
    func names(_ domain: LossTarget.Domain) -> [String] {
      LossTarget.all(domain, of: whole).map(\.name)
    }
    #expect(names(.zone).count == 6 && names(.zone)[3] == "north/b/zone-b")
    #expect(names(.cluster) == ["north/a", "north/b", "south/c"])
    #expect(names(.region) == ["north", "south"])
    #expect(LossTarget.all(.region, of: whole).map(\.zones) == [0..<4, 4..<6])
    let one = try SmallCluster.document()
    let small = ScenarioMapping(one).platform(replication: 0, peaks: nil).whole
    #expect(LossTarget.all(.zone, of: small).map(\.name) == ["zone-a", "zone-b", "zone-c"])
    #expect(LossTarget.all(.cluster, of: small).isEmpty)
    #expect(LossTarget.all(.region, of: small).isEmpty)
  }

  /// What a trial arms is what the scenario's own fault comes to, for any domain.
  @Test(arguments: ["north/b/zone-a", "north/b", "north"]) func aLossIsAFault(name: String) throws {
    let faults = "{name: loss, at: 90s, lose: \(name), for: 30s}"
    var platform = try Self.runner(Self.text(faults: faults)).mapping
      .platform(replication: 0, peaks: nil)
    let written = platform.takeFaults()
    let armed = try Self.runner().mapping.loss(of: name, at: .seconds(90), for: .seconds(30))
    #expect(armed.map { $0.map(\.kind) } == written.map { $0.map(\.kind) })
    #expect(armed.flatMap { $0 }.allSatisfy { $0.at == .seconds(90) })
    #expect(armed.flatMap { $0 }.count == (name == "north" ? 10 : name == "north/b" ? 5 : 1))
  }

  /// Of three zones with one lost the others have 3/2 of what is in all of them, of a cluster's
  /// region the rest its share, and of a region nobody takes over.
  @Test func whoTakesOver() throws {
    let whole = try Self.runner().mapping.platform(replication: 0, peaks: nil).whole
    func taking(_ domain: LossTarget.Domain, _ index: Int) -> [Int: Double] {
      Dictionary(
        uniqueKeysWithValues: LossTarget.all(domain, of: whole)[index].takingOver(of: whole)
          .map { ($0.zone, $0.factor) })
    }
    #expect(taking(.zone, 0) == [1: 2])
    // Half of `quiet` is in each cluster: 10 a second of 10, and of 30 with the quiet `heavy`.
    #expect(taking(.cluster, 1) == [0: 2, 1: 2])
    #expect(taking(.cluster, 2).isEmpty)
    #expect(taking(.region, 0) == [4: 1, 5: 1])
    let small = ScenarioMapping(try SmallCluster.document())
      .platform(replication: 0, peaks: nil).whole
    let left = LossTarget.all(.zone, of: small)[1].takingOver(of: small)
    // Zone c has the services that are in all three, and a the one too that is in a and b.
    #expect(left.map(\.zone) == [0, 2] && abs(left[1].factor - 1.5) < 1e-12)
    #expect(left[0].factor > 1.55 && left[0].factor < 1.57, "\(left[0].factor)")
  }

  /// The other half of `quiet` comes to north/b beside its own half and `heavy`, to each of its
  /// zones alike, and nothing in the south.
  @Test func zonesOfWhoTakesOver() throws {
    let text = Self.text(faults: "{at: 5m, lose: north/a, for: 30s}")
    let runner = try Self.runner(text, ["duration=8m"])
    let pair = try RehearsalStudy(runner: runner, replications: 1).pair(0, peaks: nil)
    let forms = RehearsalHarm([pair], document: runner.document).closedForms
    #expect(forms.count == 6 && forms[0] == nil && forms[1] == nil)
    let services = pair.calm.configuration.services
    func rate(_ name: String) -> Double {
      services.filter { $0.name == name }.reduce(0) { $0 + $1.meanRatePerSecond }
    }
    let (quiet, heavy) = (rate("quiet"), rate("heavy"))
    let expected = (quiet + heavy) / (quiet / 2 + heavy)
    #expect(abs(quiet - 20) < 1e-9 && heavy > quiet)
    for zone in 2...3 { #expect(forms[zone].map { abs($0 - expected) < 1e-12 } == true) }
    #expect(forms[4] == 1 && forms[5] == 1)
  }

  // MARK: The matrix

  /// The cells of a matrix are those of rehearsals, from forks: each is what a rehearsal of the
  /// loss says, although the calm past is simulated once.
  @Test(arguments: LossTarget.Domain.allCases) func aMatrixHasEveryLoss(
    domain: LossTarget.Domain
  ) throws {
    let runner = try Self.runner()
    let times = [Instant.seconds(300), .seconds(735)]
    let outcome = try LossMatrix(runner: runner, domain: domain, times: times).run(peaks: nil)
    let whole = runner.mapping.platform(replication: 0, peaks: nil).whole
    let targets = LossTarget.all(domain, of: whole)
    #expect(outcome.targets == targets && outcome.times == times)
    #expect(outcome.cells.map(\.target) == targets + targets)
    // A domain of north/b at its peak, and nothing else, misses the objective.
    for cell in outcome.cells {
      let isPlanted = cell.at == times[1] && cell.target.zones.overlaps(2..<4)
      #expect(
        (ObjectiveVerdicts.overall(cell.judged) == .missed) == isPlanted,
        "\(cell.target.name) at \(cell.at): \(cell.badShare)")
    }
    for cell in outcome.cells where cell.target.zones.contains(2) && cell.at == times[1] {
      try Self.expectReproduced(cell)
    }
  }

  /// A rehearsal of what is printed for a trial judges as the trial did: the same verdict, value
  /// and margin of every objective, after the same number of requests without an answer.
  private static func expectReproduced(
    _ trial: LossTrial, _ text: String? = nil, _ overrides: [String] = []
  ) throws {
    let document = try runner(text, overrides).document
    let again = try runner(text, overrides + trial.overrides(of: document))
    #expect(again.document.replications == trial.replications.count)
    let study = RehearsalStudy(runner: again, replications: again.document.replications)
    let rehearsed = try study.run(peaks: nil)
    #expect(study.judged == trial.window)
    #expect(rehearsed.faulted.count == trial.judged.count && !trial.judged.isEmpty)
    for (one, other) in zip(rehearsed.faulted, trial.judged) {
      let what = "\(trial.fault): \(one.objective.text)"
      #expect(one.verdict == other.verdict && one.value == other.value, "\(what)")
      #expect(one.margin == other.margin && one.longestBreak == other.longestBreak, "\(what)")
      #expect(one.interval == other.interval && one.samples == other.samples, "\(what)")
    }
    func bad(_ outcome: RunOutcome) -> Double {
      outcome.collected.laneCounters.reduce(0) { $0 + Double($1.failed + $1.refused) }
    }
    let shifts = rehearsed.pairs.compactMap(\.timeline.secondsToShift)
    let isShifted = shifts.count == rehearsed.pairs.count
    #expect(
      trial.secondsToShift == (isShifted ? shifts.reduce(0, +) / Double(shifts.count) : nil))
    for (pair, replication) in zip(rehearsed.pairs, trial.replications) {
      #expect(replication.stopped == pair.faulted.stopped)
      #expect(replication.timeline.judgedUntil == pair.timeline.judgedUntil)
      #expect(replication.moreBad == bad(pair.faulted) - bad(pair.calm))
      #expect(replication.timeline.detected == pair.timeline.detected)
      #expect(replication.timeline.recovered == pair.timeline.recovered)
    }
  }

  /// Where a run goes on long after a loss, what comes then is not judged, here and there: the same
  /// fault without its `rehearsal` is judged over more.
  @Test(arguments: ["flow", "request"]) func whatComesLaterIsNotJudged(fidelity: String) throws {
    let text = Self.text(fidelity: fidelity)
    let overrides = [
      "duration=40m",
      "objectives=[completed / requests > 98%, 'p99(latency) < 1s', 'failed > 3 for 1m']",
    ]
    let runner = try Self.runner(text, overrides)
    let outcome = try LossMatrix(runner: runner, times: [.seconds(90)]).run(peaks: nil)
    let trial = try #require(outcome.cells.first)
    #expect(trial.window == .seconds(89) ..< .seconds(90 + 30 + 1800))
    try Self.expectReproduced(trial, text, overrides)
    let longer = try Self.runner(text, overrides + ["faults=[\(trial.fault)]"])
    let whole = try RehearsalStudy(runner: longer, replications: 1).run(peaks: nil)
    #expect(whole.faulted[0].value != trial.judged[0].value)
  }

  /// A condition ends a cell as it ends the rehearsal of it: at the same instant, with its twin,
  /// and with the same verdict, values and margins; what it does not hold in goes on to the end. A
  /// calm past that meets it has ended before later losses strike, of which nothing is known then.
  @Test(arguments: ["flow", "request"]) func aConditionEndsACell(fidelity: String) throws {
    let text = Self.text(fidelity: fidelity)
    // Nothing of `heavy` is answered while its cluster is lost.
    let overrides = [
      "duration=14m", "replications=2", "faults=[{at: 5m, lose: north/b, for: 4m}]",
      "stop_when=['completed(service=heavy) / requests(service=heavy) < 10% for 1m']",
      "objectives=[completed / requests > 98%, 'p99(latency) < 1s']",
    ]
    let runner = try Self.runner(text, overrides)
    let times = [Instant.seconds(90), .seconds(215)]
    let outcome = try LossMatrix(runner: runner, domain: .cluster, times: times).run(peaks: nil)
    #expect(outcome.cells.count == 6)
    for cell in outcome.cells {
      let isStopped = cell.target.name == "north/b"
      #expect((cell.stopped != nil) == isStopped, "\(cell.fault)")
      try Self.expectReproduced(cell, text, overrides)
      guard isStopped, let stop = cell.stopped else { continue }
      #expect(stop.replications == 2)
      #expect(stop.reason.at >= cell.at + .seconds(60) && stop.reason.at <= cell.at + .seconds(90))
    }
    let free = try Self.runner(text, overrides + ["stop_when=[]"])
    let whole = try LossMatrix(runner: free, domain: .cluster, times: times).run(peaks: nil)
    for (one, other) in zip(outcome.cells, whole.cells) {
      #expect((one.moreBad == other.moreBad) == (one.stopped == nil), "\(one.fault)")
    }
  }

  @Test func aCalmPastThatIsOverEndsWhatIsLater() throws {
    let overrides = ["duration=10m", "stop_when=['requests > 1 for 2m']"]
    let runner = try Self.runner(nil, overrides)
    let times = [Instant.seconds(90), .seconds(300)]
    let outcome = try LossMatrix(runner: runner, times: times).run(peaks: nil)
    // Two minutes from 60 s on; intervals end anew from where a loss is judged from, at 89 s.
    for cell in outcome.cells {
      let end = Instant.seconds(cell.at == times[0] ? 189 : 180)
      #expect(cell.stopped?.reason.at == end, "\(cell.fault)")
    }
    for cell in outcome.cells where cell.at == times[1] {
      #expect(cell.moreBad == 0 && cell.secondsToRecover == nil)
      #expect(ObjectiveVerdicts.overall(cell.judged) == .undecided)
    }
    for cell in outcome.cells where cell.target.name == "north/b/zone-a" {
      try Self.expectReproduced(cell, nil, overrides)
    }
  }

  /// What is found is stopped as the rehearsal of it is, and of two losses that miss an objective
  /// one that was stopped is the worse.
  @Test func whatIsFoundIsStopped() throws {
    let overrides = [
      "duration=8m", "faults=[{at: 5m, lose: north/b, for: 4m}]",
      "stop_when=['completed(service=heavy) / requests(service=heavy) < 10% for 1m']",
    ]
    let runner = try Self.runner(nil, overrides)
    let outcome = try WorstLoss(runner: runner, domains: [.zone, .cluster], rounds: 3)
      .run(peaks: nil)
    let worst = try #require(outcome.worst)
    #expect(worst.target.name == "north/b" && worst.stopped != nil)
    #expect(outcome.tried.contains { $0.stopped == nil && $0.target.domain == .zone })
    try Self.expectReproduced(worst, nil, overrides)
  }

  /// A loss just after the warm-up is judged from its end, and one just before the end by what is
  /// left; what is behind the end has no use of processors.
  @Test func theEdgesOfWhatIsJudged() throws {
    let runner = try Self.runner()
    let times = [Instant.seconds(60), .seconds(61), .seconds(24 * 60 - 1)]
    let outcome = try LossMatrix(runner: runner, times: times).run(peaks: nil)
    let cells = outcome.cells.filter { $0.target.name == "north/b/zone-a" }
    #expect(cells.map(\.window.lowerBound) == [.seconds(60), .seconds(60), .seconds(24 * 60 - 2)])
    for cell in cells.prefix(2) { try Self.expectReproduced(cell) }
    #expect(cells[0].peakUtilisation != nil)
    #expect(cells[2].peakUtilisation == nil && cells[2].expectedUtilisation == nil)
  }

  // MARK: The search

  /// The worst of each kind of domain is in north/b around its peak, and lasts as long as may be;
  /// the fault that is printed does it again.
  @Test func thePlantedWorstIsFound() throws {
    let outcome = try WorstLoss(runner: Self.runner()).run(peaks: nil)
    #expect(outcome.worstOfEach.map(\.target.domain) == [.zone, .cluster, .region])
    let names = outcome.worstOfEach.map(\.target.name)
    #expect(["north/b/zone-a", "north/b/zone-b"].contains(names[0]))
    #expect(Array(names[1...]) == ["north/b", "north"])
    for trial in outcome.worstOfEach {
      let span = trial.at..<trial.at + trial.outage
      #expect(
        span.overlaps(.seconds(12 * 60)..<Instant.seconds(14 * 60)), "\(trial.target.name) \(span)")
      try Self.expectReproduced(trial)
    }
    // Nothing on a fine grid is worse by much.
    let times = (23...28).map { Instant.seconds(30 * Int64($0)) }
    let grid = try LossMatrix(runner: Self.runner(), times: times).run(peaks: nil)
    let worst = grid.cells.map(\.moreBad).max() ?? .infinity
    #expect(outcome.worstOfEach[0].moreBad > 0.95 * worst, "\(worst)")
    // Nobody takes over from a cluster that has `heavy` alone: all that comes while it is away is
    // lost, so that longer is worse.
    #expect(outcome.worstOfEach[1].outage == .seconds(120))
    #expect(outcome.worst?.target.domain == .region || outcome.worst?.target.name == "north/b")
  }

  /// Messages are late and none is without an answer, whenever the zone is lost: the worst are
  /// those after which the lag is beyond its bound, while the traffic is greatest.
  @Test func lagAloneMakesALossTheWorst() throws {
    let text = """
      headroom: 1
      name: late
      duration: 40m
      warmup: 1m
      fidelity: flow
      cluster:
        zones:
          - {name: zone-a, nodes: {count: 2, cpu: 32, memory: 128GiB}}
          - {name: zone-b, nodes: {count: 2, cpu: 32, memory: 128GiB}}
      runtimes: {go: {init: 50ms}}
      shapes: {small: {cpu: 0.5, memory: 512MiB}}
      services:
        - name: q
          runtime: go
          shape: small
          topic: {partitions: 8}
          arrivals:
            process: profile
            points: [{at: 0s, rate: 20/s}, {at: 20m, rate: 20/s}, {at: 21m, rate: 400/s}]
          service_time: constant(20ms)
          keep_alive: forever
          instances: {min: 40, max: 40, initial: 40}
      faults: [{name: loss, at: 5m, lose: zone-a, for: 2m}]
      objectives: ["lag(service=q) < 10k"]
      """
    let outcome = try WorstLoss(runner: Self.runner(text), domains: [.zone]).run(peaks: nil)
    #expect(outcome.tried.allSatisfy { $0.moreBad == 0 })
    let missed = outcome.tried.map { ObjectiveVerdicts.overall($0.judged) == .missed }
    #expect(missed.first == true && missed.last == false)
    #expect(missed == missed.filter { $0 } + missed.filter { !$0 })
    let worst = try #require(outcome.worst)
    #expect(ObjectiveVerdicts.overall(worst.judged) == .missed && worst.at > .seconds(18 * 60))
  }

  /// A matrix has every replication of the scenario in each cell, and is the same for any number of
  /// threads; a rehearsal of a cell has its verdict, values, intervals and margins. What a single
  /// replication says is one of its samples.
  @Test func cellsAreJudgedOverAllReplications() throws {
    let overrides = ["replications=3", "duration=8m"]
    let runner = try Self.runner(nil, overrides)
    let times = [Instant.seconds(90), .seconds(200)]
    let outcome = try LossMatrix(runner: runner, domain: .cluster, times: times).run(peaks: nil)
    #expect(outcome.cells.count == 6)
    #expect(outcome.cells.allSatisfy { $0.replications.count == 3 && $0.judged[0].samples == 3 })
    let cell = try #require(outcome.cells.first { $0.target.name == "north/b" })
    try Self.expectReproduced(cell, nil, overrides)
    #expect(cell.judged[0].interval != nil && Set(cell.margins).count == 3)
    let worst = try #require(cell.worstMargin)
    #expect(cell.margins.compactMap { $0 }.allSatisfy { $0 >= worst.margin })
    #expect(cell.margins[worst.replication] == worst.margin)
    let alone = ScenarioRunner(runner.document, threads: 1)
    let again = try LossMatrix(runner: alone, domain: .cluster, times: times).run(peaks: nil)
    #expect(again.executed == outcome.executed)
    #expect(again.cells.map(\.moreBad) == outcome.cells.map(\.moreBad))
    #expect(again.cells.map(\.margins) == outcome.cells.map(\.margins))
    let first = try Self.runner(nil, overrides + ["replications=1"])
    let single = try LossMatrix(runner: first, domain: .cluster, times: times).run(peaks: nil)
    #expect(single.cells.map(\.margins) == outcome.cells.map { [$0.margins[0]] })
  }

  /// What is searched at flow fidelity in one replication is judged as requests in all of them: the
  /// rehearsal that is printed says the same.
  @Test func whatIsFoundIsConfirmed() throws {
    let text = Self.text(fidelity: "request")
    let overrides = ["replications=2", "duration=18m"]
    let runner = try Self.runner(text, overrides)
    let search = WorstLoss(runner: runner, domains: [.zone, .cluster], rounds: 4)
    #expect(search.fidelity == "flow")
    let outcome = try search.run(peaks: nil)
    #expect(outcome.tried.allSatisfy { $0.replications.count == 1 })
    // Three of each kind, and the one with the least margin where it is none of these.
    #expect((6...8).contains(outcome.confirmed.count))
    #expect(outcome.confirmed.allSatisfy { $0.replications.count == 2 })
    let worst = try #require(outcome.worst)
    let missed = outcome.confirmed.map { ObjectiveVerdicts.overall($0.judged) == .missed }
    #expect(missed == missed.filter { $0 } + missed.filter { !$0 })
    let alike = outcome.confirmed.filter {
      ObjectiveVerdicts.overall($0.judged) == ObjectiveVerdicts.overall(worst.judged)
    }
    #expect(worst.moreBad == alike.map(\.moreBad).max())
    #expect(["north/b", "north/b/zone-a", "north/b/zone-b"].contains(worst.target.name))
    for trial in outcome.worstOfEach {
      try Self.expectReproduced(trial, text, overrides)
    }
    // Both fidelities agree on how bad it is.
    let found = try #require(outcome.tried.first { $0.fault == worst.fault })
    #expect(abs(found.moreBad / worst.moreBad - 1) < 0.1, "\(found.moreBad), \(worst.moreBad)")
  }

  /// A loss that is surely missed comes before one that leaves more without an answer and is
  /// undecided; and the one that is farthest beyond its limit is judged too, however near to
  /// another.
  @Test func whatIsSurelyMissedIsJudged() throws {
    let outcome = try WorstLoss(runner: Self.runner(), domains: [.zone], rounds: 2).run(peaks: nil)
    let base = try #require(outcome.tried.first)
    func trial(_ at: Int64, margin: Double, isMissed: Bool = true) -> LossTrial {
      var trial = base
      trial.at = .seconds(at)
      trial.margins = [margin]
      trial.judged[0].verdict = isMissed ? .missed : .undecided
      return trial
    }
    let order = WorstLoss.ranked([
      trial(100, margin: 0.2, isMissed: false), trial(200, margin: 0.9), trial(300, margin: 0.8),
    ])
    #expect(order.map(\.at) == [.seconds(300), .seconds(200), .seconds(100)])
    func finalists(_ margins: [Double]) -> [Instant] {
      let ranked = zip([100, 110, 200, 300, 400], margins).map { trial($0, margin: $1) }
      return WorstLoss.finalists(of: .zone, ranked, apart: .seconds(30)).map(\.at)
    }
    let worst: [Instant] = [.seconds(100), .seconds(200), .seconds(300)]
    #expect(finalists([0.9, 0.9, 0.9, 0.9, 0.5]) == worst + [.seconds(400)])
    #expect(finalists([0.9, 0.1, 0.9, 0.9, 0.5]) == worst + [.seconds(110)])
    #expect(finalists([0.9, 0.9, 0.2, 0.9, 0.5]) == worst)
    let other = WorstLoss.finalists(of: .region, [trial(100, margin: 1)], apart: .seconds(30))
    #expect(other.isEmpty)
  }

  /// Asked for zones alone it tries nothing else; a scenario of one cluster has nothing else.
  @Test func onlyWhatIsAskedForIsTried() throws {
    let outcome = try WorstLoss(runner: Self.runner(), domains: [.zone], rounds: 2).run(peaks: nil)
    #expect(outcome.tried.allSatisfy { $0.target.domain == .zone })
    #expect(Set(outcome.tried.map(\.at)).isSuperset(of: [.seconds(61), .seconds(810)]))
    let small = ScenarioRunner(
      try SmallCluster.document(SmallCluster.text, ["duration=4m", "fidelity=flow"]), threads: 2)
    let one = try WorstLoss(runner: small, rounds: 2).run(peaks: nil)
    #expect(one.worstOfEach.map(\.target.domain) == [.zone])
  }
}
