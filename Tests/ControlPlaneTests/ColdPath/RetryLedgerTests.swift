import ControlPlane
import Primitives
import Testing

@Suite struct RetryLedgerTests {
  private let rules = RetryRules(
    timeout: .milliseconds(500), pollInterval: .seconds(30), attempts: 3)

  private func due(
    _ ledger: inout RetryLedger<Int>, at now: Instant
  ) -> (again: Int, given: [Int]) {
    var again = 0
    var given: [Int] = []
    ledger.repeatDue(at: now) { _, _ in
      again += 1
    } giveUp: { key, _ in
      given.append(key)
    }
    return (again, given)
  }

  @Test func whatIsNotAnsweredIsSentAgainAndThenGivenUp() {
    var ledger = RetryLedger<Int>(rules)
    ledger.open(7, .readTokens, to: .etcd, at: .origin)
    #expect(ledger.nextDue() == .milliseconds(500))
    #expect(due(&ledger, at: .milliseconds(499)) == (0, []))
    #expect(due(&ledger, at: .milliseconds(500)) == (1, []))
    #expect(ledger.nextDue() == .milliseconds(1000))
    #expect(due(&ledger, at: .milliseconds(1000)) == (1, []))
    #expect(due(&ledger, at: .milliseconds(1500)) == (0, [7]))
    #expect(ledger.count == 0)
    #expect(ledger.nextDue() == nil)
  }

  @Test func whatIsAnsweredIsForgotten() {
    var ledger = RetryLedger<Int>(rules)
    for key in 0..<100 { ledger.open(key, .readTokens, to: .etcd, at: .milliseconds(Int64(key))) }
    for key in 0..<99 { #expect(ledger.close(key)) }
    #expect(!ledger.close(5))
    #expect(ledger.nextDue() == .milliseconds(599))
    #expect(due(&ledger, at: .seconds(1)) == (1, []))
  }

  /// An accepted message is asked for at longer intervals, and the answer to each question sets its
  /// attempts back.
  @Test func whatIsAcceptedIsPolled() {
    var ledger = RetryLedger<Int>(rules)
    ledger.open(1, .readTokens, to: .etcd, at: .origin)
    ledger.accept(1, at: .milliseconds(100))
    #expect(due(&ledger, at: .seconds(30)) == (0, []))
    for round in 1...5 {
      let poll = Instant.milliseconds(Int64(30_000 * round) + 100)
      #expect(ledger.nextDue() == poll)
      #expect(due(&ledger, at: poll) == (1, []))
      ledger.accept(1, at: poll)
    }
    #expect(ledger.contains(1))
  }

  @Test func messagesCanBeForgottenByTheirContents() {
    var ledger = RetryLedger<Int>(rules)
    ledger.open(1, .readTokens, to: .etcd, at: .origin)
    ledger.open(2, .claimed(pod: PodID(3)), to: .kubernetes, at: .origin)
    ledger.forget { if case .claimed = $0 { true } else { false } }
    #expect(ledger.contains(1))
    #expect(!ledger.contains(2))
  }
}
