import ControlPlane
import Primitives
import SimulationKernel

// A lane that takes in no more than so many: what finds it full is refused.
extension FlowState {
  /// The most that may be in service and wait.
  struct Room {
    var most: Int
    /// A limit on concurrency says so, and not the queue's.
    var isLimit: Bool
  }

  /// What may be here at this instant. Under way is what waits at the gateway and what instances
  /// have; the queue takes what starts are for, those that may be asked for now among them, and as
  /// many as its limit beyond.
  var room: Room {
    var room = Room(most: .max, isLimit: false)
    if !settings.isTopic, let limit = limits.gates.first?.concurrency?.limit {
      room = Room(most: max(0, limit - inDraining), isLimit: true)
    }
    guard !settings.isTopic, control.route.age(at: now) != .absent else { return room }
    let starts = control.starts.count + startsLeft
    let queue =
      slots + starts * min(rules.concurrencyLimit, 1 << 20) + min(rules.queueLimit, 1 << 40)
    return queue < room.most ? Room(most: queue, isLimit: false) : room
  }

  private var startsLeft: Int {
    guard canStart else { return 0 }
    guard rules.startRule == .onDemand else { return 1 }
    return min(1 << 20, rules.maximumInstances - counts.total)
  }

  /// So many have found no room.
  mutating func refuse(_ count: Int, _ room: Room, at instant: Instant) {
    guard count > 0 else { return }
    if room.isLimit {
      counters.limitedByConcurrency &+= UInt64(count)
      refusedOfSecond += count
    } else if counts.total >= rules.maximumInstances {
      counters.refusedQueueFull &+= UInt64(count)
    } else {
      counters.refusedNoCapacity &+= UInt64(count)
    }
    digest.record(room.isLimit ? RecordKind.refused : .dropped, at: instant, UInt64(count))
  }

  /// All that steps have refused.
  var refusedBySteps: UInt64 {
    counters.limitedByConcurrency &+ counters.refusedQueueFull &+ counters.refusedNoCapacity
  }

  /// The room that a step may fill; nil: it will not.
  ///
  /// Levels are six and more deviations of a Poisson count below it; or, below all slots, the queue
  /// that would have to come about has a chance of e^(-25) by the decay of its law, ρ^(2 / (1 +
  /// cs²)) for each that waits.
  func roomInReach(of arrivals: Int, over h: Double) -> Room? {
    let m = service.mean
    guard !settings.isTopic, !followsPlaces, m > 0, h > 0 else { return nil }
    let held = Double(inService + waiting)
    let (come, taken) = (Double(arrivals), Double(slots) * h / m)
    let room = room
    let most = Double(room.most)
    guard held + come > most else { return nil }
    if !room.isLimit, ledger.waiting == 0, isQuiet(arrivals: arrivals, over: h) { return nil }
    let second = Double(feed.ofSecond + retriesOfSecond)
    let load = max(second, come / h) * m
    let base = max(held, min(load, Double(slots)))
    if room.most <= slots { return most < base + 8 * base.squareRoot() + 16 ? room : nil }
    let drift = max(0, come - taken)
    guard base + drift + 6 * (come + taken).squareRoot() + 8 > most else { return nil }
    // Room that has shrunk below what is here is full, and a queue that only grows fills any.
    guard held < most, load < Double(slots) else { return room }
    let idle = 1 - load / Double(slots)
    let depth = (most - max(held, Double(slots))) * idle * 2 / (1 + service.squaredCV)
    return depth > 25 ? nil : room
  }

  /// The room has shrunk: of what waits, the youngest beyond what starts are for and the queue's
  /// limit are refused, as by `ServiceRouter.refuseBeyondLimit`. O(1) where none is.
  mutating func refuseBeyondLimit(because reason: Refusal) {
    guard !settings.isTopic, waiting > rules.queueLimit else { return }
    let starts = control.starts.count + startsLeft
    let beyond = waiting - starts * min(rules.concurrencyLimit, 1 << 20) - rules.queueLimit
    guard beyond > 0 else { return }
    openCohorts()
    var age = 0.0
    let dropped = ledger.dropYoungest(beyond) { piece in
      age += Double(piece.count) * (now.seconds - Double(piece.from + piece.to) * 0.5e-9)
    }
    if reason == .queueFull {
      counters.refusedQueueFull &+= UInt64(dropped.count)
    } else {
      counters.refusedNoCapacity &+= UInt64(dropped.count)
    }
    digest.record(RecordKind.dropped, at: now, UInt64(dropped.count))
    peakWaiting = min(peakWaiting, waiting)
    clientsFail(dropped.count - dropped.left, after: age / Double(max(1, dropped.count)))
  }

  // MARK: Steps

  /// Parts of a mean service time that a bounded step is divided into, the most of them in a step,
  /// and those that are drawn together.
  private static let partsOfService = 16.0
  private static let mostParts = 4096.0
  private static let partsOfBlock = 64

  /// A step in which the room may be filled. Returns how many have completed; the refused are
  /// counted.
  ///
  /// It goes in parts that are short against a service. What busy slots would end is drawn for four
  /// services at once, with mean C h / m and variance cs² C h / m, and dealt to the parts evenly at
  /// random: over a short time a station of many slots ends as a Poisson process does, and over a
  /// long one as its service times say. In a part comings and endings have any order.
  mutating func stepBounded(
    _ room: Room, arrivals: Int, from start: Instant, to end: Instant
  ) -> Int {
    openCohorts()
    serveWaiting(at: start)
    let h = (end - start).seconds
    let parts = max(
      1, Int(min(Self.mostParts, Self.partsOfService * h / service.mean).rounded(.up)))
    let length = (end - start).count
    var (left, completed, refused) = (arrivals, 0, 0)
    var (ends, blockParts) = (0, 0)
    var from = start
    for part in 0..<parts {
      if blockParts == 0 {
        blockParts = min(Self.partsOfBlock, parts - part)
        ends = busyEndings(over: h * Double(blockParts) / Double(parts))
      }
      let own = BinomialDraw.sample(left, share: 1 / Double(parts - part), using: &bits)
      let ending = BinomialDraw.sample(ends, share: 1 / Double(blockParts), using: &bits)
      let to = start + Nanoseconds(Int64(Double(length) * Double(part + 1) / Double(parts)))
      left -= own
      ends -= ending
      blockParts -= 1
      let done = stepBoundedPart(
        own, ending: ending, most: room.most, from: from, to: part + 1 == parts ? end : to)
      completed += done.completed
      refused += done.refused
      from = to
    }
    refuse(refused, room, at: end)
    return completed
  }

  /// What all slots would end if they were busy all the time.
  private mutating func busyEndings(over h: Double) -> Int {
    let mean = Double(slots) * h / service.mean
    guard mean > 0 else { return 0 }
    let variance = service.squaredCV * mean
    // Normal where zero is four deviations away and more; it is rounded at random, which has a
    // variance of its own.
    guard mean >= max(4, 16 * service.squaredCV) else {
      return Int(Counts.poisson(mean: mean, using: &bits))
    }
    let spread = max(0, variance - 1.0 / 6).squareRoot()
    let drawn = mean + spread * ZigguratNormal.sample(using: &bits) + bits.uniform()
    return max(0, Int(drawn.rounded(.down)))
  }

  /// - Parameter ending: what all slots end if they are busy.
  private mutating func stepBoundedPart(
    _ arrivals: Int, ending: Int, most: Int, from start: Instant, to end: Instant
  ) -> (completed: Int, refused: Int) {
    let (h, m, slots) = ((end - start).seconds, service.mean, slots)
    let held = inService + ledger.waiting
    let isFull = ledger.waiting > 0
    let kept = Elementary.exp(-h / m)
    var completed = ending
    if !isFull, slots > 0 {
      // So many end of those in service where each does within 1/m.
      let share = Double(min(inService, slots)) * (1 - kept) * m / (h * Double(slots))
      completed = BinomialDraw.sample(ending, share: min(1, share), using: &bits)
    }
    let beyond = max(0, inService - slots)
    if beyond > 0 {
      completed += BinomialDraw.sample(
        beyond, share: 1 - service.survival(ofOld: h), using: &bits)
    }
    completed = min(completed, slots > 0 ? held + arrivals : inService)
    let peak = highest(arrivals: arrivals, endings: completed)
    var refused = min(arrivals, max(0, held + peak - most))
    if !isFull, slots > 0 {
      // Some that come in the part end in it, and make room for others.
      let new = BinomialDraw.sample(
        arrivals - refused, share: 1 - (1 - kept) * m / h, using: &bits)
      completed = min(completed + new, held + arrivals - refused)
      let lower = max(peak - new, arrivals - completed, 0)
      refused = min(refused, max(0, held + lower - most))
    }
    let admitted = arrivals - refused
    let came = came(admitted, from: start, to: end)
    if !isFull, inService + admitted - completed <= slots {
      ledger.settle(came, wait: 0)
      inService += admitted - completed
    } else {
      ledger.append(came)
      let begun = beginnings(waiting: ledger.waiting, completed: completed)
      begin(begun, from: start, to: end)
      inService += begun - completed
      if !isHalted { peakWaiting = max(peakWaiting, ledger.waiting) }
    }
    return (completed, refused)
  }

  /// The highest that a level rises above where it begins, on a way of so many steps up and so many
  /// down of which each order is as likely as another: at least k, from the greater of 0 and its
  /// end on, with the chance C(n, d + k) / C(n, d), by reflection (Feller, volume I, III.1).
  private mutating func highest(arrivals up: Int, endings down: Int) -> Int {
    var height = max(0, up - down)
    let chance = bits.uniformOpen()
    var reached = 1.0
    while height < up {
      reached *= Double(up - height) / Double(down + height + 1)
      if reached < chance { break }
      height += 1
    }
    return height
  }
}
