import Primitives

// Processors that calls want. A call adds to what its instance's node is wanted by from then to the
// end of the epoch, and takes it away when it ends; what all calls of the lane use follows from the
// same sums, so that a call touches nothing else.
extension LaneCore {
  /// From now on the node of an instance is wanted by so many more cores.
  @inline(__always)
  mutating func demand(_ cores: Double, _ index: Int, at now: Instant) {
    let remaining = Double(surroundings.epochEnd.nanoseconds &- now.nanoseconds)
    if !instances[index].isChanged { noteChange(index) }
    instances[index].coreChange += cores
    instances[index].coreNanoseconds += cores * remaining
  }

  @inline(never) private mutating func noteChange(_ index: Int) {
    instances[index].isChanged = true
    changedInstances.append(index)
  }

  /// Tells nodes what has changed in the epoch that ends. O(changed instances).
  mutating func publishCores(_ demand: inout Demand) {
    integrateCores(to: surroundings.epochEnd)
    for index in changedInstances {
      let state = instances[index]
      publish(
        DepartedDemand(
          node: state.node, cores: state.coreChange, coreNanoseconds: state.coreNanoseconds),
        &demand)
      instances[index].coreChange = 0
      instances[index].coreNanoseconds = 0
      instances[index].isChanged = false
    }
    changedInstances.removeAll(keepingCapacity: true)
    for departed in departedDemand { publish(departed, &demand) }
    departedDemand.removeAll(keepingCapacity: true)
    coresWanted -= coresTakenIn
    coresTakenIn = 0
  }

  private mutating func publish(_ change: DepartedDemand, _ demand: inout Demand) {
    demand.add(
      cores: change.cores, sinceThen: change.coreNanoseconds, node: Int(change.node))
    coresWanted += change.cores
    counters.coreSeconds += change.coreNanoseconds * 1e-9
  }

  /// Advances the integral of what is published to `now`.
  mutating func integrateCores(to now: Instant) {
    counters.coreSeconds += coresWanted * (now - coresIntegratedTo).seconds
    coresIntegratedTo = now
  }

  /// Core seconds up to an instant of an epoch that is not published. O(changed instances).
  func coreSeconds(at now: Instant) -> Double {
    let rest = Double((surroundings.epochEnd - now).count)
    var changed = coresTakenIn * rest
    for index in changedInstances {
      changed += instances[index].coreNanoseconds - instances[index].coreChange * rest
    }
    for departed in departedDemand {
      changed += departed.coreNanoseconds - departed.cores * rest
    }
    let steady = coresWanted * (now - coresIntegratedTo).seconds
    return counters.coreSeconds + steady + changed * 1e-9
  }
}
