import Platform
import Primitives
import Scenario
import Simulation

/// Looks for the loss that hurts most: of which domain, when, and for how long.
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

  /// - Parameter domains: kinds that the scenario does not have are left out.
  public init(
    runner: ScenarioRunner, domains: [LossTarget.Domain] = LossTarget.Domain.allCases,
    rounds: Int = 12
  ) {
    self.runner = runner
    self.domains = domains
    self.rounds = max(2, rounds)
  }

  public struct Outcome: Sendable {
    /// The worst first.
    public var trials: [LossTrial]
    public var executed: UInt64

    public var worst: LossTrial? { trials.first }

    /// The worst of each kind of domain, the smallest kind first.
    public var worstOfEach: [LossTrial] {
      LossTarget.Domain.allCases.compactMap { domain in
        trials.first { $0.target.domain == domain }
      }
    }
  }

  private static let finest = Nanoseconds.seconds(60)

  /// When a domain may be lost: after the warm-up, and so that half of an outage is left.
  /// Precondition: the run is longer than its warm-up by some seconds.
  private var span: (first: Int64, last: Int64) {
    let outage = DomainLosses(runner: runner).outage
    let first = max(2, runner.document.warmup.count / 1_000_000_000 + 1)
    // Something must be left to judge.
    let after = max(outage / 2, runner.document.seriesInterval)
    let last = (runner.document.duration - after).count / 1_000_000_000
    return (first, max(first, last))
  }

  /// The times of the first round: whole seconds, ascending, none twice.
  public var times: [Instant] {
    let (first, last) = span
    let all = (0..<rounds).map { first + (last - first) * Int64($0) / Int64(rounds - 1) }
    return Set(all).sorted().map { .seconds($0) }
  }

  /// Runs replication 0.
  ///
  /// - Throws: `InvariantViolation`.
  public func run(peaks: [PoolKey: Int]?) throws -> Outcome {
    let losses = DomainLosses(runner: runner)
    let trunk = losses.trunk(peaks: peaks)
    let targets = domains.flatMap { LossTarget.all($0, of: trunk.simulation.whole) }
    var search = Search(losses: losses, executed: 0)
    for time in times {
      try trunk.advance(
        to: time - Nanoseconds.seconds(1), interruption: runner.interruption)
      search.forks.append(trunk.fork())
      try search.lose(targets, at: time, outage: losses.outage)
      if isInterrupted { break }
    }
    for domain in domains {
      try refine(&search, domain)
      try stretch(&search, domain)
    }
    return Outcome(trials: search.ranked, executed: search.executed + trunk.executed)
  }

  private var isInterrupted: Bool { runner.interruption?.isInterrupted == true }

  /// Closer to the worst time, from both sides.
  private func refine(_ search: inout Search, _ domain: LossTarget.Domain) throws {
    guard times.count > 1 else { return }
    var step = (times[1] - times[0]) / 2
    let (first, last) = span
    while step >= Self.finest, let worst = search.worst(domain), !isInterrupted {
      for time in [worst.at - step, worst.at + step] {
        let second = time.nanoseconds / 1_000_000_000
        guard (first...last).contains(second) else { continue }
        try search.lose([worst.target], at: .seconds(second), outage: worst.outage)
      }
      step = step / 2
    }
  }

  private func stretch(_ search: inout Search, _ domain: LossTarget.Domain) throws {
    guard let worst = search.worst(domain) else { return }
    for (numerator, denominator) in [(1, 4), (1, 2), (2, 1), (4, 1)] as [(Int64, Int64)] {
      guard !isInterrupted else { return }
      let outage = max(.seconds(1), worst.outage * numerator / denominator)
      // Longer ones than the run are all the same.
      guard worst.at + outage < .origin + runner.document.duration else { continue }
      try search.lose([worst.target], at: worst.at, outage: outage)
    }
  }

  /// What was tried so far, and forks of the calm run to try more from.
  private struct Search {
    let losses: DomainLosses
    var executed: UInt64
    /// By time.
    var forks: [Run] = []
    var trials: [LossTrial] = []

    init(losses: DomainLosses, executed: UInt64) {
      self.losses = losses
      self.executed = executed
    }

    /// Those with the most requests without an answer first; equal ones in the order of trying.
    var ranked: [LossTrial] {
      trials.enumerated().sorted {
        ($1.element.moreBad, $0.offset) < ($0.element.moreBad, $1.offset)
      }.map(\.element)
    }

    func worst(_ domain: LossTarget.Domain) -> LossTrial? {
      ranked.first { $0.target.domain == domain }
    }

    mutating func lose(_ targets: [LossTarget], at time: Instant, outage: Nanoseconds) throws {
      let parting = time - Nanoseconds.seconds(1)
      guard let near = forks.last(where: { $0.simulation.now <= parting }) ?? forks.first else {
        return
      }
      let run = near.fork()
      let before = run.executed
      try run.advance(to: parting, interruption: losses.runner.interruption)
      let found = try losses.lose(targets, at: time, outage: outage, from: run)
      executed += found.executed + (run.executed - before)
      trials += found.trials
    }
  }
}
