import Primitives
import SimulationKernel

/// The arrivals of one lane while a balancer gives traffic of some lanes to others.
///
/// Every lane of the service draws the same: of the arrivals that a lane had in a second, how many
/// go where is a keyed split of their number, and which of them is dealt in order of time, each to
/// a lane with the chance of what that lane still lacks. So counts are the same at both fidelities,
/// and nothing is lost or doubled.
public struct ReroutedSource: ArrivalSource {
  /// What a lane had without the balancer, from a whole second on, and what was fetched of it.
  private struct Origin: Sendable {
    var source: any ArrivalSource
    var pending: [Arrival] = []
    var next = 0
    /// Everything before this has been fetched.
    var horizon: Instant
  }

  private var origins: [Origin]
  /// By origin: whether this lane gets all of its traffic, or nothing.
  private let takesAll: [Bool]
  private let takesNothing: [Bool]
  /// By origin: what each lane gets.
  private let shares: [[SplitShare]]
  private let position: Int
  private let key: StreamKey
  private var second: Int

  /// - Parameters:
  ///   - sources: of the service's lanes without the balancer.
  ///   - shares: by lane that has the traffic, the parts that the lanes get.
  ///   - position: the lane that this is for.
  ///   - key: of the service.
  ///   - second: from which on.
  /// Precondition: a square matrix whose rows have a positive sum.
  public init(
    _ sources: [any ArrivalSource], shares: [[Double]], position: Int, key: StreamKey, second: Int
  ) {
    precondition(shares.count == sources.count, "a row for each lane")
    precondition(
      shares.allSatisfy { $0.count == sources.count && $0.reduce(0, +) > 0 },
      "each row gives all of its traffic to somebody")
    self.shares = shares.map(SplitShare.divided)
    self.position = position
    takesNothing = shares.map { $0[position] <= 0 }
    takesAll = shares.map { row in
      row[position] > 0 && row.indices.allSatisfy { $0 == position || row[$0] <= 0 }
    }
    self.key = key.appending(0x5E0)
    self.second = second
    origins = sources.map { source in
      var source = source
      source.seek(to: .seconds(Int64(second)))
      return Origin(source: source, horizon: .seconds(Int64(second)))
    }
  }

  public var isRateLike: Bool { origins.allSatisfy { $0.source.isRateLike } }

  /// The split of an origin's arrivals of a second over the lanes.
  private func split(_ count: Int, of origin: Int, second: Int) -> [Int] {
    var parts = [Int](repeating: 0, count: origins.count)
    var bits = key.appending(UInt64(origin)).stream(UInt64(truncatingIfNeeded: second))
    Counts.split(UInt64(count), over: shares[origin], using: &bits) { parts[$0] = Int($1) }
    return parts
  }

  public func count(second: Int) -> Int {
    origins.indices.reduce(0) { sum, origin in
      guard !takesNothing[origin] else { return sum }
      let count = origins[origin].source.count(second: second)
      guard !takesAll[origin] else { return sum + count }
      return sum + split(count, of: origin, second: second)[position]
    }
  }

  public var drawsMinutes: Bool { origins.contains { $0.source.drawsMinutes } }

  public func count(
    from first: Int, seconds: Int, into counts: UnsafeMutablePointer<UInt32>
  ) {
    counts.initialize(repeating: 0, count: seconds)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: seconds) { buffer in
      guard let own = buffer.baseAddress else { return }
      for origin in origins.indices where !takesNothing[origin] {
        origins[origin].source.count(from: first, seconds: seconds, into: own)
        for offset in 0..<seconds {
          let count = Int(own[offset])
          let part =
            takesAll[origin]
            ? count : split(count, of: origin, second: first + offset)[position]
          counts[offset] += UInt32(clamping: part)
        }
      }
    }
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    var own: [Arrival] = []
    for _ in 0..<64 where own.isEmpty {
      if isExhausted { return .distantFuture }
      for origin in origins.indices { take(from: origin, into: &own) }
      second += 1
    }
    own.sort { ($0.time, $0.identity) < ($1.time, $1.identity) }
    for arrival in own { buffer.append(arrival) }
    return .seconds(Int64(second))
  }

  private var isExhausted: Bool {
    origins.indices.allSatisfy { index in
      let origin = origins[index]
      return takesNothing[index]
        || origin.horizon == .distantFuture && origin.next == origin.pending.count
    }
  }

  /// Adds this lane's part of an origin's present second.
  private mutating func take(from origin: Int, into own: inout [Arrival]) {
    guard !takesNothing[origin] else { return }
    let end = Int64(second + 1) * 1_000_000_000
    fetch(origin, before: end)
    let first = origins[origin].next
    var last = first
    while last < origins[origin].pending.count, origins[origin].pending[last].time < end {
      last += 1
    }
    origins[origin].next = last
    guard last > first else { return }
    guard !takesAll[origin] else {
      own += origins[origin].pending[first..<last]
      return
    }
    var left = split(last - first, of: origin, second: second)
    // The split has had its own draws.
    var bits = key.appending(UInt64(origin)).appending(1).stream(UInt64(second))
    for index in first..<last {
      var place = Int(bits.integer(below: UInt64(last - index)))
      let lane = left.firstIndex { count in
        place -= count
        return place < 0
      }
      guard let lane else { preconditionFailure("a split adds up") }
      left[lane] -= 1
      if lane == position { own.append(origins[origin].pending[index]) }
    }
  }

  private mutating func fetch(_ origin: Int, before end: Int64) {
    if origins[origin].next == origins[origin].pending.count {
      origins[origin].pending.removeAll(keepingCapacity: true)
      origins[origin].next = 0
    }
    var buffer = ArrivalBuffer()
    while origins[origin].horizon.nanoseconds < end {
      origins[origin].horizon = origins[origin].source.fill(&buffer)
      while !buffer.isEmpty { origins[origin].pending.append(buffer.removeFirst()) }
    }
  }

  public mutating func seek(to instant: Instant) {
    second = Int(instant.nanoseconds / 1_000_000_000)
    for origin in origins.indices {
      origins[origin].source.seek(to: .seconds(Int64(second)))
      origins[origin].pending.removeAll()
      origins[origin].next = 0
      origins[origin].horizon = .seconds(Int64(second))
    }
  }
}
