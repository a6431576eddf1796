import Primitives

/// What an active health checker wants done.
public protocol HealthCheckerEffects {
  /// Ask a member whether it is well. The answer must carry the question's number.
  mutating func probe(_ member: Int, question: UInt64)
  /// A member is taken for healthy from now on, or no longer.
  mutating func isHealthy(_ member: Int, _ isHealthy: Bool)
  /// Call `wake` at this instant of the checker's clock; replaces the wish before.
  mutating func wakeHealthChecker(at instant: Instant)
}

/// Asks its members at an interval whether they are well, and believes what it hears several times
/// in a row.
///
/// A member is unhealthy after so many failures in a row and healthy after so many successes. A
/// success that is its first answer is enough. (Envoy's `health_checking.rst` and Kubernetes'
/// probes; published.) No answer within the time-out is a failure; an answer after it says nothing.
/// A member has one question open at a time.
public struct HealthChecker: Sendable {
  /// Defaults: published, Kubernetes' probes.
  public struct Rules: Sendable, Equatable {
    /// From one question to the next.
    public var interval = Nanoseconds.seconds(10)
    /// Precondition: not longer than the interval.
    public var timeout = Nanoseconds.seconds(1)
    public var healthyThreshold = 1
    public var unhealthyThreshold = 3

    public init() {}
  }

  private struct Member: Sendable {
    var isPresent = false
    var isHealthy = false
    var isKnown = false
    /// Answers in a row that contradict what the member is taken for.
    var against = 0
    /// The question that is open; 0: none.
    var question: UInt64 = 0
  }

  private struct Due: Sendable {
    var member: Int
    var question: UInt64
  }

  public let rules: Rules
  private var members: [Member] = []
  private var questions: UInt64 = 0
  /// Both in the order of asking, since each runs out after a fixed time. A `Due` of the first
  /// names the question after which the next one comes.
  private var asked = DeadlineRing<Due>()
  private var open = DeadlineRing<Due>()
  /// By member, the latest question, which tells the current `Due` from those before a removal.
  private var latest: [UInt64] = []

  public init(_ rules: Rules = Rules()) {
    precondition(
      rules.timeout <= rules.interval && rules.timeout > .zero, "a time-out within the interval")
    precondition(rules.healthyThreshold > 0 && rules.unhealthyThreshold > 0, "thresholds from 1")
    self.rules = rules
  }

  public func isHealthy(_ member: Int) -> Bool {
    members.indices.contains(member) && members[member].isHealthy
  }

  /// Begins to ask a member, at once.
  ///
  /// - Parameter isHealthy: what it is taken for until it has answered.
  public mutating func add(
    _ member: Int, isHealthy: Bool = false, at now: Instant,
    into effects: inout some HealthCheckerEffects
  ) {
    while members.count <= member {
      members.append(Member())
      latest.append(0)
    }
    guard !members[member].isPresent else { return }
    members[member] = Member(isPresent: true, isHealthy: isHealthy)
    ask(member, at: now, into: &effects)
    rearm(into: &effects)
  }

  public mutating func remove(_ member: Int) {
    guard members.indices.contains(member) else { return }
    members[member] = Member()
    latest[member] = 0
  }

  /// An answer: well or not. O(1).
  public mutating func answered(
    _ member: Int, question: UInt64, isWell: Bool, at now: Instant,
    into effects: inout some HealthCheckerEffects
  ) {
    guard question != 0, members.indices.contains(member), members[member].question == question
    else { return }
    members[member].question = 0
    hear(member, isWell: isWell, into: &effects)
  }

  /// The alarm: what was not answered in time failed, and who is due is asked. O(what is due).
  public mutating func wake(at now: Instant, into effects: inout some HealthCheckerEffects) {
    while let (due, at) = open.first, at + rules.timeout <= now || !isOpen(due) {
      open.removeFirst()
      guard isOpen(due) else { continue }
      members[due.member].question = 0
      hear(due.member, isWell: false, into: &effects)
    }
    while let (due, at) = asked.first, at + rules.interval <= now || !isLatest(due) {
      asked.removeFirst()
      if isLatest(due) { ask(due.member, at: now, into: &effects) }
    }
    rearm(into: &effects)
  }

  public borrowing func clone() -> Self { copy self }

  private func isOpen(_ due: Due) -> Bool { members[due.member].question == due.question }
  private func isLatest(_ due: Due) -> Bool { latest[due.member] == due.question }

  private mutating func ask(
    _ member: Int, at now: Instant, into effects: inout some HealthCheckerEffects
  ) {
    questions += 1
    members[member].question = questions
    latest[member] = questions
    let due = Due(member: member, question: questions)
    asked.append(due, at: now)
    open.append(due, at: now)
    effects.probe(member, question: questions)
  }

  private mutating func hear(
    _ index: Int, isWell: Bool, into effects: inout some HealthCheckerEffects
  ) {
    let isFirst = !members[index].isKnown
    members[index].isKnown = true
    guard isWell != members[index].isHealthy else {
      members[index].against = 0
      return
    }
    members[index].against += 1
    let threshold = isWell ? rules.healthyThreshold : rules.unhealthyThreshold
    guard isFirst && isWell || members[index].against >= threshold else { return }
    members[index].isHealthy = isWell
    members[index].against = 0
    effects.isHealthy(index, isWell)
  }

  private mutating func rearm(into effects: inout some HealthCheckerEffects) {
    while let (due, _) = open.first, !isOpen(due) { open.removeFirst() }
    while let (due, _) = asked.first, !isLatest(due) { asked.removeFirst() }
    let timeout = open.first.map { $0.at + rules.timeout } ?? .distantFuture
    let question = asked.first.map { $0.at + rules.interval } ?? .distantFuture
    let next = min(timeout, question)
    if next < .distantFuture { effects.wakeHealthChecker(at: next) }
  }
}
