import Primitives

/// How the arrivals of a block lie in it, beyond their number: gaps that are more regular than
/// Poisson's, or batches at one instant.
public struct RenewalPattern: Sendable, Equatable {
  /// Mean size of a batch, at least 1; sizes are geometric.
  public let batchMean: Double
  /// Coefficient of variation of the gaps between batches, 0 to 1: the exponential share of a
  /// gap, whose rest is constant.
  public let gapVariation: Double
  /// −ln(1 − 1/m): a geometric number is the rounded-up exponential of this rate.
  private let sizeRate: Double

  public init(batchMean: Double, gapVariation: Double) {
    self.batchMean = max(1, batchMean)
    sizeRate = batchMean > 1 ? -Elementary.log(1 - 1 / batchMean) : .infinity
    self.gapVariation = min(max(gapVariation, 0), 1)
  }

  public static let regular = RenewalPattern(batchMean: 1, gapVariation: 0)

  /// The pattern whose inter-arrival times have a given coefficient of variation c.
  ///
  /// Up to 1: gaps of mean a are (1 − c) a + c E with E exponential of mean a, so their standard
  /// deviation is c a. Above: batches of geometric size with mean m at exponential gaps of mean m
  /// a. A gap between arrivals is then 0 with probability 1 − 1/m, and E[X²] = (1/m) 2 (m a)² = 2 m
  /// a², so c² = 2 m − 1 and m = (c² + 1) / 2.
  public init(variation c: Double) {
    self =
      c <= 1
      ? RenewalPattern(batchMean: 1, gapVariation: c)
      : RenewalPattern(batchMean: (c * c + 1) / 2, gapVariation: 1)
  }
}

/// Arrivals whose number per block is known, in gaps and batches of a pattern within the block;
/// their total is kept exactly.
///
/// Given a block's n arrivals, each but the first begins a new batch with probability 1/m: the law
/// of geometric batches given their sum. The k gaps between batches are drawn and scaled to the
/// block; the first is cut in two by a phase of the service's own, so that its parts lie at both
/// ends. Everything is drawn twice, once for the total and once for the times, and nothing is
/// stored: memory does not depend on n. Batches are dealt to zones whole.
public struct RenewalSource: ArrivalSource {
  static let most = 1024

  public var isRateLike: Bool { false }

  private let counts: [UInt32]
  private let blockSeconds: Int
  private let pattern: RenewalPattern
  private let key: StreamKey
  private let lane: Int
  private let deal: PlaceDeal
  private let phase: Double
  private var block = 0
  private var walk: BlockWalk?
  private var notBefore: Int64 = 0

  /// - Parameters:
  ///   - counts: of the service, by block.
  ///   - key: of the service.
  ///   - lane: position of the lane among those that batches are dealt to.
  public init(
    counts: [UInt32], blockSeconds: Int, pattern: RenewalPattern, key: StreamKey, lane: Int,
    by deal: PlaceDeal
  ) {
    self.counts = counts
    self.blockSeconds = blockSeconds
    self.pattern = pattern
    self.key = key.appending(0x9E4E)
    self.lane = lane
    self.deal = deal
    var bits = key.appending(0x9A5E).stream(0)
    phase = bits.uniform()
  }

  public mutating func fill(_ buffer: inout ArrivalBuffer) -> Instant {
    var taken = 0
    while taken < Self.most {
      guard var current = walk ?? nextWalk() else { return .distantFuture }
      while taken < Self.most, let batch = current.next() {
        taken += 1
        guard batch.time >= notBefore, zone(of: batch.first, block: current.block) == lane else {
          continue
        }
        append(batch, block: current.block, to: &buffer)
      }
      walk = current.isAtEnd ? nil : current
    }
    if let walk { return Instant(nanoseconds: max(walk.lastTime, 0)) }
    return .seconds(Int64(block * blockSeconds))
  }

  private func append(_ batch: BlockWalk.Batch, block: Int, to buffer: inout ArrivalBuffer) {
    for number in batch.first..<(batch.first + batch.size) {
      buffer.append(
        Arrival(
          time: batch.time,
          identity: Arrival.identity(second: block * blockSeconds, k: number)))
    }
  }

  private mutating func nextWalk() -> BlockWalk? {
    while block < counts.count, counts[block] == 0 { block += 1 }
    guard block < counts.count else { return nil }
    block += 1
    return makeWalk(block - 1)
  }

  private func makeWalk(_ block: Int) -> BlockWalk {
    BlockWalk(
      block: block, count: Int(counts[block]), start: Int64(block * blockSeconds) * 1_000_000_000,
      length: Int64(blockSeconds) * 1_000_000_000, pattern: pattern, phase: phase,
      key: key.appending(UInt64(block)))
  }

  /// Batches go to zones in turn where they are regular and zones alike, else by a draw.
  private func zone(of first: Int, block: Int) -> Int {
    if deal.count == 1 { return 0 }
    if pattern == .regular, deal.isEven { return first % deal.count }
    var bits = key.appending(UInt64(block)).appending(0x20E).stream(UInt64(first))
    return deal.place(using: &bits)
  }

  /// - Complexity: linear in the arrivals of the block.
  public func count(second: Int) -> Int {
    let block = second / blockSeconds
    guard block < counts.count, counts[block] > 0 else { return 0 }
    let start = Int64(second) * 1_000_000_000
    var walk = makeWalk(block)
    var count = 0
    while let batch = walk.next(), batch.time < start + 1_000_000_000 {
      if batch.time >= start, zone(of: batch.first, block: block) == lane { count += batch.size }
    }
    return count
  }

  public mutating func seek(to instant: Instant) {
    block = Int(instant.nanoseconds / 1_000_000_000) / blockSeconds
    walk = nil
    notBefore = instant.nanoseconds
  }
}

/// The batches of one block in order, one at a time.
struct BlockWalk: Sendable {
  struct Batch {
    var time: Int64
    /// Number of its first arrival in the block.
    var first: Int
    var size: Int
  }

  let block: Int
  private let count: Int
  private let start: Int64
  private let length: Int64
  private let pattern: RenewalPattern
  private let scale: Double
  private var gaps: Xoshiro256PlusPlus
  private var sizes: Xoshiro256PlusPlus
  private var sum: Double
  private var handedOver = 0
  private(set) var lastTime: Int64

  init(
    block: Int, count: Int, start: Int64, length: Int64, pattern: RenewalPattern, phase: Double,
    key: StreamKey
  ) {
    self.block = block
    self.count = count
    self.start = start
    self.length = length
    self.pattern = pattern
    lastTime = start
    gaps = key.appending(1).sequence()
    sizes = key.appending(2).sequence()
    var dryGaps = gaps
    var drySizes = sizes
    var total = 0.0
    var first = 0.0
    var left = count
    while left > 0 {
      let gap = pattern.gap(&dryGaps)
      if left == count { first = gap }
      total += gap
      left -= pattern.size(&drySizes, most: left)
    }
    scale = total > 0 ? Double(length) / total : 0
    // The first gap reaches over the block's ends: the part before its phase lies at its end.
    sum = -first * phase
  }

  var isAtEnd: Bool { handedOver == count }

  mutating func next() -> Batch? {
    guard handedOver < count else { return nil }
    sum += pattern.gap(&gaps)
    let size = pattern.size(&sizes, most: count - handedOver)
    lastTime = start + min(max(Int64(sum * scale), 0), length - 1)
    defer { handedOver += size }
    return Batch(time: lastTime, first: handedOver, size: size)
  }
}

extension RenewalPattern {
  @inline(__always)
  fileprivate func gap(_ bits: inout Xoshiro256PlusPlus) -> Double {
    if gapVariation == 0 { return 1 }
    return 1 - gapVariation + gapVariation * ZigguratExponential.sample(using: &bits)
  }

  /// A geometric size, cut at what is left.
  @inline(__always)
  fileprivate func size(_ bits: inout Xoshiro256PlusPlus, most: Int) -> Int {
    if batchMean == 1 { return 1 }
    let drawn = ZigguratExponential.sample(using: &bits) / sizeRate
    return drawn >= Double(most) ? most : max(1, Int(drawn.rounded(.up)))
  }
}
