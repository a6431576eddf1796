import Primitives

/// Deals properties to the members of a group, the most popular first, so that each property has
/// its law among any run of neighbours: the ten busiest services, which carry two fifths of the
/// traffic, do not all become slow by one draw.
///
/// Each property is an additive sequence u_i = frac(u_0 + i α) with an irrational α of its own and
/// a keyed beginning (Weyl 1916): its share in any interval is right to within O(log n) members,
/// and pairs of properties are spread over the square. Member i's value depends on i alone.
public struct MemberDeal: Sendable {
  /// What is dealt: each has a rotation of its own.
  public enum Property: Int, Sendable, CaseIterable {
    case pattern, runtime, shape, serviceTime, phase, zone, activity, variation, tenant
  }

  /// Fractional parts of square roots of primes: irrational, and independent over the rationals.
  private static let rotations: [Double] = [2, 3, 5, 7, 11, 13, 17, 19, 23].map { prime in
    let root = Double(prime).squareRoot()
    return root - root.rounded(.down)
  }

  private let beginnings: [Double]

  /// - Parameter key: of the group.
  public init(key: StreamKey) {
    var bits = key.appending(0xDEA1).sequence()
    beginnings = Property.allCases.map { _ in bits.uniform() }
  }

  /// A number in (0, 1).
  public func uniform(_ property: Property, of member: Int) -> Double {
    let turned =
      beginnings[property.rawValue] + Double(member) * Self.rotations[property.rawValue]
    let part = turned - turned.rounded(.down)
    return min(max(part, 0x1p-53), 1 - 0x1p-53)
  }

  /// A standard normal number.
  public func normal(_ property: Property, of member: Int) -> Double {
    Elementary.normalQuantile(uniform(property, of: member))
  }

  /// One of some things by their shares, which need not add up to 1.
  /// - Precondition: a share is positive.
  public func choice(_ property: Property, of member: Int, shares: [Double]) -> Int {
    var left = uniform(property, of: member) * shares.reduce(0, +)
    for (index, share) in shares.enumerated() {
      left -= share
      if left < 0 { return index }
    }
    return shares.lastIndex { $0 > 0 } ?? 0
  }
}
