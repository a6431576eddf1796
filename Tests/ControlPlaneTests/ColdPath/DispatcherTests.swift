import ControlPlane
import Primitives
import Testing

@Suite struct DispatcherTests {
  /// Three managers, in this order for the one shard.
  private func dispatcher() -> Dispatcher {
    Dispatcher(
      index: 1, rules: DispatcherRules(takeTimeout: .milliseconds(500), takeAttempts: 3),
      candidates: [[2, 0, 1]], shardOfPool: [0])
  }

  private func takes(_ log: inout EffectLog) -> [(manager: UInt32, mayFallBack: Bool)] {
    log.take().compactMap {
      if case .take(_, let mayFallBack) = $0.message { ($0.to.index, mayFallBack) } else { nil }
    }
  }

  private func hold(_ dispatcher: inout Dispatcher, _ holder: Int, _ revision: UInt32) {
    var log = EffectLog()
    dispatcher.handle(
      .token(TokenState(shard: 0, holder: holder, lease: 1, revision: revision)), at: .origin,
      into: &log)
  }

  @Test func theHolderIsAskedFirstAndThenTheOthersInOrder() {
    var log = EffectLog()
    var dispatcher = dispatcher()
    hold(&dispatcher, 0, 1)
    dispatcher.handle(.needInstance(.test(0)), at: .origin, into: &log)
    dispatcher.wake(at: .milliseconds(500), into: &log)
    dispatcher.wake(at: .milliseconds(1000), into: &log)
    let asked = takes(&log)
    #expect(asked.map(\.manager) == [0, 2, 1])
    #expect(asked.map(\.mayFallBack) == [false, true, true])
    dispatcher.wake(at: .milliseconds(1500), into: &log)
    #expect(log.take().contains { if case .startFailed = $0.message { true } else { false } })
  }

  /// A holder that became known after the first question is asked next.
  @Test func aNewHolderIsAsked() {
    var log = EffectLog()
    var dispatcher = dispatcher()
    hold(&dispatcher, 0, 1)
    dispatcher.handle(.needInstance(.test(0)), at: .origin, into: &log)
    hold(&dispatcher, 1, 2)
    dispatcher.handle(.takeRefused(.test(0), .notOwner), at: .milliseconds(1), into: &log)
    #expect(takes(&log).map(\.manager) == [0, 1])
  }

  /// Each question has its own time-out, also when older ones are repeated meanwhile.
  @Test func timeOutsAreExact() {
    var log = EffectLog()
    var dispatcher = dispatcher()
    hold(&dispatcher, 0, 1)
    var repeated: [Int64] = []
    var now = Instant.origin
    var ordinal = 0
    var next = Instant.distantFuture
    // A question every 70 ms; the alarm goes off when it was set for.
    for step in 0..<40 {
      let asks = Instant.milliseconds(Int64(step) * 70)
      while next <= asks {
        now = next
        next = .distantFuture
        dispatcher.wake(at: now, into: &log)
        for (message, _) in log.take() {
          if case .take(let start, _) = message {
            repeated.append(now.nanoseconds / 1_000_000 - Int64(start.ordinal) * 70)
          }
        }
        if let wake = log.wakes.min() { next = wake }
        log.wakes.removeAll()
      }
      now = asks
      dispatcher.handle(.needInstance(.test(ordinal)), at: now, into: &log)
      ordinal += 1
      _ = log.take()
      if let wake = log.wakes.min() { next = min(next, wake) }
      log.wakes.removeAll()
    }
    #expect(repeated.count > 40)
    #expect(repeated.allSatisfy { $0 == 500 || $0 == 1000 })
  }

  @Test func aLateRefusalIsNoFailure() {
    var log = EffectLog()
    var dispatcher = dispatcher()
    dispatcher.handle(.needInstance(.test(0)), at: .origin, into: &log)
    dispatcher.handle(.taken(.test(0), .pool), at: .milliseconds(1), into: &log)
    _ = log.take()
    dispatcher.handle(.takeRefused(.test(0), .notOwner), at: .milliseconds(2), into: &log)
    #expect(!log.take().contains { if case .startFailed = $0.message { true } else { false } })
  }

  /// What was registered is told again to a gateway that asks again, and made only once.
  @Test func aStartThatIsOverIsAnsweredFromTheTable() {
    var log = EffectLog()
    var dispatcher = dispatcher()
    let start = StartRequest.test(4, dispatcher: 1)
    dispatcher.handle(.loaded(start, pod: PodID(6), node: NodeID(0)), at: .origin, into: &log)
    dispatcher.handle(.loaded(start, pod: PodID(6), node: NodeID(0)), at: .origin, into: &log)
    #expect(dispatcher.endpoints(of: ServiceID(0)).count == 1)
    _ = log.take()
    dispatcher.handle(.needInstance(start), at: .seconds(1), into: &log)
    let sent = log.take()
    #expect(sent.contains { if case .instanceReady = $0.message { true } else { false } })
    #expect(!sent.contains { if case .take = $0.message { true } else { false } })
  }

  @Test func newsAreCountedAndOnlyTheAskersOwn() {
    var log = EffectLog()
    var dispatcher = dispatcher()
    for ordinal in 0..<3 {
      dispatcher.handle(
        .loaded(.test(ordinal), pod: PodID(ordinal), node: NodeID(0)), at: .origin, into: &log)
    }
    dispatcher.handle(
      .instanceRetired(service: ServiceID(0), pod: PodID(1), lane: LaneID(0), part: 0),
      at: .seconds(1), into: &log)
    let deleted = log.take().contains {
      if case .deletePod(let pod, _) = $0.message { pod == PodID(1) } else { false }
    }
    #expect(deleted)
    func answer(_ lane: Int, known: UInt32) -> (added: Int, removed: Int, news: Int) {
      dispatcher.handle(
        .resolveRoute(service: ServiceID(0), lane: LaneID(lane), part: 0, knownVersion: known),
        at: .seconds(2), into: &log)
      var result = (added: 0, removed: 0, news: -1)
      for (message, _) in log.take() {
        switch message {
        case .endpointAdded: result.added += 1
        case .endpointRemoved: result.removed += 1
        case .route(_, _, let news, _): result.news = Int(news)
        default: break
        }
      }
      return result
    }
    #expect(answer(0, known: 0) == (2, 1, 3))
    #expect(answer(0, known: 3) == (0, 1, 1))
    #expect(answer(1, known: 0) == (0, 0, 0))
  }

  /// The table against a list that is searched.
  @Test func theTableIsAListThatIsSearched() {
    var table = RouteTable()
    var live: [Int] = []
    var bits = Xoshiro256PlusPlus(seed: 3)
    for pod in 0..<2_000 {
      table.add(PodID(pod), lane: LaneID(pod % 5), part: 0, start: UInt64(pod))
      live.append(pod)
      if live.count > 20 {
        let gone = live.remove(at: Int(bits.integer(below: UInt64(live.count))))
        let result1 = table.remove(PodID(gone))
        #expect(result1)
        let result2 = table.remove(PodID(gone))
        #expect(!result2)
      }
    }
    #expect(table.endpoints.map(\.pod.index) == live)
    for lane in 0..<5 {
      #expect(table.isEmpty(lane: LaneID(lane), part: 0) == !live.contains { $0 % 5 == lane })
    }
    for pod in 0..<2_000 { #expect((table.pod(of: UInt64(pod)) != nil) == live.contains(pod)) }
  }
}
