import ControlPlane
import Testing

/// What an explanation says of a placement is what `place` goes by.
@Suite struct PlacementCandidatesTests {
  @Test(arguments: PlacementPolicy.allCases)
  func theFirstCandidateIsTaken(policy: PlacementPolicy) {
    var table = NodeTable(
      nodes: (1...5).map { NodeCapacity(cpuMilli: 1000 * Int64($0), memoryMiB: 1000) },
      policy: policy)
    for _ in 0..<12 {
      let found = table.candidates(cpuMilli: 700, memoryMiB: 200)
      for candidate in found {
        let score =
          policy == .leastAllocated
          ? table.leastAllocatedScore(candidate.node) : table.mostAllocatedScore(candidate.node)
        #expect(candidate.score == score)
      }
      #expect(table.place(cpuMilli: 700, memoryMiB: 200) == found.first?.node)
    }
    // 1 + 2 + 4 + 5 + 5 pods have room: by processors, then by memory.
    #expect(table.podCount == 12)
  }
}
