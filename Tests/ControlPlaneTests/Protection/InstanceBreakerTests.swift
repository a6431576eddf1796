import ControlPlane
import Primitives
import Testing

@Suite struct InstanceBreakerTests {
  private func breaker(_ rules: BreakerRules, _ count: Int) -> InstanceBreaker {
    var breaker = InstanceBreaker(rules)
    for index in 0..<count { breaker.add(InstanceSlot(index)) }
    return breaker
  }

  private func call(
    _ breaker: inout InstanceBreaker, _ slot: Int, _ outcome: CallOutcome, times: Int = 1,
    latency: Nanoseconds = .milliseconds(10), at now: Instant = .origin, _ log: inout BreakerLog
  ) {
    for _ in 0..<times {
      breaker.record(InstanceSlot(slot), outcome, latency: latency, at: now, into: &log)
    }
  }

  private var free: BreakerRules {
    var rules = BreakerRules()
    rules.maxEjectionPercent = 100
    return rules
  }

  // MARK: Rules by the call

  @Test func errorsInARowBreakAndASuccessForgetsThem() {
    var breaker = breaker(free, 2)
    var log = BreakerLog()
    call(&breaker, 0, .error, times: 4, &log)
    call(&breaker, 0, .success, &log)
    call(&breaker, 0, .error, times: 4, &log)
    #expect(log.out.isEmpty)
    call(&breaker, 0, .gatewayError, &log)
    #expect(log.out == [0])
    #expect(log.reports == [.init(cause: .consecutiveErrors, ejections: 1, lasts: .seconds(30))])
    // What was under way still ends, and says nothing.
    call(&breaker, 0, .error, times: 20, &log)
    let ejected = breaker.ejectedCount
    #expect(log.reports.count == 1 && ejected == 1)
  }

  @Test func gatewayErrorsInARowAreOnesWithoutOthersBetween() {
    var rules = free
    rules.enforcesConsecutiveGatewayErrors = true
    rules.consecutiveGatewayErrors = 3
    var breaker = breaker(rules, 2)
    var log = BreakerLog()
    call(&breaker, 0, .gatewayError, times: 2, &log)
    call(&breaker, 0, .error, &log)
    call(&breaker, 0, .gatewayError, &log)
    #expect(log.out.isEmpty)
    call(&breaker, 1, .gatewayError, times: 3, &log)
    #expect(log.reports.map(\.cause) == [.consecutiveGatewayErrors])
  }

  // MARK: Rules by the interval

  @Test func aFailurePercentageBreaksOnlyWithEnoughCallsAndInstances() {
    var rules = free
    rules.enforcesConsecutiveErrors = false
    rules.enforcesSuccessRate = false
    rules.enforcesFailurePercentage = true
    for (instances, calls, isBroken) in [(5, 50, true), (4, 50, false), (5, 49, false)] {
      var breaker = breaker(rules, instances)
      var log = BreakerLog()
      for index in 0..<instances { call(&breaker, index, .success, times: calls * 3 / 20, &log) }
      // 85 % of 50 are 42.5.
      call(&breaker, 0, .error, times: calls - calls * 3 / 20, &log)
      for index in 1..<instances {
        call(&breaker, index, .success, times: calls - calls * 3 / 20, &log)
      }
      breaker.endInterval(at: .seconds(10), into: &log)
      #expect(log.reports.map(\.cause) == (isBroken ? [.failurePercentage] : []))
    }
  }

  @Test func theSlowestAreBrokenAgainstTheMedianOfTheOthers() {
    var rules = free
    rules.slownessPercent = 300
    func broken(_ means: [Int64], percentage: Int = 100) -> [Int] {
      rules.maxEjectionPercent = percentage
      var breaker = breaker(rules, means.count)
      var log = BreakerLog()
      for (index, mean) in means.enumerated() {
        call(&breaker, index, .success, times: 20, latency: .milliseconds(mean), &log)
      }
      breaker.endInterval(at: .seconds(10), into: &log)
      #expect(log.reports.allSatisfy { $0.cause == .slowness })
      return log.out.sorted()
    }
    #expect(broken([10, 10, 10, 10, 31]) == [4])
    #expect(broken([10, 10, 10, 10, 30]) == [], "three times is not above it")
    #expect(broken([10, 10, 10, 31]) == [], "four are too few")
    #expect(broken([100, 10, 10, 10, 40, 50]) == [0, 4, 5])
    #expect(broken([100, 10, 10, 10, 40, 50], percentage: 20) == [0], "the slowest first")
  }

  @Test func theMedianOfTheOthersIsTheMedianOfTheOthers() {
    var bits = Xoshiro256PlusPlus(seed: 21)
    for _ in 0..<500 {
      let count = 2 + Int(bits.integer(below: 9))
      let values = (0..<count).map { _ in Int64(bits.integer(below: 20)) }.sorted()
      for index in values.indices {
        var others = values
        others.remove(at: index)
        let middle = others.count / 2
        let expected =
          others.count % 2 == 1 ? others[middle] : (others[middle - 1] + others[middle]) / 2
        #expect(OutlierStatistics.median(of: values, without: index) == expected)
      }
    }
  }

  @Test func countersBeginAnewAndOnlyWhatWasTouchedIsLookedAt() {
    var breaker = breaker(free, 6)
    var log = BreakerLog()
    var isActive = breaker.isActive
    #expect(!isActive)
    for index in 0..<6 { call(&breaker, index, .success, times: 60, &log) }
    call(&breaker, 0, .error, times: 4, &log)
    isActive = breaker.isActive
    #expect(isActive)
    breaker.endInterval(at: .seconds(10), into: &log)
    isActive = breaker.isActive
    #expect(!isActive, "nobody is ejected and nobody was called since")
    // 60 and 60 are 120 calls, but of two intervals.
    for index in 0..<6 { call(&breaker, index, index == 0 ? .gatewayError : .success, &log) }
    #expect(log.reports.map(\.cause) == [.consecutiveErrors], "in a row, across the interval")
  }

  // MARK: The way back

  @Test func aTrialDecides() {
    var breaker = breaker(free, 3)
    var log = BreakerLog()
    let slot = InstanceSlot(1)
    call(&breaker, 1, .error, times: 5, at: .seconds(3), &log)
    breaker.endInterval(at: .seconds(30), into: &log)
    let early = breaker.beginTrial(slot)
    #expect(!early && log.tried.isEmpty, "27 s are not 30")
    breaker.endInterval(at: .seconds(40), into: &log)
    #expect(log.tried == [1])
    #expect(breaker[slot].state == .halfOpen && breaker.ejectedCount == 1)
    let first = breaker.beginTrial(slot)
    let second = breaker.beginTrial(slot)
    #expect(first && !second, "one call")
    // A call from before the ejection ends well: it is no trial.
    call(&breaker, 1, .success, at: .seconds(41), &log)
    #expect(breaker[slot].state == .trying)
    breaker.endTrial(slot, .gatewayError, at: .seconds(42), into: &log)
    #expect(log.reports.last == .init(cause: .trial, ejections: 2, lasts: .seconds(60)))
    breaker.endInterval(at: .seconds(100), into: &log)
    #expect(log.tried == [1])
    breaker.endInterval(at: .seconds(110), into: &log)
    #expect(log.tried == [1, 1])
    _ = breaker.beginTrial(slot)
    breaker.endTrial(slot, .success, at: .seconds(111), into: &log)
    #expect(log.restored == [1] && breaker.isClosed(slot) && breaker.ejectedCount == 0)
    // One of the two ejections is forgotten at the end of each interval without.
    breaker.endInterval(at: .seconds(120), into: &log)
    #expect(breaker[slot].ejections == 2, "9 s are not an interval")
    breaker.endInterval(at: .seconds(130), into: &log)
    #expect(breaker[slot].ejections == 1 && breaker.isActive)
    breaker.endInterval(at: .seconds(140), into: &log)
    #expect(breaker[slot].ejections == 0 && !breaker.isActive)
  }

  // MARK: Counts

  /// All sequences of up to twelve calls.
  @Test(arguments: [1, 2, 3, 5])
  func chancesOfRunsAreThoseOfAllSequences(length: Int) {
    for calls in 0...12 {
      for chance in [0.0, 0.1, 0.5, 0.93, 1] {
        var expected = 0.0
        for sequence in 0..<(1 << calls) {
          var run = 0
          var longest = 0
          var weight = 1.0
          for call in 0..<calls {
            let isFailure = sequence >> call & 1 == 1
            weight *= isFailure ? chance : 1 - chance
            run = isFailure ? run + 1 : 0
            longest = max(longest, run)
          }
          if longest >= length { expected += weight }
        }
        let found = OutlierStatistics.chanceOfRun(
          of: length, calls: calls, failureChance: chance)
        #expect(abs(found - expected) < 1e-12)
      }
    }
    #expect(OutlierStatistics.chanceOfRun(of: 5, calls: 1_000_000, failureChance: 0.5) == 1)
  }

  /// Counts are judged at the end of an interval as calls one by one.
  @Test func countsAreJudgedAsCalls() {
    var bits = Xoshiro256PlusPlus(seed: 51)
    var rules = free
    rules.enforcesConsecutiveErrors = false
    rules.enforcesFailurePercentage = true
    rules.slownessPercent = 250
    var single = breaker(rules, 12)
    var counted = breaker(rules, 12)
    var (first, second) = (BreakerLog(), BreakerLog())
    for interval in Int64(1)...200 {
      let now = Instant.seconds(interval * 10)
      for slot in 0..<12 {
        let calls = CallCounts(
          successes: Int(bits.integer(below: 150)),
          failures: bits.integer(below: 4) == 0 ? Int(bits.integer(below: 200)) : 0,
          latencySum: .zero)
        let latency = Nanoseconds.milliseconds(1 + Int64(bits.integer(below: 6)))
        call(&single, slot, .error, times: calls.failures, latency: latency, at: now, &first)
        call(&single, slot, .success, times: calls.successes, latency: latency, at: now, &first)
        var sum = calls
        sum.latencySum = latency * Int64(calls.successes + calls.failures)
        counted.record(InstanceSlot(slot), sum, hadRun: false, at: now, into: &second)
      }
      single.endInterval(at: now, into: &first)
      counted.endInterval(at: now, into: &second)
      for slot in first.tried {
        if single.beginTrial(InstanceSlot(slot)) {
          single.endTrial(InstanceSlot(slot), .success, at: now, into: &first)
        }
        if counted.beginTrial(InstanceSlot(slot)) {
          counted.endTrial(InstanceSlot(slot), .success, at: now, into: &second)
        }
      }
      first.tried = []
    }
    #expect(first.reports == second.reports && first.restored == second.restored)
    #expect(first.out == second.out && Set(first.reports.map(\.cause)).count == 3)
  }

  @Test func aRunOfFailuresBreaksAtOnce() {
    var breaker = breaker(free, 3)
    var log = BreakerLog()
    func record(_ slot: Int, _ successes: Int, _ failures: Int, _ hadRun: Bool) {
      breaker.record(
        InstanceSlot(slot),
        CallCounts(successes: successes, failures: failures, latencySum: .zero),
        hadRun: hadRun, at: .origin, into: &log)
    }
    record(0, 5, 5, false)
    record(1, 0, 3, false)
    #expect(log.out.isEmpty)
    record(1, 0, 2, false)
    record(2, 9, 9, true)
    #expect(log.out == [1, 2] && log.reports.allSatisfy { $0.cause == .consecutiveErrors })
  }

  // MARK: Properties

  private enum Step {
    case call(Int, CallOutcome, Int64)
    case interval
    case trial(Int, CallOutcome)
    case add(Int)
    case remove(Int)
  }

  private func step(_ bits: inout Xoshiro256PlusPlus, _ slots: Int) -> Step {
    let slot = Int(bits.integer(below: UInt64(slots)))
    // Slots of higher numbers fail more often, and some are slow.
    let isBad = Int(bits.integer(below: UInt64(slots))) < slot
    let outcome: CallOutcome = isBad ? (bits.next() & 1 == 0 ? .error : .gatewayError) : .success
    switch bits.integer(below: 1000) {
    case 0..<2: return .add(slot)
    case 2..<3: return .remove(slot)
    case 3..<4: return .interval
    case 4..<30: return .trial(slot, outcome)
    default:
      let latency = 1 + Int64(bits.integer(below: 100))
      return .call(slot, outcome, slot % 5 == 0 ? 2 * latency : latency)
    }
  }

  private func apply(
    _ step: Step, to breaker: inout InstanceBreaker, at now: Instant, _ log: inout BreakerLog
  ) {
    switch step {
    case .call(let slot, let outcome, let latency):
      guard breaker[InstanceSlot(slot)].state != .absent else { return }
      breaker.record(
        InstanceSlot(slot), outcome, latency: .milliseconds(latency), at: now, into: &log)
    case .interval: breaker.endInterval(at: now, into: &log)
    case .trial(let slot, let outcome):
      if breaker.beginTrial(InstanceSlot(slot)) {
        breaker.endTrial(InstanceSlot(slot), outcome, at: now, into: &log)
      }
    case .add(let slot):
      if breaker[InstanceSlot(slot)].state == .absent { breaker.add(InstanceSlot(slot)) }
    case .remove(let slot):
      breaker.remove(InstanceSlot(slot))
      log.out.remove(slot)
    }
  }

  @Test(arguments: [0, 10, 25, 50, 100], [false, true])
  func neverEjectsAboveTheCap(percent: Int, always: Bool) {
    var rules = BreakerRules()
    rules.maxEjectionPercent = percent
    rules.alwaysEjectsOne = always
    rules.slownessPercent = 150
    rules.enforcesFailurePercentage = true
    rules.enforcesConsecutiveGatewayErrors = true
    rules.consecutiveErrors = 40
    rules.consecutiveGatewayErrors = 8
    rules.successRateMinRequests = 45
    rules.successRateFactorMilli = 1000
    rules.failurePercentageMinRequests = 20
    var bits = Xoshiro256PlusPlus(seed: UInt64(percent))
    var breaker = breaker(rules, 24)
    var log = BreakerLog()
    var seen = 0
    for count in 0..<80_000 {
      let now = Instant.milliseconds(Int64(count) * 12)
      let reports = log.reports.count
      let before = breaker.ejectedCount
      apply(step(&bits, 24), to: &breaker, at: now, &log)
      #expect(breaker.ejectedCount == log.out.count)
      // The cap is of those that are there when one is ejected.
      if log.reports.count > reports, breaker.ejectedCount > before {
        seen += 1
        let isWithin = 100 * breaker.ejectedCount <= percent * breaker.count
        #expect(isWithin || always && breaker.ejectedCount == 1)
      }
    }
    #expect(percent == 0 && !always ? seen == 0 : seen > 0)
    let causes = BreakCause.allCases.map { cause in log.reports.count { $0.cause == cause } }
    #expect(percent < 100 || causes.allSatisfy { $0 > 0 }, "each rule ejects somebody: \(causes)")
  }

  @Test func aForkGoesOnInTheSameWay() {
    var bits = Xoshiro256PlusPlus(seed: 77)
    var breaker = breaker(free, 12)
    var log = BreakerLog()
    for count in 0..<20_000 {
      apply(step(&bits, 12), to: &breaker, at: .milliseconds(Int64(count) * 20), &log)
    }
    var fork = breaker.clone()
    var other = log
    var again = bits
    for count in 20_000..<40_000 {
      apply(step(&bits, 12), to: &breaker, at: .milliseconds(Int64(count) * 20), &log)
    }
    #expect(fork.ejectedCount != breaker.ejectedCount || other.reports != log.reports)
    for count in 20_000..<40_000 {
      apply(step(&again, 12), to: &fork, at: .milliseconds(Int64(count) * 20), &other)
    }
    #expect(log.reports == other.reports && log.restored == other.restored)
    #expect(log.reports.count > 20)
  }

  /// The order of the first calls of an interval decides nothing.
  @Test func whoIsCalledFirstDoesNotMatter() {
    func reports(_ order: [Int]) -> [Int] {
      var rules = BreakerRules()
      rules.maxEjectionPercent = 20
      rules.enforcesConsecutiveErrors = false
      rules.successRateFactorMilli = 500
      var breaker = breaker(rules, 10)
      var log = BreakerLog()
      for index in order {
        call(&breaker, index, index < 4 ? .error : .success, times: 60, &log)
        call(&breaker, index, .success, times: 40, &log)
      }
      breaker.endInterval(at: .seconds(10), into: &log)
      return log.out.sorted()
    }
    #expect(reports(Array(0..<10)) == [0, 1])
    #expect(reports(Array((0..<10).reversed())) == [0, 1])
  }
}
