/// What was seen in each slot of the past days.
public struct DayProfile: Sendable, Equatable {
  public let slotsPerDay: Int
  public let days: Int
  /// By slot of the day, then by day in a ring.
  private var values: [Double]
  /// Slots that were recorded.
  public private(set) var count = 0

  /// Precondition: both are positive.
  public init(slotsPerDay: Int, days: Int) {
    precondition(slotsPerDay > 0 && days > 0, "a profile has slots and days")
    self.slotsPerDay = slotsPerDay
    self.days = days
    values = Array(repeating: 0, count: slotsPerDay * days)
  }

  public mutating func record(_ value: Double) {
    values[place(count)] = value
    count += 1
  }

  private func place(_ slot: Int) -> Int {
    slot % slotsPerDay * days + slot / slotsPerDay % days
  }

  /// The values that the slot so many steps ahead had on past days, the latest day first.
  /// O(days).
  public func past(_ steps: Int) -> [Double] {
    var slot = count - 1 + max(1, steps) - slotsPerDay
    // More than a day ahead is known by the days before.
    while slot >= count { slot -= slotsPerDay }
    var found: [Double] = []
    while slot >= 0 && found.count < days && slot >= count - slotsPerDay * days {
      found.append(values[place(slot)])
      slot -= slotsPerDay
    }
    return found
  }

  /// The mean over past days; nil on the first.
  public func mean(_ steps: Int) -> Double? {
    let found = past(steps)
    return found.isEmpty ? nil : found.reduce(0, +) / Double(found.count)
  }

  /// The greatest of past days; nil on the first.
  public func greatest(_ steps: Int) -> Double? { past(steps).max() }
}
