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
  private struct State: Sendable {
    /// As far as is known.
    var isIdle = false
    /// It is in its zone's heap.
    var isListed = false
  }

  /// By pod, as long as it lives; asked only for keys.
  private var states: [PodID: State] = [:]

  init(rule: EvictionRule, services: Int, zones: Int) {
    self.rule = rule
    functionUse = Array(repeating: .min, count: services)
    heaps = Array(repeating: Heap(), count: zones)
  }

  /// A pod has become busy or idle, or has been used.
  mutating func note(_ record: PodDirectory.Pod, _ pod: PodID, zone: ZoneID) {
    guard rule != .none else { return }
    let service = record.service.index
    functionUse[service] = max(functionUse[service], record.lastUse.nanoseconds)
    var state = states[pod] ?? State()
    defer { states[pod] = state }
    state.isIdle = record.isIdle
    guard record.isIdle, !state.isListed else { return }
    state.isListed = true
    heaps[zone.index].insert(Candidate(lastUse: key(record), pod: pod))
  }

  /// A pod is no more. Its place in the heap goes when it comes up, or with many others.
  mutating func forget(_ pod: PodID, zone: ZoneID) {
    guard states.removeValue(forKey: pod) != nil else { return }
    guard heaps[zone.index].count > 64, heaps[zone.index].count > 2 * states.count else { return }
    let live = heaps[zone.index].unordered.filter { states[$0.pod] != nil }
    heaps[zone.index] = Heap(live)
  }

  /// The next pod to give up in a zone; it is not named again before it has been used again.
  mutating func next(in zone: ZoneID, _ pods: PodDirectory) -> PodID? {
    while let candidate = heaps[zone.index].popMin() {
      guard states[candidate.pod]?.isIdle == true else {
        states[candidate.pod]?.isListed = false
        continue
      }
      let current = key(pods[candidate.pod])
      if current > candidate.lastUse {
        heaps[zone.index].insert(Candidate(lastUse: current, pod: candidate.pod))
        continue
      }
      states[candidate.pod] = State()
      return candidate.pod
    }
    return nil
  }

  private func key(_ record: PodDirectory.Pod) -> Int64 {
    rule == .faascacheLRU ? functionUse[record.service.index] : record.lastUse.nanoseconds
  }
}
