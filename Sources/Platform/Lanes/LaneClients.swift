import ControlPlane
import Primitives
import SimulationKernel

/// The clients of a lane: who waits for an answer and until when, and who will try again.
///
/// An attempt has a record as long as the platform or its client knows of it. A client that has
/// left is answered all the same: the platform works for nobody.
///
/// The law that holds: requests that came have been answered, have been given up, or are open.
struct LaneClients: Sendable {
  struct Call: BitwiseCopyable, Sendable {
    var retry: ClientRetry
    var began: Instant
    /// When its client leaves; an alarm for another instant is not for this attempt.
    var deadline: Instant
    /// Its client has left; the platform has ended it without its client's knowing.
    var isLeft = false
    var isGone = false
  }

  let rules: ClientConfiguration
  private(set) var calls = Slots<Call>()
  private var deadlines = DeadlineRing<UInt32>()
  private var budget: WindowRetryBudget?
  /// Requests whose client waits for an answer or will try again.
  private(set) var open = 0

  init(_ rules: ClientConfiguration, at now: Instant) {
    self.rules = rules
    budget = rules.makeBudget(at: now)
  }

  /// Goes on from flow: those whose attempts are under way follow one by one.
  init(_ carried: FlowClients) {
    rules = carried.rules
    budget = carried.budget
    open = carried.open
  }

  /// The same as counts, but for those who will try again. O(calls).
  func held(at now: Instant) -> FlowClients {
    var carried = FlowClients(rules, at: now)
    carried.budget = budget
    calls.visitAll { call in
      guard call.deadline > .origin, !call.isLeft else { return }
      carried.resume(
        1, attempts: Int(call.retry.attempts) - 1, first: call.retry.first, at: call.began)
      guard call.isGone else { return }
      let began = call.began.nanoseconds
      carried.expect(WaitLedger.Cohort(from: began, to: began, count: 1))
    }
    return carried
  }

  /// A request comes for the first time.
  mutating func begin(_ retry: ClientRetry, at now: Instant) -> UInt32 {
    open += 1
    budget?.deposit(at: now)
    return attempt(retry, at: now)
  }

  /// A client that had left another lane will try again here.
  mutating func takeOver(_ retry: ClientRetry) { open += retry.count }

  /// A client tries again elsewhere.
  mutating func handOver(_ retry: ClientRetry) { open -= retry.count }

  /// An attempt begins; its record's number.
  mutating func attempt(_ retry: ClientRetry, at now: Instant) -> UInt32 {
    var retry = retry
    retry.attempts += 1
    let deadline = rules.timeout.map { now + $0 } ?? .distantFuture
    let number = calls.put(Call(retry: retry, began: now, deadline: deadline))
    if rules.timeout != nil { deadlines.append(number, at: deadline) }
    return number
  }

  /// An attempt that came from flow. Those that somebody waits for have alarms after
  /// `restoreDeadlines`.
  mutating func restore(
    _ retry: ClientRetry, since arrival: Instant, isLeft: Bool = false, isGone: Bool = false,
    at now: Instant
  ) -> UInt32 {
    var retry = retry
    retry.attempts += 1
    let deadline = rules.timeout.map { max(now, arrival + $0) } ?? .distantFuture
    return calls.put(
      Call(retry: retry, began: arrival, deadline: deadline, isLeft: isLeft, isGone: isGone))
  }

  /// Sets the alarms of all attempts that somebody waits for. O(n log n) in the attempts.
  mutating func restoreDeadlines() {
    guard rules.timeout != nil else { return }
    let heard = calls.slots.filter { !calls[$0].isLeft && calls[$0].deadline > .origin }
    deadlines = DeadlineRing()
    for number in heard.sorted(by: {
      (calls[$0].deadline, $0) < (calls[$1].deadline, $1)
    }) {
      deadlines.append(number, at: calls[number].deadline)
    }
  }

  /// The platform has answered: since when its client has waited; nil when it has left.
  mutating func answered(_ number: UInt32) -> Instant? {
    let call = close(number)
    guard !call.isLeft else { return nil }
    open -= 1
    return call.retry.first
  }

  /// The platform has failed an attempt and its client hears of it; nil when it has left.
  mutating func failed(_ number: UInt32) -> ClientRetry? {
    let call = close(number)
    return call.isLeft ? nil : call.retry
  }

  /// An attempt is there no more and nobody tells its client, who waits for its time-out, where it
  /// has one; else as `failed`.
  mutating func vanished(_ number: UInt32) -> ClientRetry? {
    guard rules.timeout != nil, !calls[number].isLeft else { return failed(number) }
    calls.update(number) { $0.isGone = true }
    return nil
  }

  /// When a client is next to leave; nil: nobody is.
  mutating func nextDeadline() -> Instant? {
    while let (number, at) = deadlines.first {
      if calls[number].deadline == at, !calls[number].isLeft { return at }
      deadlines.removeFirst()
    }
    return nil
  }

  /// Takes out the clients that leave now.
  mutating func leave(at now: Instant, _ body: (ClientRetry) -> Void) {
    while let at = nextDeadline(), at <= now, let (number, _) = deadlines.first {
      deadlines.removeFirst()
      let call = calls[number]
      if call.isGone { _ = close(number) } else { calls.update(number) { $0.isLeft = true } }
      body(call.retry)
    }
  }

  /// How long a client waits before it tries again; nil: it gives its request up.
  mutating func wait(before retry: ClientRetry, key: StreamKey, at now: Instant) -> Nanoseconds? {
    let attempt = Int(retry.attempts)
    guard attempt <= rules.retries, budget?.withdraw(at: now) != false else {
      open -= 1
      return nil
    }
    var bits = key.appending(UInt64(attempt)).stream(retry.identity)
    return rules.backoff.delay(attempt: attempt - 1, from: &bits)
  }

  private mutating func close(_ number: UInt32) -> Call {
    let call = calls.take(number)
    // The slot keeps its value until it is used again: no alarm is for it, and nobody is there.
    calls.update(number) { $0.deadline = .origin }
    return call
  }
}
