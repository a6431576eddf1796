import ControlPlane
import Primitives
import SimulationKernel

// The epoch order.
extension ClusterSimulation {
  func runEpochs(until end: Instant) {
    for index in lanes.indices {
      laneNext[index] = lanes[index].next.time.nanoseconds
      isAwaiting[index] = lanes[index].isAwaiting
    }
    let epoch = configuration.epoch.count
    var start = now
    while true {
      start = max(start, nextEpochStart(from: start))
      guard start < end else { break }
      let stop = min(end, Instant(nanoseconds: (start.nanoseconds / epoch + 1) * epoch))
      runEpoch(from: start, to: stop)
      closeDemand(at: stop)
      start = stop
    }
    for index in lanes.indices { horizons[index] = end }
  }

  /// The start of the epoch in which something happens next.
  private func nextEpochStart(from instant: Instant) -> Instant {
    var least = control.next().time.nanoseconds
    for next in laneNext { least = min(least, next) }
    guard least > instant.nanoseconds else { return instant }
    if !demandLanes.isEmpty { return instant }
    let epoch = configuration.epoch.count
    return least == .max ? .distantFuture : Instant(nanoseconds: least / epoch * epoch)
  }

  private func runEpoch(from start: Instant, to stop: Instant) {
    var unfinished: [Int] = []
    for index in lanes.indices {
      let isIdle = laneNext[index] >= stop.nanoseconds && !isAwaiting[index]
      horizons[index] = isIdle ? stop : start
      if !isIdle { unfinished.append(index) }
    }
    for index in unfinished { openDemand(index) }
    while true {
      var remaining: [Int] = []
      var safe = stop
      // A reply that a lane awaits comes of events that the shared part has already, so none is sent before the
      // first of these.
      let reply = control.next().time
      let limit = reply < stop ? reply + lookahead : stop
      for index in unfinished {
        advance(index, to: stop, replyLimit: limit)
        guard horizons[index] < stop else { continue }
        remaining.append(index)
        let earliest = max(horizons[index].nanoseconds, laneNext[index])
        if earliest < stop.nanoseconds {
          safe = min(safe, Instant(nanoseconds: earliest) + lookahead)
        }
      }
      unfinished = remaining
      // A lane may answer what the shared part tells it, two hops after the event that it is told of.
      let first = control.next().time
      if !remaining.isEmpty, first < stop { safe = min(safe, first + lookahead * 2) }
      control.run(until: Bound(time: safe, rank: 0), stopsAtMail: false)
      deliverMail(notBefore: stop)
      if unfinished.isEmpty && safe == stop { break }
    }
  }

  /// Runs a lane as far as it may go: to the end of the epoch, or to where a reply could reach it.
  private func advance(_ index: Int, to stop: Instant, replyLimit: Instant) {
    let lane = lanes[index]
    let bound = isAwaiting[index] ? min(stop, replyLimit) : stop
    let reached = lane.run(
      until: Bound(time: bound, rank: 0), roundTrip: lookahead * 2, epochEnd: stop,
      recorder: recorder)
    collect(index)
    horizons[index] = max(horizons[index], min(reached.time, stop))
    laneNext[index] = lane.next.time.nanoseconds
    isAwaiting[index] = lane.isAwaiting
  }

  /// The least one-way delay between a lane and anything shared.
  private var lookahead: Nanoseconds { configuration.network.leastControlDelay }

  private func openDemand(_ index: Int) {
    guard !hasDemand[index] else { return }
    hasDemand[index] = true
    demandLanes.append(index)
  }

  /// Collects the demand of lanes that ran in this epoch or still compute, and publishes the next slowdowns.
  private func closeDemand(at stop: Instant) {
    var goingOn: [Int] = []
    demandLanes.sort()
    for index in demandLanes {
      hasDemand[index] = lanes[index].publishDemand(&demand, epoch: configuration.epoch)
      if hasDemand[index] { goingOn.append(index) }
    }
    demandLanes = goingOn
    let seconds = configuration.epoch.seconds
    demand.close(length: Double(configuration.epoch.count)) { node, cores in
      zoneCoreSeconds[topology.nodeZones[node].index] += cores * seconds
    }
  }
}
