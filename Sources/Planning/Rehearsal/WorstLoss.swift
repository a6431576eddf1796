import Platform
import Primitives
import Scenario
import Simulation

/// Looks for the loss that hurts most: of which domain, when, and for how long.
///
/// The search is in the first replication, at a fidelity of its own and up to ten minutes after the
/// domain is back, so that it is affordable where all of that is not; what it finds, up to four
/// losses of each kind of domain, is then carried out at the scenario's fidelity in all its
/// replications, up to half an hour after, of each as long, and that is what is judged: of those
/// the worst is one that misses an objective over all replications, where there is any.
///
/// First every domain at times spread evenly over what is judged. Then, for the worst of each kind
/// of domain, half the distance to either side, again and again, down to a minute; then outages of
/// a quarter to four times the length. A search that goes uphill finds *a* worst case near the
/// worst of the first round, and not with certainty the worst of all. Kinds are looked at by
/// themselves, since a region is worse than its zones at any time.
public struct WorstLoss: Sendable {
  public let runner: ScenarioRunner
  public let domains: [LossTarget.Domain]
  /// Times of the first round.
  public let rounds: Int
  /// At which is searched.
  public let fidelity: String

  /// What a loss has done is counted so far after its end while it is looked for (assumed).
  public static let searchedAfterwards = Nanoseconds.seconds(600)

  /// - Parameters:
  ///   - domains: kinds that the scenario does not have are left out.
  ///   - fidelity: of the search, `flow` where the model has it for the scenario; nil: `flow`, or
  ///     the scenario's where its processors are exact.
  public init(
    runner: ScenarioRunner, domains: [LossTarget.Domain] = LossTarget.Domain.allCases,
    rounds: Int = 12, fidelity: String? = nil
  ) {
    self.runner = runner
    self.domains = domains
    self.rounds = max(2, rounds)
    let isExact = runner.document.contention == "exact"
    self.fidelity = fidelity ?? (isExact ? runner.document.fidelity : "flow")
  }

  public struct Outcome: Sendable {
    /// What was searched, in one replication, the worst first.
    public var tried: [LossTrial]
    /// What was found, over all replications at the scenario's fidelity, the worst first.
    public var confirmed: [LossTrial]
    public var executed: UInt64

    public var worst: LossTrial? { confirmed.first }

    /// The worst of each kind of domain, the smallest kind first.
    public var worstOfEach: [LossTrial] {
      LossTarget.Domain.allCases.compactMap { domain in
        confirmed.first { $0.target.domain == domain }
      }
    }
  }

  private static let finest = Nanoseconds.seconds(60)

  /// When a domain may be lost: after the warm-up, and so that as much can be judged of any loss as
  /// of another, where at least half of the time is left by that; else so that half of an outage
  /// is. Precondition: the run is longer than its warm-up by some seconds.
  private var span: (first: Int64, last: Int64, isWhole: Bool) {
    let outage = DomainLosses(runner: runner).outage
    let first = max(2, runner.document.warmup.count / 1_000_000_000 + 1)
    func last(_ after: Nanoseconds) -> Int64 {
      (runner.document.duration - after).count / 1_000_000_000
    }
    // Something must be left to judge.
    let latest = max(first, last(max(outage / 2, runner.document.seriesInterval)))
    let whole = last(outage + Self.searchedAfterwards)
    let isWhole = 2 * (whole - first) >= latest - first && whole > first
    return (first, isWhole ? whole : latest, isWhole)
  }

  /// Whether all losses are looked for that are judged over the same time after their end, and no
  /// others.
  public var isWhole: Bool { span.isWhole }

  /// The times of the first round: whole seconds, ascending, none twice.
  public var times: [Instant] {
    let (first, last, _) = span
    let all = (0..<rounds).map { first + (last - first) * Int64($0) / Int64(rounds - 1) }
    return Set(all).sorted().map { .seconds($0) }
  }

  /// - Throws: `InvariantViolation`.
  public func run(peaks: [PoolKey: Int]?) throws -> Outcome {
    let losses = DomainLosses(
      runner: runner.at(fidelity: fidelity), afterwards: Self.searchedAfterwards)
    let trunk = losses.trunk(0, peaks: peaks)
    let targets = domains.flatMap { LossTarget.all($0, of: trunk.simulation.whole) }
    var search = Search(losses: losses, threads: runner.threads)
    let all = targets.map { DomainLosses.Loss(target: $0, outage: losses.outage) }
    for time in times {
      try trunk.advance(to: losses.parting(time), interruption: runner.interruption)
      search.forks.append(trunk.fork())
      try search.lose([(time, all)])
      if isInterrupted { break }
    }
    for domain in domains {
      try refine(&search, domain)
      try stretch(&search, domain)
    }
    let ranked = search.ranked
    let found = domains.flatMap { Self.finalists(of: $0, ranked, apart: losses.outage) }
    let own = DomainLosses(runner: runner, afterwards: judgedAfterwards(found))
    let (confirmed, executed) = try confirm(found, own, peaks: peaks)
    return Outcome(
      tried: ranked, confirmed: Self.ranked(confirmed),
      executed: search.executed + trunk.executed + executed)
  }

  /// For so long after their end losses are judged in the end: half an hour, or as long as can be
  /// of each where all were searched over the same time.
  private func judgedAfterwards(_ found: [LossTrial]) -> Nanoseconds {
    let ends = found.map { $0.at + $0.outage }
    guard isWhole, let latest = ends.max() else { return DomainLosses.longest }
    let left = .origin + runner.document.duration - latest
    return max(Self.searchedAfterwards, min(DomainLosses.longest, left))
  }

  private var isInterrupted: Bool { runner.interruption?.isInterrupted == true }

  /// The same losses in all replications at the scenario's fidelity; none where somebody has asked
  /// for an end.
  private func confirm(
    _ found: [LossTrial], _ losses: DomainLosses, peaks: [PoolKey: Int]?
  ) throws -> (trials: [LossTrial], executed: UInt64) {
    let count = runner.document.replications
    let inOrder = found.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element)
    let inner = max(1, runner.threads / count)
    let all = try Parallel.map(count, threads: runner.threads) { replication in
      let trunk = losses.trunk(replication, peaks: peaks)
      var results: [LossReplication] = []
      var executed: UInt64 = 0
      for trial in inOrder where runner.interruption?.isInterrupted != true {
        try trunk.advance(to: losses.parting(trial.at), interruption: runner.interruption)
        let order = DomainLosses.Order(
          at: trial.at, losses: [.init(target: trial.target, outage: trial.outage)], base: trunk)
        let one = try losses.lose([order], threads: inner)
        results += one.results.map(\.outcome)
        executed += one.executed
      }
      return (results: results, executed: executed + trunk.executed)
    }
    let executed = all.reduce(0) { $0 + $1.executed }
    guard !isInterrupted else { return ([], executed) }
    let trials = inOrder.indices.map { index in
      losses.trial(
        .init(target: inOrder[index].target, outage: inOrder[index].outage),
        at: inOrder[index].at, all.map { $0.results[index] })
    }
    return (trials, executed)
  }

  /// Closer to the worst time, from both sides.
  private func refine(_ search: inout Search, _ domain: LossTarget.Domain) throws {
    guard times.count > 1 else { return }
    var step = (times[1] - times[0]) / 2
    let (first, last, _) = span
    while step >= Self.finest, let worst = search.worst(domain), !isInterrupted {
      let seconds = [worst.at - step, worst.at + step].map { $0.nanoseconds / 1_000_000_000 }
      let loss = DomainLosses.Loss(target: worst.target, outage: worst.outage)
      try search.lose(
        seconds.filter((first...last).contains).map { (Instant.seconds($0), [loss]) })
      step = step / 2
    }
  }

  private func stretch(_ search: inout Search, _ domain: LossTarget.Domain) throws {
    guard let worst = search.worst(domain), !isInterrupted else { return }
    let lengths = ([(1, 4), (1, 2), (2, 1), (4, 1)] as [(Int64, Int64)]).map {
      max(.seconds(1), worst.outage * $0 / $1)
    }
    // Longer ones than the run are all the same.
    let some = lengths.filter { worst.at + $0 < .origin + runner.document.duration }
    try search.lose([(worst.at, some.map { .init(target: worst.target, outage: $0) })])
  }

  /// What was tried so far, and forks of the calm run to try more from.
  private struct Search {
    let losses: DomainLosses
    let threads: Int
    var executed: UInt64 = 0
    /// By time.
    var forks: [Run] = []
    var trials: [LossTrial] = []

    init(losses: DomainLosses, threads: Int) {
      self.losses = losses
      self.threads = threads
    }

    var ranked: [LossTrial] { WorstLoss.ranked(trials) }

    func worst(_ domain: LossTarget.Domain) -> LossTrial? {
      ranked.first { $0.target.domain == domain }
    }

    mutating func lose(_ some: [(at: Instant, losses: [DomainLosses.Loss])]) throws {
      let orders = some.compactMap { at, some -> DomainLosses.Order? in
        let parting = losses.parting(at)
        guard let near = forks.last(where: { $0.simulation.now <= parting }) ?? forks.first else {
          return nil
        }
        return DomainLosses.Order(at: at, losses: some, base: near.fork())
      }
      let found = try losses.lose(orders, threads: threads)
      executed += found.executed
      trials += found.results.map { losses.trial($0.loss, at: $0.at, [$0.outcome]) }
    }
  }
}
