import ControlPlane
import Primitives

/// What a machine wanted, in order.
struct EffectLog: WorkerManagerEffects, DispatcherEffects, HostAgentEffects {
  struct Sent: Equatable {
    var message: String
    var to: Address
  }

  var messages: [(message: ControlMessage, to: Address)] = []
  var wakes: [Instant] = []
  var served: [(shard: Int, isServing: Bool)] = []
  var alarms: [Bool] = []
  var hits: [Bool] = []
  var targets: [Int] = []
  var initialised: [(pod: PodID, code: CodeLevel)] = []

  mutating func send(_ message: ControlMessage, to address: Address) {
    messages.append((message, address))
  }
  mutating func wakeManager(at instant: Instant) { wakes.append(instant) }
  mutating func wakeDispatcher(at instant: Instant) { wakes.append(instant) }
  mutating func wakeAgent(at instant: Instant) { wakes.append(instant) }
  mutating func alarm(_ pool: PoolID, isRaised: Bool, level: Int, target: Int) {
    alarms.append(isRaised)
  }
  mutating func took(_ pool: PoolID, _ start: StartRequest, isHit: Bool) { hits.append(isHit) }
  mutating func resized(_ pool: PoolID, to target: Int, alarmBelow: Int) {
    targets.append(target)
  }
  mutating func serves(shard: Int, _ isServing: Bool) { served.append((shard, isServing)) }
  mutating func initialise(_ start: StartRequest, pod: PodID, code: CodeLevel) {
    initialised.append((pod, code))
  }

  /// The messages since the last call.
  mutating func take() -> [(message: ControlMessage, to: Address)] {
    defer { messages.removeAll() }
    return messages
  }
}

extension StartRequest {
  static func test(_ ordinal: Int, dispatcher: Int = 0) -> StartRequest {
    var start = StartRequest(
      service: ServiceID(0), lane: LaneID(0), part: 0, pool: PoolID(0), ordinal: UInt32(ordinal))
    start.dispatcher = UInt16(dispatcher)
    return start
  }
}

extension Instant {
  static func milliseconds(_ count: Int64) -> Instant {
    Instant(nanoseconds: count * 1_000_000)
  }
}
