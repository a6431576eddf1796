import ControlPlane
import Primitives
import Testing

@Suite struct HealthCheckerTests {
  private struct Log: HealthCheckerEffects, Equatable {
    struct Change: Equatable {
      var member: Int
      var isHealthy: Bool
    }

    struct Probe: Equatable {
      var member: Int
      var question: UInt64
    }

    var probes: [Probe] = []
    var changes: [Change] = []
    var alarm = Instant.distantFuture

    mutating func probe(_ member: Int, question: UInt64) {
      probes.append(.init(member: member, question: question))
    }
    mutating func isHealthy(_ member: Int, _ isHealthy: Bool) {
      changes.append(.init(member: member, isHealthy: isHealthy))
    }
    mutating func wakeHealthChecker(at instant: Instant) { alarm = instant }
  }

  /// Runs until an instant; a member that is up answers after 10 ms.
  private func run(
    _ checker: inout HealthChecker, _ log: inout Log, until end: Instant,
    isUp: (Int, Instant) -> Bool?
  ) {
    var answered = 0
    while log.alarm <= end || answered < log.probes.count {
      while answered < log.probes.count {
        let probe = log.probes[answered]
        answered += 1
        let now = log.alarm < end ? log.alarm - Nanoseconds.milliseconds(990) : end
        if let isWell = isUp(probe.member, now) {
          checker.answered(
            probe.member, question: probe.question, isWell: isWell, at: now, into: &log)
        }
      }
      let now = log.alarm
      guard now <= end else { return }
      log.alarm = .distantFuture
      checker.wake(at: now, into: &log)
    }
  }

  @Test func believesWhatItHearsOftenEnough() {
    var rules = HealthChecker.Rules()
    rules.healthyThreshold = 2
    var checker = HealthChecker(rules)
    var log = Log()
    checker.add(0, at: .origin, into: &log)
    #expect(log.probes == [.init(member: 0, question: 1)])
    // Down from 25 s to 75 s: the probes at 30, 40, 50 s fail, those at 80 and 90 s succeed.
    run(&checker, &log, until: .seconds(51)) { _, now in now < .seconds(25) ? true : nil }
    #expect(log.changes == [.init(member: 0, isHealthy: true), .init(member: 0, isHealthy: false)])
    run(&checker, &log, until: .seconds(85)) { _, now in now > .seconds(75) ? true : nil }
    #expect(log.changes.count == 2, "one answer is not two")
    run(&checker, &log, until: .seconds(95)) { _, now in now > .seconds(75) ? true : nil }
    #expect(log.changes.last == .init(member: 0, isHealthy: true))
    #expect(log.probes.count == 10, "every ten seconds from 0 s")
  }

  @Test func timesAreThoseOfTheRules() {
    var checker = HealthChecker()
    var log = Log()
    checker.add(0, isHealthy: true, at: .seconds(5), into: &log)
    #expect(log.alarm == .seconds(6), "the time-out of the first question")
    checker.wake(at: .seconds(6), into: &log)
    #expect(log.changes.isEmpty, "one failure is not three")
    #expect(log.alarm == .seconds(15))
    checker.wake(at: .seconds(15), into: &log)
    #expect(log.probes.count == 2)
    // An answer to the question before says nothing.
    checker.answered(0, question: 1, isWell: true, at: .seconds(15), into: &log)
    checker.wake(at: .seconds(16), into: &log)
    checker.wake(at: .seconds(25), into: &log)
    #expect(log.changes.isEmpty)
    checker.answered(0, question: 3, isWell: false, at: .seconds(25), into: &log)
    #expect(log.changes == [.init(member: 0, isHealthy: false)])
    checker.answered(0, question: 3, isWell: true, at: .seconds(25), into: &log)
    #expect(!checker.isHealthy(0), "a question has one answer")
  }

  @Test func aFailureBetweenSuccessesIsForgotten() {
    var checker = HealthChecker()
    var log = Log()
    checker.add(0, at: .origin, into: &log)
    for probe in 0..<30 {
      let now = Instant.seconds(Int64(probe) * 10)
      if probe > 0 { checker.wake(at: now, into: &log) }
      checker.answered(
        0, question: UInt64(probe + 1), isWell: probe % 3 == 0, at: now, into: &log)
    }
    #expect(log.changes == [.init(member: 0, isHealthy: true)])
  }

  @Test func whoIsRemovedIsNotAskedAndMayComeAgain() {
    var checker = HealthChecker()
    var log = Log()
    for member in 0..<3 { checker.add(member, at: .seconds(Int64(member)), into: &log) }
    checker.remove(1)
    checker.answered(1, question: 2, isWell: true, at: .seconds(2), into: &log)
    #expect(!checker.isHealthy(1))
    checker.add(1, at: .seconds(4), into: &log)
    var fork = checker.clone()
    var other = log
    for second in 3..<100 { checker.wake(at: .seconds(Int64(second)), into: &log) }
    for second in 3..<100 { fork.wake(at: .seconds(Int64(second)), into: &other) }
    #expect(log == other)
    func count(_ member: Int) -> Int { log.probes.count { $0.member == member } }
    // From 0, 2 and 4 s on every ten seconds, and one before member 1 was removed.
    #expect(count(0) == 10 && count(2) == 10 && count(1) == 11)
    #expect(Set(log.probes.map(\.question)).count == log.probes.count)
  }
}
