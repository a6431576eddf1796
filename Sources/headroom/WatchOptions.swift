import ArgumentParser
import Planning
import Platform
import Primitives
import Reporting
import ResultStore
import Scenario
import Simulation

/// Which part of a stored run is simulated again to be watched.
struct WatchOptions: ParsableArguments {
  @Argument(
    help: "A results file of `headroom run`, or of `headroom rehearse`: its runs with the faults.")
  var results: String

  @Option(help: "Which replication, from 1.")
  var replication = 1

  @Option(help: "Where trace files are looked for; default: where the run found them.")
  var data: String?

  @Option(help: "Where several clusters have the service: which, as in north/online.")
  var cluster: String?

  @Flag(help: "Print the summary as JSON.")
  var json = false
}

/// A stored run that is to be watched.
struct WatchedResults {
  let repeated: StoredRunAgain
  let replication: Int
  let meter: ProgressMeter
  /// But for the sizes of pools that a first pass finds.
  let configuration: ClusterConfiguration
  /// Its place among the clusters, and those that are simulated: it alone, since clusters share
  /// nothing, or all of its region, where these have services in common.
  private let place: Int
  private let members: Range<Int>
  private let runner: ScenarioRunner
  /// The same at its beginning: what comes is known of it already.
  private let preview: Run
  private let options: WatchOptions
  private let peaks = PeaksOnce()
  private let calmPast = CalmPast()

  var file: String { options.results }
  /// As the options say.
  var cluster: String? { options.cluster }
  var scenario: LoadedScenario { repeated.scenario }
  /// Up to where it was simulated.
  var duration: Nanoseconds {
    let document = scenario.document
    return repeated.isRehearsal ? document.rehearsed.upperBound : document.duration
  }

  /// - Parameter service: whose cluster it is about; nil: there is only one.
  init(_ options: WatchOptions, service: String?) throws {
    self.options = options
    repeated = try StoredRunAgain(options.results, data: options.data)
    replication = options.replication - 1
    let replication = replication
    guard repeated.runs.contains(where: { $0.replication == replication }) else {
      // A rehearsal has two runs of each.
      let numbers = Set(repeated.runs.map(\.replication)).sorted()
      let there = numbers.map { String($0 + 1) }.joined(separator: ", ")
      throw CommandFailure(
        .usage, "HR3054",
        "`\(options.results)` has no replication \(options.replication) that came to its end",
        help: "one of \(there)")
    }
    let document = repeated.scenario.document
    let needsPeaks = ScenarioRunner(document, threads: 1).needsPeaks
    meter = ProgressMeter(
      needsPeaks ? "first pass for the peaks" : "the run again, up to the window",
      total: document.duration.seconds * (needsPeaks ? 2 : 1))
    runner = ScenarioRunner(
      document, traces: repeated.scenario.traces, threads: 1, interruption: meter)
    let platform = runner.mapping.platform(replication: replication, peaks: nil)
    let place = try Self.place(of: service, in: platform, cluster: options.cluster)
    self.place = place
    members = platform.members(sharingWith: place)
    configuration = platform.clusters[place]
    preview = Self.run(platform, members, place, replication)
  }

  /// A run of the cluster, and of those that it has to do with.
  private static func run(
    _ platform: PlatformConfiguration, _ members: Range<Int>, _ place: Int, _ replication: Int
  ) -> Run {
    let run = Run(platform.part(members), replication: replication, keepsMinutes: false)
    run.focus = place - members.lowerBound
    return run
  }

  private static func place(
    of service: String?, in platform: PlatformConfiguration, cluster: String?
  ) throws(CommandFailure) -> Int {
    let paths = platform.parts.map(\.path)
    if let cluster, !paths.contains(cluster) {
      throw CommandFailure(
        .usage, "HR3057", "there is no cluster `\(cluster)`",
        help: ScenarioReader.hint(cluster, in: paths) ?? "one of \(paths.joined(separator: ", "))")
    }
    guard platform.clusters.count > 1 else { return 0 }
    let asked = platform.clusters.indices.filter { index in
      let hasService = platform.clusters[index].services.contains { $0.name == service }
      return (cluster == nil || paths[index] == cluster) && (service == nil || hasService)
    }
    if asked.count == 1 { return asked[0] }
    guard let service else {
      throw CommandFailure(
        .usage, "HR3057", "there are \(platform.clusters.count) clusters",
        help: "say whose it is about: --service NAME or --cluster NAME")
    }
    guard asked.isEmpty else {
      let some = asked.map { paths[$0] }.joined(separator: " or ")
      throw CommandFailure(
        .usage, "HR3057", "`\(service)` is in \(asked.count) clusters",
        help: "say which it is about: --cluster \(some)")
    }
    guard let cluster, platform.whole.services.contains(where: { $0.name == service }) else {
      throw unknown(service, among: platform.whole)
    }
    throw CommandFailure(
      .usage, "HR3057", "`\(service)` is not in `\(cluster)`", help: "leave --cluster out")
  }

  private static func divided(_ window: Range<Instant>, _ parting: Instant) -> CommandFailure {
    func text(_ instant: Instant) -> String { "\(TextForm.number((instant - .origin).seconds))s" }
    return CommandFailure(
      .usage, "HR3062",
      "the runs of the rehearsal part at \(text(parting)), within the window: up to there it is "
        + "the calm run",
      help: "watch \(text(window.lowerBound))..\(text(parting)) and "
        + "\(text(parting))..\(text(window.upperBound)) one after the other")
  }

  private static func unknown(
    _ name: String, among configuration: ClusterConfiguration
  ) -> CommandFailure {
    CommandFailure(
      .usage, "HR3051", "there is no service `\(name)` in the scenario",
      help: ScenarioReader.hint(name, in: configuration.services.map(\.name))
        ?? "services are named in the table `services` of the results")
  }

  /// The run at its beginning, after the first pass that its pools may need, and its end. Of a
  /// rehearsal, where it has got its faults; of a window before that the end is there.
  ///
  /// - Parameter early: lanes that are made requests before it has got its faults; `made` counts
  ///   those that could be.
  func begin(
    before window: Range<Instant>, early: [LaneID] = []
  ) throws -> (run: Run, end: Instant, made: Int) {
    let end = Instant.origin + duration
    guard runner.needsPeaks || repeated.isRehearsal else { return (preview, end, 0) }
    let first = repeated.isRehearsal ? runner.calm() : runner
    let peaks = runner.needsPeaks ? try self.peaks.value { try first.peaks() } : nil
    meter.say("the run again, up to the window")
    let platform = runner.mapping.platform(replication: replication, peaks: peaks)
    guard repeated.isRehearsal else {
      return (Self.run(platform, members, place, replication), end, 0)
    }
    var calm = platform
    let faults = Array(calm.takeFaults()[members])
    let parting = RehearsalStudy(runner: runner, replications: 1).parting
    guard window.lowerBound >= parting else {
      guard window.upperBound <= parting else { throw Self.divided(window, parting) }
      return (Self.run(calm, members, place, replication), parting, 0)
    }
    let run = try calmPast.take(before: parting, of: scenario.document, meter) {
      Self.run(calm, members, place, replication)
    }
    let made =
      early.isEmpty
      ? 0
      : try WatchedRun.makeRequests(of: early, in: run, before: parting, interruption: meter)
    try run.advance(to: parting, interruption: meter)
    if faults.contains(where: { !$0.isEmpty }) { run.arm(faults) }
    return (run, end, made)
  }

  func service(_ name: String) throws(CommandFailure) -> ServiceID {
    if let index = configuration.services.firstIndex(where: { $0.name == name }) {
      return ServiceID(index)
    }
    throw Self.unknown(name, among: configuration)
  }

  /// Whether other clusters of the region have the service too.
  func isSpread(_ service: ServiceID) -> Bool {
    configuration.services[service.index].spread != nil
  }

  func index(of service: ServiceID) -> InvocationIndex {
    InvocationIndex(preview.cluster, service, duration: duration)
  }

  func lanes(_ run: Run, of service: ServiceID) -> [LaneID] {
    run.cluster.lanes(of: service).map { LaneID($0) }
  }

  func window(_ text: String, option: String) throws(CommandFailure) -> Range<Instant> {
    func bad(_ what: String) -> CommandFailure {
      CommandFailure(
        .usage, "HR3053", "\(option) `\(text)`: \(what)",
        help: "two times within the run's \(TextForm.time(seconds: duration.seconds)), for example "
          + "90s..95s or 1h2m..1h3m; 0 is the run's beginning")
    }
    guard let dots = text.firstRange(of: "..") else { throw bad("it has no `..`") }
    let ends = [text[..<dots.lowerBound], text[dots.upperBound...]]
    let bounds = ends.compactMap { ScenarioReader.nanoseconds(String($0)) }
    guard bounds.count == 2 else { throw bad("its ends are no times") }
    guard bounds[0] < bounds[1] else { throw bad("it ends before it begins") }
    guard bounds[1] <= duration.count else { throw bad("the run ends before it") }
    return Instant(nanoseconds: bounds[0])..<Instant(nanoseconds: bounds[1])
  }

  /// What the run has told of the cluster within a window.
  func events(in window: Range<Instant>) throws(StoreError) -> [EventRow] {
    let stored = repeated.runs.last { $0.replication == replication }
    return try ResultReader(path: options.results).rows(
      EventRow.self, of: stored?.id ?? replication + 1
    ).filter {
      $0.time < window.upperBound && ($0.until ?? $0.time) >= window.lowerBound
        && $0.kind != "left_out"
    }
  }

  /// Refuses a window with too many invocations before anything is simulated.
  func checkCount(_ count: Int, most: Int) throws(CommandFailure) {
    guard count > most else { return }
    throw CommandFailure(
      .usage, "HR3055",
      "\(TextForm.grouped(count)) invocations come within the window, more than "
        + TextForm.grouped(most),
      help: "a shorter window, one --service, or a greater --limit")
  }

  /// A word on lanes that were not single requests in the run.
  func notes(_ watched: WatchedRun) -> [String] {
    var notes: [String] = []
    if watched.represented > 0 {
      notes.append(
        "\(watched.represented) of \(watched.lanes.count) lanes were flow in the run and are "
          + "requests here from shortly before the window on: single invocations are "
          + "representative, and are not those of the run")
    }
    if watched.unseen > 0 {
      notes.append(
        "\(watched.unseen) lanes awaited answers all the time before the window, or were away, and "
          + "could not be made requests: their invocations are counted and not shown")
    }
    return notes
  }

  /// The summary of a command that watches.
  func summary(_ command: String, notes: [String]) -> Summary {
    var summary = Summary(command: command, scenario, repeated.options)
    summary["replications"] = JSONValue(scenario.document.replications)
    summary["results"] = .string(options.results)
    summary["again"] = .string(ShellWords.text(CommandLine.arguments))
    summary["notes"] = JSONValue(scenario.notes + notes)
    return summary
  }
}

/// The calm past of a rehearsal, to a minute before its faults: lanes of which it turns out in the
/// window that they should have been made requests before these begin anew from there.
private final class CalmPast {
  private var spare: Run?

  func take(
    before parting: Instant, of document: ScenarioDocument, _ meter: ProgressMeter,
    _ make: () -> Run
  ) throws -> Run {
    if let spare {
      self.spare = nil
      return spare
    }
    let run = make()
    let branch = parting - WatchedRun.earlyLead
    guard document.fidelity != Fidelity.request.rawValue, run.cluster.now < branch else {
      return run
    }
    try run.advance(to: branch, interruption: meter)
    spare = run.fork()
    return run
  }
}

/// The outcome of a first pass, which is made once however often the run is begun.
private final class PeaksOnce {
  private var peaks: [PoolKey: Int]?

  func value(_ make: () throws -> [PoolKey: Int]?) rethrows -> [PoolKey: Int]? {
    if peaks == nil { peaks = try make() }
    return peaks
  }
}
