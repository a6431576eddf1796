import ControlPlane
import Primitives
import Testing

/// A worker process gives out its own memory, and no more than it has.
@Suite struct HostProcessTests {
  @Test func memoryIsGivenAndComesBack() {
    var host = HostProcess(memoryBytes: 100, moduleCacheBytes: 50)
    let begun = [(1, 60), (2, 40), (3, 1)].map { host.begin(PodID($0), bytes: Int64($1)) }
    #expect(begun == [true, true, false] && host.freeBytes == 0)
    let ended = [3, 1, 1].map { host.end(PodID($0)) }
    #expect(ended == [false, true, false])
    #expect(host.freeBytes == 60 && host.isolateCount == 1)
    let again = host.begin(PodID(2), bytes: 10)
    #expect(!again, "it is there already")
  }

  @Test func modulesAreKeptByBytes() {
    var host = HostProcess(memoryBytes: 0, moduleCacheBytes: 50)
    func uses(_ services: [Int]) -> [Bool] { services.map { host.useModule(ServiceID($0)) } }
    #expect(uses([1]) == [false])
    host.keepModule(ServiceID(1), bytes: 30)
    host.keepModule(ServiceID(2), bytes: 20)
    #expect(uses([1]) == [true])
    // The one used longest ago goes.
    host.keepModule(ServiceID(3), bytes: 20)
    #expect(uses([1, 2, 3]) == [true, false, true])
    host.keepModule(ServiceID(4), bytes: 51)
    #expect(uses([4]) == [false])
  }

  /// An agent begins one isolate for a start, however often it is asked; a full process refuses.
  @Test func aStartIsGivenOneIsolate() {
    var agent = HostAgent(
      node: NodeID(0), zone: ZoneID(0), cacheBytes: 1000,
      retry: RetryRules(timeout: .seconds(1), pollInterval: .seconds(30)))
    agent.addHost(PodID(7), memoryBytes: 100, moduleCacheBytes: 100)
    agent.prefill(ServiceID(0), bytes: 10, host: PodID(7))
    var log = EffectLog()
    func start(_ ordinal: UInt32) -> StartRequest {
      StartRequest(
        service: ServiceID(0), lane: LaneID(0), part: 0, pool: PoolID(0), ordinal: ordinal)
    }
    func ask(_ ordinal: UInt32, as pod: Int?) {
      agent.startIsolate(
        start(ordinal), as: pod.map { PodID($0) }, on: PodID(7), bytes: 60,
        for: Address(.workerManager, 0), at: .seconds(1), into: &log)
    }
    #expect(agent.wouldBegin(start(1), on: PodID(7), bytes: 60))
    ask(1, as: 8)
    #expect(!agent.wouldBegin(start(1), on: PodID(7), bytes: 60))
    ask(1, as: nil)
    #expect(agent.processes[PodID(7)]?.isolateCount == 1)
    #expect(log.initialised.map(\.pod) == [PodID(8)] && log.initialised.map(\.code) == [.module])
    #expect(!agent.wouldBegin(start(2), on: PodID(7), bytes: 60))
    ask(2, as: nil)
    #expect(agent.processes[PodID(7)]?.usedBytes == 60 && log.initialised.count == 1)
    agent.forget(PodID(8))
    #expect(agent.processes[PodID(7)]?.usedBytes == 0)
    #expect(agent.wouldBegin(start(1), on: PodID(7), bytes: 60))
  }
}
