import ControlPlane
import HeapModule
import Primitives

/// Chooses idle instances to give up when no node has room, from what the nodes' agents have
/// reported.
///
/// Order by rule: `lru` by the instance's own last use; `faascache-lru` by the last use of its
/// *function*, which all its instances share, and within a function the oldest pod. A heap for each
/// zone with lazy correction: keys only grow, so an entry that is found too old is put back where
/// it belongs. O(log n) a change.
struct Evictor: Sendable {
  private struct Candidate: Sendable, Comparable {
    var lastUse: Int64
    var pod: PodID

    static func < (a: Candidate, b: Candidate) -> Bool {
      (a.lastUse, a.pod.raw) < (b.lastUse, b.pod.raw)
    }
  }

  let rule: EvictionRule
  private var functionUse: [Int64]
  private var heaps: [Heap<Candidate>]
  /// By pod: whether it is idle as far as is known, and whether it is in a heap.
  private var isIdle: [Bool] = []
  private var isListed: [Bool] = []

  init(rule: EvictionRule, services: Int, zones: Int) {
    self.rule = rule
    functionUse = Array(repeating: .min, count: services)
    heaps = Array(repeating: Heap(), count: zones)
  }

  /// A pod has become busy or idle, or has been used.
  mutating func note(_ record: PodDirectory.Pod, _ pod: PodID, zone: ZoneID) {
    guard rule != .none else { return }
    while isIdle.count <= pod.index {
      isIdle.append(false)
      isListed.append(false)
    }
    let service = record.service.index
    functionUse[service] = max(functionUse[service], record.lastUse.nanoseconds)
    isIdle[pod.index] = record.isIdle
    guard record.isIdle, !isListed[pod.index] else { return }
    isListed[pod.index] = true
    heaps[zone.index].insert(Candidate(lastUse: key(record), pod: pod))
  }

  mutating func forget(_ pod: PodID) {
    if pod.index < isIdle.count { isIdle[pod.index] = false }
  }

  /// The next pod to give up in a zone; it is not named again before it has been used again.
  mutating func next(in zone: ZoneID, _ pods: PodDirectory) -> PodID? {
    while let candidate = heaps[zone.index].popMin() {
      guard isIdle[candidate.pod.index] else {
        isListed[candidate.pod.index] = false
        continue
      }
      let current = key(pods[candidate.pod])
      if current > candidate.lastUse {
        heaps[zone.index].insert(Candidate(lastUse: current, pod: candidate.pod))
        continue
      }
      isListed[candidate.pod.index] = false
      isIdle[candidate.pod.index] = false
      return candidate.pod
    }
    return nil
  }

  private func key(_ record: PodDirectory.Pod) -> Int64 {
    rule == .faascacheLRU ? functionUse[record.service.index] : record.lastUse.nanoseconds
  }
}
