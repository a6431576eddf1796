// The rule for rates: what comes of it where requests are many.
extension PriorityShedding {
  /// What is let in of what is offered by importance, where offers are even and many: an importance
  /// gets in while all that is more important and itself take no more than its share of the room.
  ///
  /// That is where the rule for single requests comes to rest: while the less important are below
  /// their share of what is in flight, everything is let in; from there on each of them only gets
  /// what the more important leave of its share.
  ///
  /// - Parameters:
  ///   - offered: by importance, 0 the most important; not negative.
  ///   - shares: percent by importance, none above the one before it.
  ///   - room: in units of `offered`.
  public static func admitted(
    _ offered: SIMD8<Double>, shares: [Int], room: Double
  ) -> SIMD8<Double> {
    var admitted = SIMD8<Double>(repeating: 0)
    var sum = 0.0
    for level in 0..<mostLevels {
      let share = shares[min(level, shares.count - 1)]
      admitted[level] = max(0, min(offered[level], room * Double(share) / 100 - sum))
      sum += admitted[level]
    }
    return admitted
  }
}
