import ControlPlane

/// Which machines of one table could go together: a picture of the table in which the pods of each
/// that could go are elsewhere already.
///
/// As Cluster Autoscaler's planner has it (`core/scaledown/planner/planner.go`, `categorizeNodes`,
/// with `simulator.RemovalSimulator`, which keeps what it has tried with success): candidates are
/// looked at one after another, one that could go takes no pod of the next, and the pods of both
/// need room at once.
struct RemovalPlan {
  /// A pod that would have to be elsewhere.
  struct Pod {
    var shape: ShapeConfiguration
    /// By position, the platform's last.
    var tenant: Int
  }

  private var picture: NodeTable
  private let table: Int
  private let tenants: TenantLedger
  /// By position: pods that have come there in the picture; asked only for keys.
  private var newcomers: [Int: [Pod]] = [:]

  init(_ picture: NodeTable, table: Int, _ tenants: TenantLedger) {
    self.picture = picture
    self.table = table
    self.tenants = tenants
  }

  /// Finds places for pods of a machine that is being emptied, as far as there are any.
  mutating func empty(_ position: Int, _ own: [Pod]) {
    for pod in own {
      picture.release(position, cpuMilli: pod.shape.cpuMilli, memoryMiB: pod.shape.memoryMiB)
      if let place = place(pod) { newcomers[place, default: []].append(pod) }
    }
  }

  /// Takes a machine away if all of its pods have room on others, within what reserves leave; else
  /// everything is as before. O(pods of the machine × log machines).
  mutating func remove(_ position: Int, _ own: [Pod]) -> Bool {
    let moving = own + (newcomers[position] ?? [])
    picture.setOpen(position, false)
    for pod in moving {
      picture.release(position, cpuMilli: pod.shape.cpuMilli, memoryMiB: pod.shape.memoryMiB)
    }
    var taken: [(position: Int, pod: Pod)] = []
    for pod in moving {
      guard let place = place(pod) else { break }
      taken.append((place, pod))
    }
    if taken.count == moving.count {
      for (place, pod) in taken { newcomers[place, default: []].append(pod) }
      return true
    }
    for (place, pod) in taken {
      picture.release(place, cpuMilli: pod.shape.cpuMilli, memoryMiB: pod.shape.memoryMiB)
    }
    picture.setOpen(position, true)
    for pod in moving {
      _ = picture.place(
        on: position, cpuMilli: pod.shape.cpuMilli, memoryMiB: pod.shape.memoryMiB)
    }
    return false
  }

  /// Room as Kubernetes would give it to the pod that is made for one that goes.
  private mutating func place(_ pod: Pod) -> Int? {
    let whole = picture.openCPUMilli
    guard
      tenants.leavesReserves(
        pod.tenant, taking: pod.shape.cpuMilli, of: whole - picture.allocatedCPUMilli, whole: whole,
        table: table, insteadOf: pod.shape.cpuMilli)
    else { return nil }
    return picture.place(cpuMilli: pod.shape.cpuMilli, memoryMiB: pod.shape.memoryMiB)
  }
}

extension Kubernetes {
  /// A machine of which little is asked.
  struct RemovalCandidate {
    var node: Int
    var pods: [RemovalPlan.Pod]
    /// Whether none of its pods is on its way to serve.
    var isSettled: Bool
    /// Whether it could go.
    var canMove = false
  }

  /// Finds out which of some machines could go, all of them together: first those without pods,
  /// then those that could at the last look, so that two which could each take the other's pods are
  /// not both needed by turns, then the others. (`emptycandidates` and `previouscandidates` of
  /// Cluster Autoscaler's `processors/scaledowncandidates`.) Of the others, and of those of the
  /// last look, so many with pods are looked at.
  ///
  /// - Parameters:
  ///   - candidates: ascending; those that were looked at come back in this order.
  ///   - emptied: pods of machines that are being emptied, by machine, ascending.
  /// - Complexity: O(candidates × pods × log machines), and a copy of each table in question.
  mutating func removable(
    _ candidates: [RemovalCandidate], mostWithPods: Int,
    emptied: [(node: Int, pods: [RemovalPlan.Pod])]
  ) -> [RemovalCandidate] {
    var candidates = candidates
    let looked =
      candidates.indices.filter { candidates[$0].pods.isEmpty }
      + (candidates.indices.filter { isUnneeded(candidates[$0]) }
      + candidates.indices.filter { !isUnneeded(candidates[$0]) && !candidates[$0].pods.isEmpty })
      .prefix(mostWithPods)
    var plans: [RemovalPlan?] = Array(repeating: nil, count: nodeTables.count)
    for index in looked {
      let place = layout.nodes[candidates[index].node]
      guard let table = place.table, candidates[index].isSettled else { continue }
      if plans[table] == nil { plans[table] = plan(of: table, emptied) }
      candidates[index].canMove =
        plans[table]?.remove(place.position, candidates[index].pods) ?? false
    }
    let found = looked.sorted().map { candidates[$0] }
    unneeded = Set(found.filter(\.canMove).map(\.node))
    return found
  }

  private func isUnneeded(_ candidate: RemovalCandidate) -> Bool {
    !candidate.pods.isEmpty && unneeded.contains(candidate.node)
  }

  private func plan(
    of table: Int, _ emptied: [(node: Int, pods: [RemovalPlan.Pod])]
  ) -> RemovalPlan {
    var plan = RemovalPlan(nodeTables[table], table: table, tenants)
    for (node, pods) in emptied where layout.nodes[node].table == table {
      plan.empty(layout.nodes[node].position, pods)
    }
    return plan
  }
}
