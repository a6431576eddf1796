import ControlPlane
import Primitives
import SimulationKernel

/// An instance of a flow lane that gets nothing new, and when the requests that it serves end.
struct DrainingInstance: Sendable {
  var entry: FlowInstances.Entry
  /// In ascending order.
  var ends: [Instant]
  /// Of a delivery, messages that end together.
  var perCall = 1.0

  var calls: Int { Int((Double(ends.count) / perCall).rounded(.up)) }
}

// Fewer instances: idle ones go at once, busy ones when their last request has ended.
extension FlowState {
  /// Requests on draining instances, which are not counted among those in service.
  var inDraining: Int { draining.reduce(0) { $0 + $1.ends.count } }

  var callsInDraining: Int { draining.reduce(0) { $0 + $1.calls } }

  var counts: InstanceCounts {
    InstanceCounts(
      usable: instances.count, draining: draining.count, starting: control.starts.count)
  }

  /// AutoScale's wish, by the rules of a gateway.
  mutating func scaleDown(to target: Int) {
    var surplus = rules.surplus(counts, over: target)
    guard surplus > 0 else { return }
    openCohorts()
    goUnnoticed(surplus)
    while surplus > 0, instances.count > busyInstances {
      retire(removeIdle())
      surplus -= 1
    }
    for _ in 0..<surplus { drain(at: instances.count - 1) }
    retireDrained()
  }

  /// The Dispatcher says that an instance is no more.
  mutating func lose(_ pod: PodID) {
    guard let position = instances.position(of: pod) else { return }
    openCohorts()
    if isIdle(position) {
      retire(removeInstance(at: position))
    } else {
      drain(at: position)
      retireDrained()
    }
  }

  /// Takes an instance out of use, with its share of the requests in service; when these end is
  /// drawn from the residual law.
  private mutating func drain(at position: Int) {
    let calls = callsInService
    let share = Double(calls) / Double(instances.count)
    let room = (instances.count - 1) * rules.concurrencyLimit
    let drawn = Int((share + bits.uniform()).rounded(.down))
    let requests = followsPlaces ? 1 : min(calls, max(drawn, calls - room))
    let messages = isBatching ? batches!.calls.take(requests).messages : requests
    inService -= messages
    var ends: [Instant] = []
    for index in 0..<requests {
      let end = now + Nanoseconds(seconds: service.met(using: &bits).residual)
      for _ in 0..<EvenShare.of(messages, at: index, among: requests) { ends.append(end) }
    }
    ends.sort()
    var instance = DrainingInstance(entry: removeInstance(at: position), ends: ends)
    if messages > requests { instance.perCall = Double(messages) / Double(requests) }
    draining.append(instance)
  }

  /// Ends what ends on draining instances up to an instant; returns how many did.
  mutating func endDraining(to end: Instant) -> Int {
    var ended = 0
    for index in draining.indices {
      let count = draining[index].ends.prefix { $0 <= end }.count
      draining[index].ends.removeFirst(count)
      ended += count
    }
    return ended
  }

  /// When the next draining instance has nothing left to serve.
  var nextDrained: Instant? {
    draining.isEmpty ? nil : draining.compactMap(\.ends.last).min()
  }

  mutating func retireDrained() {
    guard !draining.isEmpty, draining.contains(where: \.ends.isEmpty) else { return }
    for gone in draining where gone.ends.isEmpty { retire(gone.entry) }
    draining.removeAll(where: \.ends.isEmpty)
    isDemandOld = true
  }
}
