import Primitives
import Workload

/// Arrivals of a minute of one service, second by second, of each of its lanes, those in other
/// clusters among them.
struct CountBlock: BitwiseCopyable {
  static let seconds = 60

  /// The first second; negative: nothing is known.
  var first: Int32 = -1
  var lanes: Int32
  /// `counts[lane * 60 + second - first]`.
  var counts: UnsafeMutablePointer<UInt32>
  /// The minute whose sums are known, by lane; negative: none is.
  var minute: Int32 = -1
  var totals: UnsafeMutablePointer<UInt32>

  func holds(_ second: Int) -> Bool { first >= 0 && second / Self.seconds * Self.seconds == first }

  func count(lane: Int, second: Int) -> Int {
    Int(counts[lane * Self.seconds + second - Int(first)])
  }
}

/// What the flow lanes of a cluster know together of coming arrivals: drawing the count of a
/// service's second gives all of its lanes theirs, so that whoever asks first draws a minute for
/// all.
///
/// A cache of pure functions: no result depends on who asks, when, or in which fork. It belongs to
/// one cluster and is used by one thread at a time. 244 bytes a lane.
final class CountBlocks {
  let blocks: UnsafeMutablePointer<CountBlock>
  private let counts: UnsafeMutablePointer<UInt32>
  private let totals: UnsafeMutablePointer<UInt32>
  private let count: Int

  /// - Parameter places: of each service, in this cluster and others.
  init(places: [Int]) {
    count = places.count
    blocks = .allocate(capacity: max(1, count))
    let all = places.reduce(0, +)
    counts = .allocate(capacity: max(1, all * CountBlock.seconds))
    totals = .allocate(capacity: max(1, all))
    var first = 0
    for (index, lanes) in places.enumerated() {
      (blocks + index).initialize(
        to: CountBlock(
          lanes: Int32(lanes), counts: counts + first * CountBlock.seconds, totals: totals + first))
      first += lanes
    }
  }

  deinit {
    blocks.deallocate()
    counts.deallocate()
    totals.deallocate()
  }

  /// Arrivals are others from now on.
  func forget() {
    for index in 0..<count {
      blocks[index].first = -1
      blocks[index].minute = -1
    }
  }
}
