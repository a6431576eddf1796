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
    let result1 = ledger.nextDue()
    #expect(result1 == .milliseconds(500))
    let result2 = due(&ledger, at: .milliseconds(499))
    #expect(result2 == (0, []))
    let result3 = due(&ledger, at: .milliseconds(500))
    #expect(result3 == (1, []))
    let result4 = ledger.nextDue()
    #expect(result4 == .milliseconds(1000))
    let result5 = due(&ledger, at: .milliseconds(1000))
    #expect(result5 == (1, []))
    let result6 = due(&ledger, at: .milliseconds(1500))
    #expect(result6 == (0, [7]))
    #expect(ledger.count == 0)
    let result7 = ledger.nextDue()
    #expect(result7 == nil)
  }

  @Test func whatIsAnsweredIsForgotten() {
    var ledger = RetryLedger<Int>(rules)
    for key in 0..<100 { ledger.open(key, .readTokens, to: .etcd, at: .milliseconds(Int64(key))) }
    for key in 0..<99 {
      let result8 = ledger.close(key)
      #expect(result8)
    }
    let result9 = ledger.close(5)
    #expect(!result9)
    let result10 = ledger.nextDue()
    #expect(result10 == .milliseconds(599))
    let result11 = due(&ledger, at: .seconds(1))
    #expect(result11 == (1, []))
  }

  /// An accepted message is asked for at longer intervals, and the answer to each question sets its
  /// attempts back.
  @Test func whatIsAcceptedIsPolled() {
    var ledger = RetryLedger<Int>(rules)
    ledger.open(1, .readTokens, to: .etcd, at: .origin)
    ledger.accept(1, at: .milliseconds(100))
    let result12 = due(&ledger, at: .seconds(30))
    #expect(result12 == (0, []))
    for round in 1...5 {
      let poll = Instant.milliseconds(Int64(30_000 * round) + 100)
      let result13 = ledger.nextDue()
      #expect(result13 == poll)
      let result14 = due(&ledger, at: poll)
      #expect(result14 == (1, []))
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
