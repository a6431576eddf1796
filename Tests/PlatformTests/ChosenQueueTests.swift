import Primitives
import SimulationKernel
import Testing

@testable import Platform

@Suite struct ChosenQueueTests {
  @Test(
    "more events than slots are a violation", arguments: ClusterConfiguration.QueueKind.allCases)
  func overflow(_ kind: ClusterConfiguration.QueueKind) {
    var queue = ChosenQueue<UInt64>(kind, limits: QueueLimits(slots: 3))
    for index in 0..<3 {
      queue.push(at: .seconds(Int64(9 - index)), class: EventClass(0), UInt64(index))
    }
    let before = queue.violation
    #expect(before == nil)
    queue.push(at: .seconds(5), class: EventClass(0), 3)
    let after = queue.violation
    #expect(after?.contains("more than 3 events") == true && after?.contains("5.0 s") == true)
    // What is lost stays lost, in copies too.
    #expect(queue.pop().payload == 2)
    let copy = queue.clone().violation
    #expect(copy == after)
  }
}
