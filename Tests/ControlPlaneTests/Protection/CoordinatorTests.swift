import ControlPlane
import Primitives
import Testing

@Suite struct CoordinatorTests {
  private struct Log: CoordinatorEffects, Equatable {
    struct Order: Equatable {
      var pod: PodID
      var number: UInt32
    }

    var orders: [Order] = []
    var drained: [PodID] = []
    var alarm = Instant.distantFuture

    mutating func orderReplacement(of pod: PodID, service: ServiceID, order: UInt32) {
      orders.append(Order(pod: pod, number: order))
    }
    mutating func drain(_ pod: PodID, service: ServiceID) { drained.append(pod) }
    mutating func wakeCoordinator(at instant: Instant) { alarm = instant }
  }

  private let service = ServiceID(3)

  private func report(_ ejections: Int) -> BreakReport {
    BreakReport(
      cause: .consecutiveErrors, ejections: ejections,
      lasts: BreakerRules().ejectionTime(ejections))
  }

  private func say(
    _ coordinator: inout Coordinator, _ pod: Int, by caller: Int, _ ejections: Int = 1,
    at seconds: Int64, _ log: inout Log
  ) {
    coordinator.reported(
      PodID(pod), of: service, by: caller, report(ejections), at: .seconds(seconds), into: &log)
  }

  @Test func orderComesBeforeDrain() {
    var coordinator = Coordinator()
    var log = Log()
    say(&coordinator, 7, by: 0, 1, at: 0, &log)
    say(&coordinator, 7, by: 0, 2, at: 35, &log)
    #expect(log.orders.isEmpty)
    say(&coordinator, 7, by: 0, 3, at: 100, &log)
    #expect(log.orders == [.init(pod: PodID(7), number: 1)] && log.drained.isEmpty)
    coordinator.replacementReady(order: 9, at: .seconds(103), into: &log)
    #expect(log.drained.isEmpty, "another's order")
    coordinator.replacementReady(order: 1, at: .seconds(104), into: &log)
    coordinator.replacementReady(order: 1, at: .seconds(105), into: &log)
    #expect(log.drained == [PodID(7)])
    #expect(coordinator.underWay(service) == 1 && coordinator.migrations == 0)
    coordinator.gone(PodID(7), at: .seconds(110), into: &log)
    #expect(coordinator.underWay(service) == 0 && coordinator.migrations == 1)
    #expect(coordinator.watched == 0)
  }

  @Test func whatMakesABreakALongOne() {
    var coordinator = Coordinator()
    var log = Log()
    coordinator.counted(service, instances: 40, at: .origin, into: &log)
    // Three callers.
    say(&coordinator, 1, by: 4, at: 0, &log)
    say(&coordinator, 1, by: 2, at: 1, &log)
    say(&coordinator, 1, by: 2, at: 2, &log)
    #expect(log.orders.isEmpty, "the same caller twice")
    say(&coordinator, 1, by: 9, at: 3, &log)
    #expect(log.orders.map(\.pod) == [PodID(1)])
    // Time: broken since 10 s without an end.
    say(&coordinator, 2, by: 0, 1, at: 10, &log)
    say(&coordinator, 2, by: 0, 2, at: 45, &log)
    coordinator.wake(at: .seconds(129), into: &log)
    #expect(!log.orders.contains { $0.pod == PodID(2) })
    coordinator.wake(at: .seconds(130), into: &log)
    #expect(log.orders.contains { $0.pod == PodID(2) })
  }

  @Test func aBreakThatEndsOrOfWhichNothingIsHeardIsForgotten() {
    var coordinator = Coordinator()
    var log = Log()
    say(&coordinator, 1, by: 0, at: 0, &log)
    say(&coordinator, 1, by: 1, at: 0, &log)
    coordinator.restored(PodID(1), by: 0)
    say(&coordinator, 1, by: 2, at: 5, &log)
    #expect(log.orders.isEmpty, "two of three at a time")
    // Their ends were lost: 30 s and 30 s more.
    say(&coordinator, 1, by: 5, at: 66, &log)
    #expect(log.orders.isEmpty)
    coordinator.wake(at: .seconds(300), into: &log)
    #expect(coordinator.watched == 0 && log.orders.isEmpty)
  }

  @Test func whatIsNotAnsweredIsSaidAgain() {
    var coordinator = Coordinator()
    var log = Log()
    say(&coordinator, 1, by: 0, 3, at: 0, &log)
    for second in stride(from: Int64(10), through: 30, by: 10) {
      #expect(log.alarm == .seconds(second))
      coordinator.wake(at: .seconds(second), into: &log)
    }
    #expect(log.orders == Array(repeating: .init(pod: PodID(1), number: 1), count: 4))
    coordinator.replacementReady(order: 1, at: .seconds(35), into: &log)
    coordinator.wake(at: .seconds(40), into: &log)
    #expect(log.drained.count == 1)
    coordinator.wake(at: .seconds(45), into: &log)
    #expect(log.drained.count == 2 && log.orders.count == 4)
  }

  @Test func migrationsStayWithinTheirBudget() {
    var rules = MigrationRules()
    rules.mostPerService = 3
    #expect(rules.most(instances: 0) == 1 && rules.most(instances: 9) == 1)
    #expect(rules.most(instances: 20) == 2 && rules.most(instances: 1000) == 3)
    var coordinator = Coordinator(rules)
    var log = Log()
    for pod in 0..<6 { say(&coordinator, pod, by: 0, 3, at: 0, &log) }
    #expect(log.orders.map(\.pod) == [PodID(0)], "nothing is known of the service")
    coordinator.counted(service, instances: 40, at: .seconds(1), into: &log)
    #expect(log.orders.map(\.pod) == [0, 1, 2].map(PodID.init))
    coordinator.restored(PodID(3), by: 0)
    coordinator.gone(PodID(1), at: .seconds(2), into: &log)
    #expect(log.orders.last?.pod == PodID(4), "3 has recovered")
    coordinator.restored(PodID(0), by: 0)
    coordinator.replacementReady(order: 1, at: .seconds(3), into: &log)
    #expect(log.drained == [PodID(0)], "what is ordered goes on")
  }

  /// A world that loses and repeats messages: never above the budget, and everything broken is
  /// replaced in the end.
  @Test func nothingIsForgottenWhenMessagesAreLost() {
    var bits = Xoshiro256PlusPlus(seed: 31)
    func isLost() -> Bool { bits.integer(below: 3) == 0 }
    var coordinator = Coordinator()
    var log = Log()
    var (seenOrders, seenDrains) = (0, 0)
    var orderedAt: [UInt32: Int64] = [:]
    var leaving: Set<Int> = []
    var goneSaid: Set<Int> = []
    coordinator.counted(service, instances: 25, at: .origin, into: &log)
    let broken = 20
    for second in Int64(0)..<2000 {
      let now = Instant.seconds(second)
      if second % 30 == 0 {
        for pod in 0..<broken where !leaving.contains(pod) && !isLost() {
          say(&coordinator, pod, by: 0, 3, at: second, &log)
        }
      }
      if log.alarm <= now {
        log.alarm = .distantFuture
        coordinator.wake(at: now, into: &log)
      }
      for order in log.orders[seenOrders...] where !isLost() {
        orderedAt[order.number] = orderedAt[order.number] ?? second
        if !isLost(), second > (orderedAt[order.number] ?? second) {
          coordinator.replacementReady(order: order.number, at: now, into: &log)
        }
      }
      seenOrders = log.orders.count
      for pod in log.drained[seenDrains...] where !isLost() {
        leaving.insert(pod.index)
        if !isLost() {
          goneSaid.insert(pod.index)
          coordinator.gone(pod, at: now, into: &log)
        }
      }
      seenDrains = log.drained.count
      #expect(coordinator.underWay(service) <= 2)
    }
    #expect(leaving == Set(0..<broken) && goneSaid == leaving)
    #expect(coordinator.watched == 0 && coordinator.migrations == broken)
    #expect(Set(log.orders.map(\.number)).count == broken, "one order for each")
  }

  @Test func aForkGoesOnInTheSameWay() {
    var coordinator = Coordinator()
    var log = Log()
    for pod in 0..<5 { say(&coordinator, pod, by: 0, 3, at: Int64(pod), &log) }
    var fork = coordinator.clone()
    var other = log
    coordinator.gone(PodID(0), at: .seconds(9), into: &log)
    #expect(log != other && fork.underWay(service) == coordinator.underWay(service))
    fork.gone(PodID(0), at: .seconds(9), into: &other)
    #expect(log == other)
  }
}
