import Primitives

/// Instances that are idle while others have two requests, on average, under a choice of the fewest
/// requests: a request goes to an idle one, and where none is a second on some instance stays
/// there when others become idle.
///
/// With I idle instances and D second requests beside N in all, I − D = n − N, so that I is
/// max(0, n − N) and min(I, D), which is this. Its mean is of the order of √n where a load of a
/// erlangs is near n, and by β = (n − a) ÷ √n it depends little on n. The table holds it ÷ √n, as
/// the equilibrium of the Markov chain of the numbers of instances with 0, 1, 2 ... requests has it
/// (exponential services); `IdleExcessTests` solves that anew. Computed, not published.
enum IdleExcess {
  private static let columns = 19
  private static let firstBeta = -5.0
  private static let perBeta = 2.0
  /// 1 ÷ √n of the rows.
  private static let roots: InlineArray<9, Double> = [
    0, 0.11180339887498949, 0.15811388300841897, 0.22360679774997896, 0.31622776601683794,
    0.4082482904638631, 0.5, 0.5773502691896258, 0.7071067811865476,
  ]
  // swift-format-ignore
  private static let table: InlineArray<171, Double> = [
    // n without bound, from 40 and 80 by 1 ÷ √n
    0.0840, 0.0997, 0.1166, 0.1356, 0.1580, 0.1856, 0.2183, 0.2525, 0.2784, 0.2813,
    0.2504, 0.1894, 0.1181, 0.0587, 0.0220, 0.0057, 0.0009, 0.0001, 0.0000,
    // n = 80
    0.0449, 0.0558, 0.0692, 0.0861, 0.1072, 0.1336, 0.1646, 0.1970, 0.2223, 0.2280,
    0.2040, 0.1522, 0.0901, 0.0402, 0.0127, 0.0027, 0.0003, 0.0000, 0.0000,
    // n = 40
    0.0287, 0.0376, 0.0496, 0.0656, 0.0862, 0.1120, 0.1424, 0.1740, 0.1990, 0.2059,
    0.1848, 0.1368, 0.0786, 0.0325, 0.0088, 0.0014, 0.0001, 0.0000, 0.0000,
    // n = 20
    0.0136, 0.0201, 0.0294, 0.0426, 0.0607, 0.0844, 0.1129, 0.1430, 0.1677, 0.1764,
    0.1592, 0.1166, 0.0638, 0.0232, 0.0047, 0.0004, 0.0000, 0.0000, 0.0000,
    // n = 10
    0.0077, 0.0118, 0.0180, 0.0272, 0.0405, 0.0585, 0.0812, 0.1063, 0.1284, 0.1382,
    0.1263, 0.0911, 0.0459, 0.0130, 0.0013, 0.0000, 0.0000, 0.0000, 0.0000,
    // n = 6
    0.0052, 0.0082, 0.0127, 0.0195, 0.0294, 0.0430, 0.0603, 0.0799, 0.0977, 0.1065,
    0.0981, 0.0695, 0.0316, 0.0061, 0.0001, 0.0000, 0.0000, 0.0000, 0.0000,
    // n = 4
    0.0039, 0.0061, 0.0095, 0.0147, 0.0221, 0.0323, 0.0453, 0.0600, 0.0737, 0.0808,
    0.0745, 0.0515, 0.0204, 0.0020, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000,
    // n = 3
    0.0031, 0.0049, 0.0076, 0.0116, 0.0174, 0.0252, 0.0352, 0.0466, 0.0572, 0.0628,
    0.0577, 0.0388, 0.0133, 0.0004, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000,
    // n = 2
    0.0021, 0.0032, 0.0050, 0.0075, 0.0110, 0.0158, 0.0218, 0.0286, 0.0349, 0.0382,
    0.0348, 0.0221, 0.0052, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000,
  ]

  /// The mean number. Within 0.01 √n of the chain for 2 instances or more. O(1).
  static func mean(_ instances: Int, load: Double) -> Double {
    guard instances > 1, load > 0 else { return 0 }
    let root = Double(instances).squareRoot()
    let place = ((Double(instances) - load) / root - firstBeta) * perBeta
    guard place < Double(columns - 1) else { return 0 }
    let x = min(1 / root, roots[8])
    var row = 0
    while row < 7, x > roots[row + 1] { row += 1 }
    let along = (x - roots[row]) / (roots[row + 1] - roots[row])
    let value = (1 - along) * at(row, place) + along * at(row + 1, place)
    return root * value
  }

  /// Between columns by a straight line; below the first it falls on as fast as between the first
  /// two.
  private static func at(_ row: Int, _ place: Double) -> Double {
    let first = row * columns
    guard place > 0 else {
      let ratio = table[first] / table[first + 1]
      return table[first] * Elementary.pow(ratio, -place)
    }
    let column = Int(place)
    let part = place - Double(column)
    return (1 - part) * table[first + column] + part * table[first + column + 1]
  }
}
