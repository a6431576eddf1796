/// Rows of settings in which every two possible settings of different axes meet at least once.
///
/// A covering array of strength two, made greedily: the next row is the one with the most pairs
/// that have not met, of equally good ones the first in a keyed order. Deterministic. O(rows ×
/// possible rows × axes²).
public struct PairwiseDesign: Sendable {
  /// By row, the level on each axis.
  public let rows: [[Int]]
  /// Pairs of levels that no possible row has.
  public let impossiblePairs: Int

  /// - Parameters:
  ///   - levels: how many each axis has.
  ///   - variant: another one gives other rows with the same property.
  ///   - isPossible: whether a whole row can be.
  public init(levels: [Int], variant: UInt64 = 0, isPossible: ([Int]) -> Bool) {
    let all = Self.product(levels)
    let possible = all.filter(isPossible)
    let order = possible.indices.sorted {
      (Self.mixed($0, variant), $0) < (Self.mixed($1, variant), $1)
    }
    let pairs = PairNumbers(levels)
    func marked(_ rows: [[Int]]) -> [Bool] {
      var found = [Bool](repeating: false, count: pairs.count)
      for row in rows { pairs.forEach(row) { found[$0] = true } }
      return found
    }
    var isOpen = marked(possible)
    var left = isOpen.count { $0 }
    impossiblePairs = marked(all).count { $0 } - left
    var rows: [[Int]] = []
    while left > 0 {
      var best: (row: [Int], gain: Int) = ([], 0)
      for index in order {
        var gain = 0
        pairs.forEach(possible[index]) { if isOpen[$0] { gain += 1 } }
        if gain > best.gain { best = (possible[index], gain) }
      }
      pairs.forEach(best.row) { isOpen[$0] = false }
      left -= best.gain
      rows.append(best.row)
    }
    self.rows = rows
  }

  private static func product(_ levels: [Int]) -> [[Int]] {
    levels.reduce([[]]) { rows, count in rows.flatMap { row in (0..<count).map { row + [$0] } } }
  }

  /// Which of equally good rows comes first must not follow the order of the levels.
  private static func mixed(_ index: Int, _ variant: UInt64) -> UInt64 {
    var word = UInt64(index) &+ variant &* 0x9E37_79B9_7F4A_7C15
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// Numbers of all pairs of levels on different axes.
  private struct PairNumbers {
    private let levels: [Int]
    private var first: [[Int]] = []
    private(set) var count = 0

    init(_ levels: [Int]) {
      self.levels = levels
      for a in levels.indices {
        first.append([])
        for b in levels.indices where b > a {
          first[a].append(count)
          count += levels[a] * levels[b]
        }
      }
    }

    func forEach(_ row: [Int], _ body: (Int) -> Void) {
      for a in levels.indices {
        for b in a + 1..<max(a + 1, levels.count) {
          body(first[a][b - a - 1] + row[a] * levels[b] + row[b])
        }
      }
    }
  }
}
