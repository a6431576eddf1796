import ControlPlane
import Primitives
import SimulationKernel

/// Instances of a lane that are lost by themselves at an instant.
struct PodLoss: Sendable, Equatable {
  var at: Instant
  /// The fault's name.
  var fault: UInt64
  /// Of the instances that are there then, rounded, and one at least; or so many.
  var share = 0.0
  var count: Int?

  /// How many of so many.
  func number(of instances: Int) -> Int {
    min(instances, count ?? max(1, Int((share * Double(instances)).rounded())))
  }

  /// Which of some pods: those that come first by a key of fault, service and pod, so that it is
  /// the same ones at both fidelities. O(n log n).
  func chosen<Instance>(
    of instances: [Instance], key: StreamKey, pod: (Instance) -> PodID
  ) -> [Instance] {
    let own = key.appending(fault)
    let ranked = instances.map { (rank: own.appending(UInt64(pod($0).raw)).raw, instance: $0) }
    let sorted = ranked.sorted {
      ($0.rank, pod($0.instance).raw) < ($1.rank, pod($1.instance).raw)
    }
    return sorted.prefix(number(of: instances.count)).map(\.instance)
  }
}

/// An instance that its callers find gone.
struct LostInstance {
  var part: Int
  var pod: PodID
  /// Among the lane's instances.
  var index: Int
}

// Instances that end at once, with their machines or by themselves.
extension RequestLaneEngine {
  mutating func losePods(_ loss: PodLoss, at now: Instant) {
    guard !core.isDown else { return }
    var all: [LostInstance] = []
    visitInstances { all.append($0) }
    lose(loss.chosen(of: all, key: core.settings.spoilKey) { $0.pod }, at: now)
  }

  func visitInstances(_ body: (LostInstance) -> Void) {
    for part in 0..<routers.count {
      routers[part].instances.visit { slot, instance in
        let index = core.instances.index(slot.raw, part: UInt8(part))
        body(LostInstance(part: part, pod: instance.pod, index: index))
      }
    }
  }

  /// Gateways and consumers see their connections break: what runs there is lost, and nothing is
  /// called there any more.
  mutating func lose(_ gone: [LostInstance], at now: Instant) {
    guard !gone.isEmpty else { return }
    core.cutCalls(on: Set(gone.map(\.index)), at: now)
    for instance in gone {
      core.part = UInt8(instance.part)
      routers[instance.part].endpointRemoved(instance.pod, at: now, into: &core)
    }
  }
}

extension LaneCore {
  /// Sets alarms for instances that are lost.
  mutating func arm(_ losses: [PodLoss], after now: Instant) {
    for loss in losses where loss.at > now {
      podLosses.append(loss)
      _ = queue.push(
        at: loss.at, class: EventRank.alarm,
        LaneEvent(
          kind: .podsLost, part: 0, flags: 0, slot: UInt32(podLosses.count - 1), arrival: .origin))
    }
  }

  /// Calls on lost instances end now, without an answer. O(events).
  fileprivate mutating func cutCalls(on gone: Set<Int>, at now: Instant) {
    var old = ChosenQueue<LaneEvent>(settings.queue)
    swap(&old, &queue)
    func isGone(_ event: LaneEvent) -> Bool {
      gone.contains(instances.index(event.slot, part: event.part))
    }
    while old.nextTime() < .distantFuture {
      let event = old.pop()
      var (payload, at) = (event.payload, event.time)
      switch payload.kind {
      case .callArrives where isGone(hopCalls[payload.slot].answer),
        .serviceEnds where isGone(hopCalls[payload.slot].answer):
        payload = hopCalls.take(payload.slot).answer
        payload.flags = payload.flags & ~LaneEvent.erred | LaneEvent.cutOff | LaneEvent.lost
        at = now
      case .answered where isGone(payload), .judged where isGone(payload):
        payload.flags = payload.flags & ~LaneEvent.erred | LaneEvent.cutOff | LaneEvent.lost
        at = now
      default: break
      }
      _ = queue.push(at: at, class: event.class, payload)
    }
  }
}
