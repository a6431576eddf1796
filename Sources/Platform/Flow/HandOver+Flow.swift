import ControlPlane
import Primitives
import SimulationKernel

// A flow lane takes a state in and hands it over.
extension FlowState {
  /// Goes on from a state. The requests on instances are counted; when they end is drawn from the
  /// residual law.
  mutating func takeIn(_ carried: CarriedLane) {
    takeInstances(carried)
    noteRead()
    clients = carried.clients
    counters = carried.counters
    toldCompleted = counters.completed
    digest = carried.digest
    represented = carried.represented
    // Single messages are told by their calls, and a lane's share of a line by what has come.
    publishedArrivals = settings.isTopic ? counters.attempts : carried.publishedArrivals
    control.route = carried.route
    control.isSampling = carried.isSampling
    control.sampledInFlightSeconds = carried.sampledInFlightSeconds
    control.settledOrders = carried.settledOrders
    control.answering = carried.answering
    follow(carried.keepAlive)
    control.inbox = FlowInbox(carried.mail)
    control.outbox = carried.outbox
    control.retirements = carried.retirements
    // Their waits have been recorded when they began.
    let messages = carried.calls.reduce(0) { $0 + Int($1.messages) }
    let left = carried.calls.count(where: \.isLeft)
    ledger.settle(came(left, from: now, to: now), wait: 0, isLeft: true)
    ledger.settle(came(messages - left, from: now, to: now), wait: 0)
    limits = carried.limits
    publishedCalls = carried.publishedCalls
    publishedRefused = carried.publishedRefused
    for ticket in carried.waiting {
      let cohort = came(1, from: ticket.arrival, to: ticket.arrival)
      // A message passes the gate, whether or not it had done so and was not taken up.
      if isGated { gateLog.append(cohort) } else { ledger.append(cohort) }
    }
    ledger.markLeft(carried.leftWaiting)
    for call in carried.calls where call.cores > 0 {
      publishedCores.append((carried.instances[call.position].entry.node.index, call.cores))
      told.cores += call.cores
    }
    adjustService()
    takeInBatches(carried)
    windows?.takeIn(
      ends: carried.calls.filter { !carried.instances[$0.position].isDraining }.map {
        max($0.end, now).nanoseconds
      })
    planStep()
  }

  /// Instances with the requests on them.
  private mutating func takeInstances(_ carried: CarriedLane) {
    var ends: [Int: [Instant]] = [:]
    for call in carried.calls {
      let instance = carried.instances[call.position]
      if instance.isDraining || followsPlaces {
        for _ in 0..<call.messages { ends[call.position, default: []].append(call.end) }
      }
      if !instance.isDraining { inService += Int(call.messages) }
    }
    for (position, instance) in carried.instances.enumerated() {
      if instance.isDraining {
        var drained = DrainingInstance(
          entry: instance.entry, ends: (ends[position] ?? []).sorted())
        if instance.inFlight > 0, drained.ends.count > instance.inFlight {
          drained.perCall = Double(drained.ends.count) / Double(instance.inFlight)
        }
        draining.append(drained)
      } else {
        addInstance(instance.entry, servingUntil: ends[position]?.max())
      }
    }
  }

  /// The state at `now`, with what flow does not know drawn from the law that it has given what
  /// flow does know.
  mutating func handOut(
    at now: Instant, recorder: any LatencyRecorder, residual: ResidualRule
  ) -> CarriedLane? {
    guard !isAwaiting, isGroupSettled(at: now), breaking.isForgotten else { return nil }
    advance(to: now, recorder: recorder)
    if now == stepEnd { endStep() }
    guard !isAwaiting, breaking.isForgotten else {
      planStep()
      return nil
    }
    openCohorts()
    serveWaiting(at: now)
    handOutLogs()
    handOutWindows()
    recordPending(recorder)
    feed.divideMinute()
    var carried = CarriedLane(
      at: now, source: feed.source, remaining: feed.remaining, delivered: feed.delivered,
      route: control.route, counters: counters, digest: digest, represented: represented,
      publishedArrivals: publishedArrivals)
    carried.mail = control.inbox.all
    carried.outbox = control.outbox
    carried.retirements = control.retirements
    control.outbox.removeAll()
    carried.isSampling = control.isSampling
    carried.sampledInFlightSeconds = control.sampledInFlightSeconds
    carried.settledOrders = control.settledOrders
    carried.answering = control.answering
    carried.keepAlive = keepAlive
    carried.clients = clients
    carried.limits = limits
    carried.publishedCalls = publishedCalls
    carried.publishedRefused = publishedRefused
    carryInstances(into: &carried)
    carryCalls(into: &carried, recorder: recorder, residual: residual)
    carryWaiting(into: &carried)
    return carried
  }

  /// Whether nothing is left of a crash that the other fidelity would have to be told of.
  private func isGroupSettled(at now: Instant) -> Bool {
    settings.isGroupSettled(at: now) && repeating == 0 && groups.allSatisfy { $0.at > now }
  }

  private mutating func carryInstances(into carried: inout CarriedLane) {
    if followsPlaces { carryPlaces(into: &carried) } else { carryOccupancy(into: &carried) }
    for instance in draining {
      carried.instances.append(
        CarriedLane.Instance(
          entry: instance.entry, inFlight: instance.calls, isDraining: true))
    }
  }

  private func carryPlaces(into carried: inout CarriedLane) {
    for (position, entry) in instances.entries.enumerated() {
      var instance = CarriedLane.Instance(
        entry: entry, inFlight: instances.places.isIdle(position) ? 0 : 1)
      if instance.inFlight > 0 { instance.entry.idleSince = now }
      carried.instances.append(instance)
    }
  }

  private mutating func carryOccupancy(into carried: inout CarriedLane) {
    var source = bits
    var rules = rules
    rules.keepAlive = keepAliveLength
    let (places, window) = Occupancy.draw(
      instances: instances.count, rules: rules,
      inService: min(callsInService, instances.count * rules.concurrencyLimit),
      rate: rate.perSecond, mean: service.mean, using: &source)
    bits = source
    for (position, place) in places.enumerated() {
      var entry = instances.entries[position]
      let lastUse = instances.lastUse(position)
      // An instance that the copy has not used for the whole keep-alive would have been given up:
      // it was used last when flow last reached it.
      let idle = Nanoseconds(seconds: place.idleSeconds ?? window)
      if idle >= rules.keepAlive {
        entry.idleSince = lastUse
      } else {
        let since = now - idle
        entry.idleSince = place.idleSeconds == nil ? min(lastUse, since) : since
      }
      if place.inFlight > 0 { entry.idleSince = now }
      carried.instances.append(CarriedLane.Instance(entry: entry, inFlight: place.inFlight))
    }
  }

  private mutating func carryCalls(
    into carried: inout CarriedLane, recorder: any LatencyRecorder, residual: ResidualRule
  ) {
    /// Waits of what is on instances, one each, in order.
    var pieces: [WaitLedger.Settled] = []
    ledger.complete(inService + inDraining) { pieces.append($0) }
    for piece in pieces { noteBegun(piece, &carried, recorder) }
    var places = callPlaces(carried)
    let cores = coresPerRequest
    var (piece, used) = (0, 0)
    places.withUnsafeMutableBufferPointer { places in
      for place in places where piece < pieces.count {
        let (age, left) = met(residual)
        let began = now - Nanoseconds(seconds: age)
        carried.calls.append(
          CarriedLane.Call(
            position: place.position, arrival: began - Nanoseconds(pieces[piece].wait),
            end: place.end ?? now + Nanoseconds(seconds: left),
            flags: pieces[piece].isCold ? LaneEvent.cold : 0, cores: cores,
            messages: UInt32(place.messages), isLeft: used < pieces[piece].late))
        used += place.messages
        while piece < pieces.count, used >= pieces[piece].count {
          used -= pieces[piece].count
          piece += 1
        }
      }
    }
  }

  /// Where calls are, their ends where these are known, and their messages.
  private func callPlaces(
    _ carried: CarriedLane
  ) -> [(position: Int, end: Instant?, messages: Int)] {
    var places: [(position: Int, end: Instant?, messages: Int)] = []
    let calls = callsInService
    for (position, instance) in carried.instances.enumerated() where !instance.isDraining {
      for _ in 0..<instance.inFlight where places.count < calls {
        let messages = EvenShare.of(inService, at: places.count, among: calls)
        let end = followsPlaces ? instances.places.end(position) : nil
        places.append((position, end, messages))
      }
    }
    for (index, instance) in draining.enumerated() {
      let calls = instance.calls
      for call in 0..<calls {
        let messages = EvenShare.of(instance.ends.count, at: call, among: calls)
        let end = instance.ends[min(instance.ends.count - 1, call * instance.ends.count / calls)]
        places.append((instances.count + index, end, messages))
      }
    }
    return places
  }

  /// How long a request has been in service and will be.
  private mutating func met(_ residual: ResidualRule) -> (age: Double, left: Double) {
    let (age, left) = service.met(using: &bits)
    guard residual == .fullService else { return (age, left) }
    let point = Int(bits.integer(below: UInt64(ServiceShape.points)))
    return (0, Double(service.nanoseconds(point)) * 1e-9)
  }

  /// Request fidelity has recorded a wait when the request begins; flow does so when it completes.
  private func noteBegun(
    _ piece: WaitLedger.Settled, _ carried: inout CarriedLane, _ recorder: any LatencyRecorder
  ) {
    if piece.wait > 0 {
      carried.counters.waited &+= UInt64(piece.count)
      recorder.record(piece.wait, count: piece.count, .wait, lane: settings.lane)
    }
    if piece.isCold {
      recorder.record(piece.wait, count: piece.count, .startLatency, lane: settings.lane)
    }
  }

  private func carryWaiting(into carried: inout CarriedLane) {
    // Identities beyond those of any source: what they bring is drawn as for any other.
    let first = counters.attempts &- UInt64(ledger.waiting + gateLog.waiting)
    var index: UInt64 = 0
    var times: [Int64] = []
    ledger.forEachArrival { times.append($0) }
    gateLog.forEachArrival { times.append($0) }
    if gateLog.waiting > 0 { times.sort() }
    carried.leftWaiting = ledger.leftWaiting
    for time in times {
      carried.waiting.append(
        Ticket(
          arrival: Instant(nanoseconds: time), identity: 1 << 62 | first &+ index,
          serviceNanoseconds: -1))
      index &+= 1
    }
  }
}
