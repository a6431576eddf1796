import Primitives

/// Deals single things over places by the places' weights, each by a draw of its own.
public struct PlaceDeal: Sendable, Equatable {
  private let weights: [Double]
  private let sum: Double
  /// All weigh the same: a whole number is drawn.
  let isEven: Bool

  /// Precondition: a place at least, no weight is negative, some is positive.
  public init(_ weights: [Double]) {
    precondition(
      weights.allSatisfy { $0 >= 0 } && weights.contains { $0 > 0 }, "some place must have weight")
    self.weights = weights
    sum = weights.reduce(0, +)
    isEven = weights.allSatisfy { $0 == weights[0] }
  }

  public init(even count: Int) { self.init(Array(repeating: 1, count: max(1, count))) }

  public var count: Int { weights.count }

  /// The place of one thing; one word, and none where there is one place.
  func place(using bits: inout some BitSource) -> Int {
    guard weights.count > 1 else { return 0 }
    if isEven { return Int(bits.integer(below: UInt64(weights.count))) }
    var left = bits.uniform() * sum
    var last = 0
    for (place, weight) in weights.enumerated() where weight > 0 {
      left -= weight
      if left < 0 { return place }
      last = place
    }
    // Rounding alone comes here.
    return last
  }
}
