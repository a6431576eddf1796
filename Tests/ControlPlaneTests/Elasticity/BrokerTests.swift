import ControlPlane
import Primitives
import Testing

/// Fetches, leaders of partitions, and what RocketMQ does when a message fails.
@Suite struct BrokerTests {
  /// A reader that is faster than the network gets one fetch in a round trip, and a fetch is asked
  /// for when half of the last is delivered.
  @Test(arguments: [1, 2, 5, 500] as [Int64])
  func aFetchBringsSoMuch(size: Int64) {
    var fetch = FetchWindow(size: size)
    var next: Int64 = 0
    var asked = 0
    for round in 1...20 as ClosedRange<Int64> {
      while next < fetch.end {
        next += 1
        if fetch.isDue(next: next) {
          // At half of it, rounded up, and no second time while one is under way.
          #expect(next == round * size - size / 2)
          fetch.ask()
          asked += 1
        }
      }
      #expect(next == round * size && asked == Int(round) && !fetch.isDue(next: next))
      fetch.answer()
    }
    let generation = fetch.generation
    fetch.restart(at: 7)
    #expect(fetch.end == 7 && fetch.isDue(next: 7) && fetch.generation != generation)
  }

  @Test func leadersFollowCrashes() {
    var leaders = PartitionLeaders(partitions: 7, brokers: 3, first: 2, hasOtherZones: false)
    #expect(leaders.leaders == [2, 0, 1, 2, 0, 1, 2])
    #expect(leaders.lose(2) == [0, 3, 6] && !leaders.isLed[3] && leaders.isLed[1])
    #expect(leaders.elect(insteadOf: 2) == [0, 3, 6])
    #expect(leaders.leaders == [0, 0, 1, 0, 0, 1, 0] && leaders.isLed.allSatisfy { $0 })
    // What has another leader stays there.
    #expect(leaders.restore(2) == [] && leaders.leaders[0] == 0)
    #expect(leaders.lose(0).count == 5 && leaders.lose(1).count == 2)
    // An election that comes after the broker is back is none.
    #expect(leaders.restore(1) == [2, 5] && leaders.elect(insteadOf: 1) == [])
    #expect(leaders.elect(insteadOf: 0).count == 5 && leaders.leaders.allSatisfy { $0 == 1 })

    // Alone: nobody can be elected, unless there are other zones.
    var alone = PartitionLeaders(partitions: 2, brokers: 1, first: 0, hasOtherZones: false)
    #expect(alone.lose(0) == [0, 1] && alone.elect(insteadOf: 0) == [])
    #expect(alone.restore(0) == [0, 1])
    var zoned = PartitionLeaders(partitions: 2, brokers: 1, first: 0, hasOtherZones: true)
    #expect(zoned.lose(0) == [0, 1] && zoned.elect(insteadOf: 0) == [0, 1])
    #expect(zoned.restore(0) == [] && zoned.leaders[0] == PartitionLeaders.elsewhere)
  }

  /// RocketMQ's documentation has the times of the sixteen repetitions.
  @Test func repetitionsTakeLongerEachTime() {
    let minutes: [Double] = [
      1.0 / 6, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 60, 120,
    ]
    let delays = (1...16).compactMap { RetryLevels.delay(afterFailures: $0) }
    #expect(delays.map { $0.seconds } == minutes.map { ($0 * 60).rounded() })
    #expect(RetryLevels.delay(afterFailures: 17) == nil)
    #expect(RetryLevels.delay(afterFailures: 3, most: 2) == nil)
    #expect(RetryLevels.delay(afterFailures: 1, most: 0) == nil)
  }

  /// Messages that are gone are passed over; a prefix that waits for an answer waits on.
  @Test func windowsPassOverWhatIsGone() {
    var window = DeliveryWindow(width: 2)
    let atOnce = window.skip(to: 5)
    #expect(atOnce == 5 && window.committed == 5 && window.next == 5)
    let first = window.deliver(most: 1, logEnd: 100)
    let behind = window.skip(to: 50)
    #expect(behind == 0 && window.next == 50 && window.committed == 5 && window.doneAhead == 44)
    // Both places are taken.
    let none = window.skip(to: 60)
    #expect(none == nil && window.next == 50 && !window.hasRoom)
    let grown = first.flatMap { window.complete($0) }
    #expect(grown == 45 && window.committed == 50 && window.doneAhead == 0 && window.hasRoom)
    // What the next owner does not know as committed comes again.
    let again = window.reset(to: 20)
    #expect(again == 30 && window.committed == 20 && window.next == 20)
  }
}
