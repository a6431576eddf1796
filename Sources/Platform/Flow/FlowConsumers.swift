import ControlPlane
import Primitives
import SimulationKernel

/// Consumers that share a flow lane: each has partitions, instances and a queue of its own, so that
/// each is a line with its share of the messages, and none takes another's work.
struct FlowConsumers: Sendable {
  struct Line: Sendable {
    /// Of the lane's messages.
    let share: Double
    /// Of the lane's instances.
    var slots = 0
    /// The virtual wait in seconds, with its barrier below zero.
    var backlog = 0.0
    var law: CongestionLaw?
    var isKnown = false
  }

  var lines: [Line]

  /// - Parameters:
  ///   - owners: by partition, its consumer.
  ///   - weights: shares of the partitions, which add up to 1.
  init(owners: [UInt8], consumers: Int, weights: [Double]) {
    var shares = Array(repeating: 0.0, count: consumers)
    for (partition, owner) in owners.enumerated() { shares[Int(owner)] += weights[partition] }
    lines = shares.map { Line(share: $0) }
  }

  /// Deals the lane's instances, as they are adopted: in turn.
  mutating func deal(instances: Int, limit: Int) {
    for index in lines.indices {
      lines[index].slots = EvenShare.of(instances, at: index, among: lines.count) * limit
    }
  }

  /// Nothing waits, or it is not known for whom.
  mutating func forget() {
    for index in lines.indices {
      lines[index].isKnown = false
      lines[index].backlog = 0
    }
  }
}

// Steps of a lane that several consumers share.
extension FlowState {
  /// Parts of a step, as in that of one line.
  private static let samples = 4

  /// Returns how many messages completed.
  mutating func stepConsumers(arrivals: Int, from start: Instant, to end: Instant) -> Int {
    let h = (end - start).seconds
    consumers!.deal(instances: instances.count, limit: rules.concurrencyLimit)
    guard slots > 0 else {
      openCohorts()
      consumers!.forget()
      ledger.append(came(arrivals, from: start, to: end))
      let ended = endings(arrivals: 0, over: h).old
      inService -= ended
      return ended
    }
    settleForConsumers()
    for index in consumers!.lines.indices { follow(index) }
    let part = h / Double(Self.samples)
    var left = arrivals
    for sample in 0..<Self.samples {
      let count = BinomialDraw.sample(
        left, share: 1 / Double(Self.samples - sample), using: &bits)
      left -= count
      let begun = start + Nanoseconds(seconds: part * Double(sample))
      meet(count, from: begun, over: part)
    }
    return followLines(arrivals: arrivals, over: h)
  }

  /// What has waited while nobody read, or nobody was there, waits for all lines alike.
  private mutating func settleForConsumers() {
    let count = ledger.waiting
    guard count > 0 else { return }
    let each = service.mean / Double(slots)
    begin(count, from: now, to: now + Nanoseconds(seconds: Double(count) * each))
    settledWaiting += count
    for index in consumers!.lines.indices where consumers!.lines[index].slots > 0 {
      let line = consumers!.lines[index]
      let work = Double(count) * line.share * service.mean / Double(line.slots)
      consumers!.lines[index].backlog = max(0, line.backlog) + work
      consumers!.lines[index].isKnown = true
    }
  }

  /// The law of a line for its present load, and where it stands when that is not known.
  private mutating func follow(_ index: Int) {
    var line = consumers!.lines[index]
    let load = offeredLoad * line.share
    let utilisation = line.slots > 0 ? load / Double(line.slots) : .infinity
    let isSame =
      line.law.map {
        $0.slots == line.slots
          && abs($0.utilisation - utilisation) < (1 - min(utilisation, 0.99)) / 256
      } ?? false
    if !isSame, line.slots > 0 {
      if let law = line.law { line.backlog *= Double(law.slots) / Double(line.slots) }
      line.law = CongestionLaw(
        slots: line.slots, utilisation: utilisation, squaredCV: service.squaredCV)
    }
    if !line.isKnown, let law = line.law {
      let count = Int((Double(inService) * line.share).rounded())
      line.backlog = standing(at: count, law, mean: service.mean)
      line.isKnown = true
    }
    consumers!.lines[index] = line
  }

  /// Messages that come in a part of a step: each line's meet the backlog from before them.
  private mutating func meet(_ arrivals: Int, from start: Instant, over part: Double) {
    let m = service.mean
    let end = start + Nanoseconds(seconds: part)
    var (left, rest) = (arrivals, 1.0)
    for index in consumers!.lines.indices {
      var line = consumers!.lines[index]
      let isLast = index + 1 == consumers!.lines.count
      let share = rest > 0 ? min(1, line.share / rest) : 1
      let count = isLast ? left : BinomialDraw.sample(left, share: share, using: &bits)
      left -= count
      rest -= line.share
      guard let law = line.law else { continue }
      let wait = line.backlog > 0 ? law.wait(backlog: line.backlog / m) * m : 0
      ledger.settle(came(count, from: start, to: end), wait: Int64((wait * 1e9).rounded()))
      line.backlog = moved(line.backlog, law, mean: m, arrivals: count, over: part)
      consumers!.lines[index] = line
    }
  }

  /// Makes the counts follow the lines.
  private mutating func followLines(arrivals: Int, over h: Double) -> Int {
    let m = service.mean
    var wanted = 0.0
    for line in consumers!.lines {
      if let law = line.law { wanted += Double(queued(behind: line.backlog, law, mean: m)) }
    }
    let all = settledWaiting + arrivals
    let begun = max(0, all - Int(wanted))
    settledWaiting = all - begun
    let (old, new) = endings(arrivals: begun, over: h)
    let left = inService + begun - old - new
    // Hardly ever more than there are instances for.
    let excess = max(0, left - slots)
    inService = left - excess
    return old + new + excess
  }
}
