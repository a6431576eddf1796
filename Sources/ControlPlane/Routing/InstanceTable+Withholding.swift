import Primitives

// Instances that a breaker takes out of the choice for a time. They count as present and usable all
// the same: the platform has them, and only this caller avoids them.
extension InstanceTable {
  /// Gives an instance no more requests; those that it serves end there.
  public mutating func withhold(_ slot: InstanceSlot) { limit(slot, to: 0) }

  /// Lets an instance have a single request at a time, from when it has none on.
  public mutating func offerOnTrial(_ slot: InstanceSlot) {
    limit(slot, to: min(1, most))
  }

  /// Lets the policy choose an instance as any other again.
  public mutating func offer(_ slot: InstanceSlot) { limit(slot, to: most) }

  private mutating func limit(_ slot: InstanceSlot, to most: UInt32) {
    let index = slot.index
    precondition(slots[index].isPresent, "no instance is there")
    guard slots[index].limit != most else { return }
    slots[index].limit = most
    if !slots[index].isDraining { requeue(index) }
  }
}
