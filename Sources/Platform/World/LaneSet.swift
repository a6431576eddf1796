import ControlPlane
import Primitives
import SimulationKernel

/// The lanes of a cluster and where each of them stands, with the epoch order that runs them.
///
/// A value that the cluster holds and lends out for a whole run, so that the loops over lanes pay
/// for no access checks.
struct LaneSet {
  var lanes: [any LaneModel] = []
  /// By lane: messages sent, for the network's draws; how far it has run; when something is next in
  /// it.
  var ordinals: [UInt64]
  var horizons: [Instant]
  var next: [Int64]
  /// By lane: a reply may come.
  var isAwaiting: [Bool]
  let epoch: Int64
  /// The least one-way delay between a lane and anything shared.
  let lookahead: Nanoseconds

  init(count: Int, configuration: ClusterConfiguration) {
    ordinals = Array(repeating: 0, count: count)
    horizons = Array(repeating: .origin, count: count)
    next = Array(repeating: 0, count: count)
    isAwaiting = Array(repeating: false, count: count)
    epoch = configuration.epoch.count
    lookahead = configuration.network.leastControlDelay
  }

  /// Moves a lane's messages into the shared queue, in the order of sending.
  mutating func collect(_ index: Int, into control: ControlShard) {
    var ordinal = ordinals[index]
    lanes[index].drainOutbox { message in
      control.accept(message, from: LaneID(index), ordinal: ordinal)
      ordinal += 1
    }
    ordinals[index] = ordinal
  }

  // MARK: Epochs

  mutating func runEpochs(
    from begin: Instant, until end: Instant, control: ControlShard, demand: inout Demand,
    recorder: any LatencyRecorder
  ) {
    for index in lanes.indices {
      next[index] = lanes[index].next.time.nanoseconds
      isAwaiting[index] = lanes[index].isAwaiting
    }
    var start = begin
    while true {
      let first = nextEpochStart(from: start, control)
      if first > start { demand.skip(from: start, to: min(first, end)) }
      start = first
      guard start < end else { break }
      let stop = min(end, Instant(nanoseconds: (start.nanoseconds / epoch + 1) * epoch))
      runEpoch(from: start, to: stop, control: control, demand: &demand, recorder: recorder)
      demand.close(length: stop - start)
      start = stop
    }
    for index in lanes.indices { horizons[index] = end }
  }

  /// The start of the epoch in which something happens next.
  private func nextEpochStart(from instant: Instant, _ control: ControlShard) -> Instant {
    var least = control.next().time.nanoseconds
    for time in next { least = min(least, time) }
    guard least > instant.nanoseconds else { return instant }
    guard least < .max else { return .distantFuture }
    return max(instant, Instant(nanoseconds: least / epoch * epoch))
  }

  private mutating func runEpoch(
    from start: Instant, to stop: Instant, control: ControlShard, demand: inout Demand,
    recorder: any LatencyRecorder
  ) {
    var unfinished: [Int] = []
    for index in next.indices {
      let isIdle = next[index] >= stop.nanoseconds && !isAwaiting[index]
      horizons[index] = isIdle ? stop : start
      if !isIdle { unfinished.append(index) }
    }
    let active = unfinished
    while true {
      var remaining: [Int] = []
      var safe = stop
      // A reply that a lane awaits comes of events that the shared part has already, so none is
      // sent before the first of these.
      let reply = control.next().time
      let limit = reply < stop ? reply + lookahead : stop
      for index in unfinished {
        advance(index, to: stop, replyLimit: limit, control: control, recorder: recorder)
        guard horizons[index] < stop else { continue }
        remaining.append(index)
        let earliest = max(horizons[index].nanoseconds, next[index])
        if earliest < stop.nanoseconds {
          safe = min(safe, Instant(nanoseconds: earliest) + lookahead)
        }
      }
      unfinished = remaining
      // A lane may answer what the shared part tells it, two hops after the event that it is told
      // of.
      let first = control.next().time
      if !remaining.isEmpty, first < stop { safe = min(safe, first + lookahead * 2) }
      if first < safe {
        control.run(until: Bound(time: safe, rank: 0), stopsAtMail: false)
        deliver(control, notBefore: stop)
      }
      if unfinished.isEmpty && safe == stop { break }
    }
    for index in active { lanes[index].publishDemand(&demand) }
  }

  /// Runs a lane as far as it may go: to the end of the epoch, or to where a reply could reach it.
  private mutating func advance(
    _ index: Int, to stop: Instant, replyLimit: Instant, control: ControlShard,
    recorder: any LatencyRecorder
  ) {
    let bound = isAwaiting[index] ? min(stop, replyLimit) : stop
    guard next[index] < bound.nanoseconds else {
      // Nothing happens here before the bound.
      horizons[index] = max(horizons[index], bound)
      return
    }
    let lane = lanes[index]
    let reached = lane.run(
      until: Bound(time: bound, rank: 0), roundTrip: lookahead * 2, epochEnd: stop,
      recorder: recorder)
    collect(index, into: control)
    horizons[index] = max(horizons[index], min(reached.time, stop))
    next[index] = lane.next.time.nanoseconds
    isAwaiting[index] = lane.isAwaiting
  }

  /// Gives lanes their messages; nothing unasked comes before `boundary`.
  private mutating func deliver(_ control: ControlShard, notBefore boundary: Instant) {
    for mail in control.takeMail() {
      let index = mail.lane.index
      var at = max(mail.at, horizons[index])
      if mail.isUnasked { at = max(at, boundary) }
      lanes[index].deliver(mail.delivery, at: at)
      next[index] = min(next[index], at.nanoseconds)
    }
  }
}
