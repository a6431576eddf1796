import ControlPlane
import Primitives
import Testing

@Suite struct HostAgentTests {
  private let retry = RetryRules(
    timeout: .milliseconds(500), pollInterval: .seconds(30), attempts: 5)

  private func agent(cacheBytes: Int64 = 100) -> HostAgent {
    HostAgent(node: NodeID(2), zone: ZoneID(0), cacheBytes: cacheBytes, retry: retry)
  }

  private func load(
    _ agent: inout HostAgent, _ ordinal: Int, pod: Int, bytes: Int64 = 10, at now: Instant,
    _ log: inout EffectLog
  ) {
    agent.handle(
      .loadCode(.test(ordinal), pod: PodID(pod), node: NodeID(2), manager: 3), codeBytes: bytes,
      at: now, into: &log)
  }

  private func fetches(_ log: inout EffectLog) -> Int {
    log.take().count { if case .fetchCode = $0.message { true } else { false } }
  }

  @Test func theFirstClaimCounts() {
    var log = EffectLog()
    var agent = agent()
    agent.prefill(ServiceID(0), bytes: 10)
    load(&agent, 0, pod: 1, at: .origin, &log)
    load(&agent, 0, pod: 1, at: .origin, &log)
    #expect(log.initialised.count == 1, "a repetition begins nothing")
    let answers = log.take().count { if case .loading = $0.message { true } else { false } }
    #expect(answers == 2, "and is answered")
    load(&agent, 1, pod: 1, at: .origin, &log)
    #expect(log.take().contains { if case .loadRefused = $0.message { true } else { false } })
    agent.forget(PodID(1))
    #expect(!agent.hasClaim(on: PodID(1)))
  }

  @Test func startsShareADownload() {
    var log = EffectLog()
    var agent = agent()
    load(&agent, 0, pod: 1, at: .origin, &log)
    load(&agent, 1, pod: 2, at: .origin, &log)
    #expect(fetches(&log) == 1)
    agent.handle(
      .codeFetched(service: ServiceID(0), .zone), codeBytes: 10, at: .seconds(1), into: &log)
    #expect(log.initialised.map(\.pod) == [PodID(1), PodID(2)])
    #expect(log.initialised.allSatisfy { $0.code == .zone })
    load(&agent, 2, pod: 3, at: .seconds(2), &log)
    #expect(log.initialised.last?.code == .node)
    #expect(agent.hits == 1)
  }

  @Test func codeIsKeptLeastRecentlyUsedAndNotBeyondTheCache() {
    var cache = ByteCache(capacityBytes: 25)
    cache.insert(1, bytes: 10)
    cache.insert(2, bytes: 10)
    let result1 = cache.use(1)
    #expect(result1)
    cache.insert(3, bytes: 10)
    #expect(cache.contains(1) && !cache.contains(2) && cache.contains(3))
    cache.insert(4, bytes: 26)
    #expect(!cache.contains(4) && cache.usedBytes == 20)
  }

  @Test func aLostDownloadAndALostReportAreRepeated() {
    var log = EffectLog()
    var agent = agent()
    load(&agent, 0, pod: 1, at: .origin, &log)
    #expect(fetches(&log) == 1)
    agent.wake(at: .milliseconds(500), into: &log)
    #expect(fetches(&log) == 1)
    agent.handle(
      .fetching(service: ServiceID(0)), codeBytes: 10, at: .milliseconds(600), into: &log)
    agent.wake(at: .seconds(2), into: &log)
    #expect(fetches(&log) == 0, "it is on its way")
    agent.initialised(.test(0), pod: PodID(1), at: .seconds(3), into: &log)
    agent.wake(at: .milliseconds(3_500), into: &log)
    let reports = log.take().count { if case .loaded = $0.message { true } else { false } }
    #expect(reports == 2)
    agent.handle(.registered(pod: PodID(1)), codeBytes: 0, at: .seconds(4), into: &log)
    agent.wake(at: .seconds(9), into: &log)
    #expect(log.take().isEmpty)
  }

  /// A Dispatcher that confirms nothing, however often it is told, is not there: the next in the
  /// service's order is told, and after the last the first again.
  @Test func whatADispatcherDoesNotConfirmGoesToTheNext() {
    var log = EffectLog()
    var agent = HostAgent(
      node: NodeID(2), zone: ZoneID(0), cacheBytes: 100, retry: retry, dispatchers: [[2, 0, 1]])
    agent.prefill(ServiceID(0), bytes: 10)
    load(&agent, 0, pod: 1, at: .origin, &log)
    _ = log.take()
    agent.initialised(.test(0, dispatcher: 0), pod: PodID(1), at: .origin, into: &log)
    for half in 1...16 { agent.wake(at: .milliseconds(Int64(half) * 500), into: &log) }
    let told = log.take().compactMap { sent -> Int? in
      guard case .loaded(let start, _, _) = sent.message else { return nil }
      #expect(sent.to == Address(.dispatcher, Int(start.dispatcher)))
      return Int(start.dispatcher)
    }
    #expect(
      told == Array(repeating: 0, count: 5) + Array(repeating: 1, count: 5)
        + Array(repeating: 2, count: 5) + [0, 0])
  }

  /// Code is in the zone's cache when its download has ended, not when it began.
  @Test func aZoneHasCodeWhenItHasArrived() {
    var zone = ZoneCodeCache(cacheBytes: 100)
    let result2 = zone.fetch(ServiceID(1))
    #expect(result2 == .origin)
    let result3 = zone.fetch(ServiceID(1))
    #expect(result3 == .origin)
    zone.store(ServiceID(1), bytes: 10)
    let result4 = zone.fetch(ServiceID(1))
    #expect(result4 == .zone)
    #expect(zone.hits == 1 && zone.misses == 2)
  }
}
