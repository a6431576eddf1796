import Primitives
import Testing

@testable import SimulationKernel

/// What must be true of a ladder's inside between any two calls.
@Suite("Radix ladder: structure")
struct LadderStructureTests {
  private func check(_ ladder: borrowing RadixLadder<UInt64>) {
    var keys: [EventKey] = []
    for index in ladder.front.head..<ladder.front.end { keys.append(ladder.front.keys[index]) }
    let isSorted = zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
    #expect(isSorted)
    let frontEnd = ladder.frontEnd
    #expect(keys.allSatisfy { $0.time <= frontEnd })
    // Whatever the times and classes, a front is short.
    let (limit, most) = (ladder.frontLimit, 2 * RadixLadderShape.countedLimit)
    #expect(keys.count <= limit && limit <= most)
    if ladder.rungs.areTied, let last = keys.last, last.time == frontEnd {
      let tied = ladder.rungs.firstBucket
      #expect(last.classBucket <= tied)
    }
    var misplaced = 0
    var occupied: UInt32 = 0
    for bucket in ladder.rungs.occupiedBuckets {
      occupied |= 1 << UInt32(bucket >> 6)
      let isMarked = ladder.rungs.values[bucket >> 6] >> UInt(bucket & 63) & 1 == 1
      if !isMarked { misplaced += 1 }
      // The newest key of each time and class.
      var newest: [[UInt64]: UInt64] = [:]
      ladder.rungs.chain(bucket).forEachChunk { _, chunk, count in
        if count == 0 { misplaced += 1 }
        for index in 0..<count {
          let key = chunk[index]
          if key.time < frontEnd || Rungs.bucket(of: key, base: frontEnd) != bucket {
            misplaced += 1
          }
          let kind = [key.time, UInt64(key.classBucket)]
          if newest[kind, default: 0] >= key.word { misplaced += 1 }
          newest[kind] = key.word
          keys.append(key)
        }
      }
    }
    #expect(misplaced == 0)
    let summary = ladder.rungs.occupied
    #expect(summary == occupied)
    // Each live event has one key, and the others are counted.
    var live = 0
    for key in keys where ladder.slots.isLive(key) { live += 1 }
    let (expectedLive, expectedDead) = (ladder.slots.live, ladder.slots.dead)
    #expect(live == expectedLive && keys.count - live == expectedDead)
  }

  @Test(arguments: 1...16)
  func holdsAtAllTimes(_ seed: Int) {
    var bits = SplitMix64(seed: UInt64(seed))
    var ladder = RadixLadder<UInt64>(limits: QueueLimits(slots: 2_000, sequences: 5_000))
    var handles: [EventHandle] = []
    let spread = [3, 20, 45, 60][seed % 4]
    var tiedSteps = 0
    for step in 0..<6_000 {
      // Waves: the queue fills up and runs dry in turn.
      let isFilling = step / 700 % 2 == 0
      switch bits.next() % 8 {
      case 0: _ = ladder.nextTime()
      case 1, 2:
        if let handle = handles.popLast() { ladder.cancel(handle) }
      case 3..<(isFilling ? 7 : 4):
        let distance = Int64(bits.next() & (1 << (bits.next() % UInt64(spread)) - 1))
        let time = Int64(ladder.lastPopped).addingReportingOverflow(distance)
        let handle = ladder.push(
          at: time.overflow ? .distantFuture : Instant(nanoseconds: time.partialValue),
          class: EventClass(UInt8(bits.next() % 16)), 0)
        handles.insert(handle, at: Int(bits.next() % UInt64(handles.count + 1)))
      default:
        if !ladder.isEmpty { _ = ladder.pop() }
      }
      if step % 61 == 0 { check(ladder) }
      if ladder.rungs.areTied { tiedSteps += 1 }
    }
    #expect(tiedSteps > 100 || spread > 3)
    check(ladder)
    #expect(holds(ladder.work.rebasings > 0 || ladder.work.pushes <= 5_000))
    #expect(holds(ladder.overflow == nil))
  }

  @Test("ranking orders any chunk, however alike its times are", arguments: 1...31)
  func ranking(_ count: Int) {
    var bits = SplitMix64(seed: UInt64(count))
    let scratch = UnsafeMutablePointer<Int32>.allocate(capacity: 2 * FrontRun.mostRanked)
    scratch.initialize(repeating: 0, count: 2 * FrontRun.mostRanked)
    defer { scratch.deallocate() }
    for rung in 1...11 {
      for distinct in [1, 3, 1 << 20] as [UInt64] {
        let range = min(UInt64(1) << Rungs.shift(ofRung: rung), 1 << 62)
        var keys = (0..<count).map { index in
          let time = bits.next() % distinct % range
          return EventKey(time: time, word: (bits.next() % 16) << 60 | UInt64(index + 1) << 24)
        }
        var front = FrontRun()
        keys.withUnsafeMutableBufferPointer {
          front.appendRanked(
            $0.baseAddress!, count: count, first: 0, rung: rung, scratch: scratch)
        }
        var ranked: [EventKey] = []
        for index in 0..<front.end { ranked.append(front.keys[index]) }
        #expect(ranked == keys.sorted())
      }
    }
  }

  @Test("counting orders a bucket, or leaves it alone", arguments: 3...11)
  func counting(_ rung: Int) {
    var bits = SplitMix64(seed: UInt64(rung))
    let scratch = UnsafeMutablePointer<Int32>.allocate(capacity: FrontRun.parts)
    scratch.initialize(repeating: 0, count: FrontRun.parts)
    defer { scratch.deallocate() }
    let range = UInt64(1) << Rungs.shift(ofRung: rung)
    for count in [32, 100, 320] {
      // The last are so alike that they fall into one part.
      for spread in [range, range / 2, range / 300] {
        var rungs = Rungs()
        rungs.allocate()
        var keys: [EventKey] = []
        for index in 0..<count {
          let key = EventKey(
            time: range + bits.next() % spread,
            word: (bits.next() % 16) << 60 | UInt64(index + 1) << 24)
          keys.append(key)
          rungs.put(key, bucket: rung << 6 | 1)
        }
        var front = FrontRun()
        let isTaken = front.appendCounted(
          rungs.chain(rung << 6 | 1), count: count, first: range, rung: rung, scratch: scratch)
        var sorted: [EventKey] = []
        for index in 0..<front.end { sorted.append(front.keys[index]) }
        #expect(isTaken == (spread > range / 300))
        #expect(sorted == (isTaken ? keys.sorted() : []))
      }
    }
  }
}
