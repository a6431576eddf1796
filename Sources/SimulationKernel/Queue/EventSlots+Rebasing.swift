extension EventSlots {
  /// Numbers all live events again, from 1, in the order of their sequences, and gives the new
  /// words by slot.
  ///
  /// The caller has removed dead keys, and replaces the word of every other one. Handles that were
  /// given before stay valid; they carry the count of re-basings, and are looked up by slot. O(n
  /// log n) for n pending events, once in 2³⁶ pushes.
  @usableFromInline
  mutating func rebase() -> [UInt64] {
    precondition(dead == 0, "a dead key would take a live event's new word")
    var handles = [EventHandle](repeating: .none, count: used)
    var words = [UInt64](repeating: 0, count: used)
    var pending: [UInt64] = []
    pending.reserveCapacity(live)
    for slot in 0..<used {
      let word = self[slot].word
      guard word > EventKey.slotMask else { continue }
      pending.append(word & Self.withoutClass)
      words[slot] = word
      handles[slot] =
        EventKey.sequence(ofWord: word) <= rebasedSequences
        ? earlierHandles[slot] : handle(ofWord: word)
    }
    // Without the class in front, words are in the order of their sequences.
    pending.sort()
    for (index, word) in pending.enumerated() {
      let slot = Int(word & EventKey.slotMask)
      let rank = words[slot] & ~Self.withoutClass
      words[slot] = rank | UInt64(index + 1) << EventKey.slotBits | UInt64(slot)
      slots.unsafelyUnwrapped[slot].word = words[slot]
    }
    earlierPushes += nextSequence - 1 - rebasedSequences
    earlierHandles = handles
    rebasedSequences = UInt64(pending.count)
    nextSequence = rebasedSequences + 1
    rebasings += 1
    return words
  }
}
