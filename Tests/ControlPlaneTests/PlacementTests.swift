import ControlPlane
import Primitives
import Testing

/// Nodes against a list that is searched.
@Suite struct PlacementTests {
  @Test(arguments: PlacementPolicy.allCases) func placesLikeASearch(policy: PlacementPolicy) {
    var bits = Xoshiro256PlusPlus(seed: 9)
    func random(_ bound: Int) -> Int { Int(bits.integer(below: UInt64(bound))) }
    let capacities = (0..<23).map { index in
      NodeCapacity(cpuMilli: 4000 + Int64(index % 3) * 4000, memoryMiB: 8192)
    }
    var table = NodeTable(nodes: capacities, policy: policy)
    var used = capacities.map { _ in NodeCapacity(cpuMilli: 0, memoryMiB: 0) }
    var pods: [(node: Int, cpu: Int64, memory: Int64)] = []
    var refused = 0
    for _ in 0..<20_000 {
      if random(5) < 3 {
        let (cpu, memory) = (Int64(100 + random(900)), Int64(64 + random(1500)))
        let score = policy == .leastAllocated ? ResourceScore.least : ResourceScore.most
        let fitting = capacities.indices.filter {
          used[$0].cpuMilli + cpu <= capacities[$0].cpuMilli
            && used[$0].memoryMiB + memory <= capacities[$0].memoryMiB
        }
        func total(_ node: Int) -> Int64 {
          (score(used[node].cpuMilli, capacities[node].cpuMilli)
            + score(used[node].memoryMiB, capacities[node].memoryMiB)) / 2
        }
        let expected = fitting.max { (total($0), -$0) < (total($1), -$1) }
        let found = table.place(cpuMilli: cpu, memoryMiB: memory)
        #expect(found == expected)
        guard let found else {
          refused += 1
          continue
        }
        used[found].cpuMilli += cpu
        used[found].memoryMiB += memory
        pods.append((found, cpu, memory))
      } else if !pods.isEmpty {
        let pod = pods.remove(at: random(pods.count))
        table.release(pod.node, cpuMilli: pod.cpu, memoryMiB: pod.memory)
        used[pod.node].cpuMilli -= pod.cpu
        used[pod.node].memoryMiB -= pod.memory
      }
      #expect(table.podCount == pods.count)
      #expect(table.allocatedCPUMilli == pods.reduce(0) { $0 + $1.cpu })
    }
    #expect(refused > 100)
  }
}
