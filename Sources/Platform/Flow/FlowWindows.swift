import Primitives
import SimulationKernel

/// How long a place is taken: a draw of the law itself, since one long service in thousands holds
/// back all behind it, which a table of quantiles cuts off.
struct WindowService: Sendable {
  var law: Sampler
  /// Of the law, for the slowdown of machines; and what a delivery takes beside.
  var stretch = 1.0
  var shiftNanoseconds = 0.0

  func nanoseconds(using bits: inout some BitSource) -> Int64 {
    Int64(Double(law.sampleNanoseconds(using: &bits)) * stretch + shiftNanoseconds)
  }
}

/// Partitions of a flow lane whose windows bound what is on instances: there are instances for all
/// places of all windows, so that a message waits for its partition and for nothing else.
///
/// With W places the i-th message of a partition begins when it is there and message i − W is
/// committed, since an answer keeps its place until all before it have come; it is committed when
/// it has ended and all before it are:
///
///     begin(i) = max(come(i), commit(i − W))
///     commit(i) = max(commit(i − 1), begin(i) + S(i))
///
/// With W = 1 this is Lindley's recursion of M/G/1. How much a window lets through has no closed
/// form for other W and service laws, and is far from W / E[S] (`SlidingWindowTests`), so the
/// recursion itself is followed, one draw a message and no event. O(messages) a step, O(partitions
/// × W) of memory beside what waits.
struct FlowWindows: Sendable {
  private struct Log: Sendable {
    /// Instants at which messages came that have not begun, the oldest at `head`.
    var came: [Int64] = []
    var head = 0
    /// Deliveries that have begun, and when all of them are committed.
    var begun = 0
    var committed = Int64.min

    var waiting: Int { came.count - head }
  }

  /// What a step has done.
  struct Served {
    var begun = 0
    var ended = 0
  }

  private let width: Int
  /// Upper ends of the partitions' shares, as 32-bit fractions; empty for equal ones.
  private let shares: [UInt32]
  private var logs: [Log]
  /// By partition: when its last W deliveries are committed, by their numbers modulo W.
  private var commits: [Int64]
  private(set) var waiting = 0
  /// When the deliveries end that are under way.
  private var ends: [Int64] = []
  /// Waits of those that have begun within a step, by their first bits.
  private var waits: [Wait]
  private var usedWaits: [Int] = []

  private struct Wait: Sendable, BitwiseCopyable {
    var count = 0
    var sum = 0.0
  }

  /// - Parameter weights: shares of the partitions, which add up to 1; empty for equal ones.
  init(partitions: Int, width: Int, weights: [Double]) {
    self.width = width
    var sum = 0.0
    shares = weights.dropLast().map { weight in
      sum += weight
      return UInt32(sum * 0x1p32)
    }
    logs = Array(repeating: Log(), count: partitions)
    commits = Array(repeating: .min, count: partitions * width)
    waits = Array(repeating: Wait(), count: Self.key(of: .max) + 1)
  }

  var underWay: Int { ends.count }

  /// Deliveries that are not committed at an instant, answered or not. O(partitions × W).
  func uncommitted(at now: Int64) -> Int { commits.count { $0 > now } }

  /// Takes what comes evenly at random between two instants into the logs, and lets begin what may.
  ///
  /// - Parameters:
  ///   - isRead: nothing begins otherwise.
  ///   - settle: gets a number of messages that have begun and their mean wait.
  mutating func step(
    arrivals: Int, from start: Int64, to end: Int64, isRead: Bool, service: WindowService,
    using bits: inout some BitSource, settle: (Int, Int64) -> Void
  ) -> Served {
    take(arrivals, from: start, to: end, using: &bits)
    var served = Served()
    let before = ends.count
    ends.removeAll { $0 <= end }
    served.ended = before - ends.count
    guard isRead, waiting > 0 else { return served }
    for partition in logs.indices where logs[partition].waiting > 0 {
      serve(partition, from: start, to: end, service, &served, using: &bits)
    }
    waiting -= served.begun
    usedWaits.sort()
    for key in usedWaits {
      let wait = waits[key]
      settle(wait.count, Int64((wait.sum / Double(wait.count)).rounded()))
      waits[key] = Wait()
    }
    usedWaits.removeAll(keepingCapacity: true)
    return served
  }

  private mutating func serve(
    _ partition: Int, from start: Int64, to end: Int64, _ service: WindowService,
    _ served: inout Served, using bits: inout some BitSource
  ) {
    // Taken out for the while, so that nothing is copied.
    var log = Log()
    swap(&log, &logs[partition])
    let first = partition * width
    while log.head < log.came.count {
      let place = first + log.begun % width
      let came = log.came[log.head]
      let begins = max(came, commits[place], start)
      guard begins < end else { break }
      let ends = begins + service.nanoseconds(using: &bits)
      log.committed = max(log.committed, ends)
      commits[place] = log.committed
      log.begun += 1
      log.head += 1
      served.begun += 1
      if ends <= end { served.ended += 1 } else { self.ends.append(ends) }
      note(begins - came)
    }
    if log.head > 64, log.head * 2 > log.came.count {
      log.came.removeFirst(log.head)
      log.head = 0
    }
    swap(&log, &logs[partition])
  }

  /// Sixteen bins an octave; a bin is represented by its own mean.
  private static func key(of wait: Int64) -> Int {
    guard wait > 0 else { return 0 }
    return Int(Double(wait).bitPattern >> 48) - Int(1.0.bitPattern >> 48) + 1
  }

  private mutating func note(_ wait: Int64) {
    let key = Self.key(of: wait)
    if waits[key].count == 0 { usedWaits.append(key) }
    waits[key].count += 1
    waits[key].sum += Double(wait)
  }

  // MARK: Logs

  /// Instants of a Poisson process, given how many there are, come in order as the sums of
  /// exponential gaps, scaled to the interval.
  private mutating func take(
    _ arrivals: Int, from start: Int64, to end: Int64, using bits: inout some BitSource
  ) {
    guard arrivals > 0 else { return }
    var gone: [Double] = []
    gone.reserveCapacity(arrivals)
    var sum = 0.0
    for _ in 0..<arrivals {
      sum += ZigguratExponential.sample(using: &bits)
      gone.append(sum)
    }
    sum += ZigguratExponential.sample(using: &bits)
    let scale = Double(end - start) / sum
    for part in gone { put(start + Int64(part * scale), using: &bits) }
  }

  private mutating func put(_ came: Int64, using bits: inout some BitSource) {
    let drawn = bits.next() >> 32
    if shares.isEmpty {
      logs[Int((drawn * UInt64(logs.count)) >> 32)].came.append(came)
    } else {
      var (low, high) = (0, logs.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if drawn < UInt64(shares[middle]) { high = middle } else { low = middle + 1 }
      }
      logs[low].came.append(came)
    }
    waiting += 1
  }

  /// Messages that came before all that wait, or are delivered again, are in some log.
  mutating func takeBack(_ came: [Int64], using bits: inout some BitSource) {
    guard !came.isEmpty else { return }
    for instant in came { put(instant, using: &bits) }
    for partition in logs.indices {
      logs[partition].came.removeFirst(logs[partition].head)
      logs[partition].head = 0
      logs[partition].came.sort()
    }
  }

  /// What waits is taken out of the logs, the oldest first.
  mutating func takeOut() -> [Int64] {
    var came: [Int64] = []
    for partition in logs.indices {
      came += logs[partition].came[logs[partition].head...]
      logs[partition].came = []
      logs[partition].head = 0
    }
    waiting = 0
    return came.sorted()
  }

  /// Deliveries that are under way, by when they end: in the partitions in turn.
  mutating func takeIn(ends instants: [Int64]) {
    ends += instants
    for (index, end) in instants.sorted().enumerated() {
      let partition = index % logs.count
      logs[partition].committed = max(logs[partition].committed, end)
      commits[partition * width + logs[partition].begun % width] = logs[partition].committed
      logs[partition].begun += 1
    }
  }

  /// Deliveries have ended without an answer: so many are under way still. With none all windows
  /// are free.
  mutating func keep(_ count: Int) {
    guard count < ends.count else { return }
    ends.removeLast(ends.count - count)
    guard count == 0 else { return }
    for index in commits.indices { commits[index] = .min }
    for index in logs.indices { logs[index].committed = .min }
  }
}
