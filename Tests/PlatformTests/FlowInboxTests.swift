import ControlPlane
import Primitives
import Testing

@testable import Platform

/// Messages to a flow lane come out in order of time, and at one time in that of coming.
@Suite struct FlowInboxTests {
  @Test func anyOrderOfComing() {
    var bits = StreamKey(seed: 7, replication: 0, name: "inbox").sequence()
    var inbox = FlowInbox()
    var kept: [(at: Int64, number: UInt32)] = []
    for number in 0..<2000 as Range<UInt32> {
      let at = Int64(bits.integer(below: 300))
      inbox.put(Self.delivery(number), at: Instant(nanoseconds: at))
      kept.append((at, number))
      guard bits.integer(below: 3) == 0 else { continue }
      let first = kept.enumerated().min { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      let taken = inbox.removeFirst()
      #expect(taken.at.nanoseconds == first?.element.at)
      #expect(Self.number(taken.delivery) == first?.element.number)
      if let first { kept.remove(at: first.offset) }
    }
    let left = kept.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }.map(\.element.number)
    #expect(inbox.all.map { Self.number($0.delivery) } == left)
    #expect(FlowInbox(inbox.all).all.map(\.at) == inbox.all.map(\.at))
    for number in left { #expect(Self.number(inbox.removeFirst().delivery) == number) }
    #expect(inbox.first == nil)
  }

  private static func delivery(_ number: UInt32) -> Delivery {
    Delivery(message: .podDeleted(PodID(Int(number))), part: 0)
  }

  private static func number(_ delivery: Delivery) -> UInt32? {
    guard case .podDeleted(let pod) = delivery.message else { return nil }
    return pod.raw
  }
}
