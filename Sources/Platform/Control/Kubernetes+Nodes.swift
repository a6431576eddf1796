import ControlPlane
import Primitives

// Room: on machines that are there, on virtual nodes, and what it costs.
extension Kubernetes {
  /// Of a virtual node, in the ledger of capacity.
  var virtualItem: Int { capacity.items.count - 1 }

  private func item(of group: Int) -> Int { layout.zoneCount + group }

  mutating func beginCapacity(_ cluster: ClusterConfiguration) {
    for (index, zone) in cluster.zones.enumerated() {
      capacity.change(
        index, units: zone.nodeCount, perHour: zone.pricePerHour, cpuMilli: zone.nodeCPUMilli,
        at: .origin)
    }
    for (index, group) in layout.groups.enumerated() {
      let pool = cluster.nodePools[group.pool]
      capacity.change(
        item(of: index), units: min(pool.initial, group.slots.count), perHour: pool.pricePerHour,
        cpuMilli: pool.capacity.cpuMilli, at: .origin)
    }
  }

  // MARK: Machines

  /// Takes room of what a pod's tenant may have; nil when there is none.
  ///
  /// - Parameters:
  ///   - tenant: by position, the platform's warm pods last.
  ///   - node: the only one that may have room; nil: any.
  mutating func place(
    _ shape: ShapeConfiguration, in table: Int, tenant: Int, on node: Int? = nil, at now: Instant
  ) -> NodeID? {
    let whole = nodeTables[table].openCPUMilli
    let free = whole - nodeTables[table].allocatedCPUMilli
    guard
      tenants.leavesReserves(
        tenant, taking: shape.cpuMilli, of: free, whole: whole, table: table)
    else { return nil }
    let position: Int
    if let node {
      position = layout.nodes[node].position
      guard
        nodeTables[table].place(
          on: position, cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
      else { return nil }
    } else {
      guard
        let placed = nodeTables[table].place(
          cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
      else { return nil }
      position = placed
    }
    let zone = layout.zone(ofTable: table)
    moved[zone].placed.cpuMilli += shape.cpuMilli
    moved[zone].placed.memoryMiB += shape.memoryMiB
    tenants.add(shape.cpuMilli, tenant: tenant, table: table, at: now)
    let placed = layout.tables[table][position]
    noteLow(placed)
    return NodeID(placed)
  }

  /// A pod is on a node from now on.
  mutating func settle(_ pod: PodID, on node: NodeID) {
    guard node.index >= firstSlot, node.index - firstSlot < podsOn.count else { return }
    podsOn[node.index - firstSlot].append(pod)
  }

  /// A pod that a tenant did not have is its own from now on.
  mutating func hand(
    _ shape: ShapeConfiguration, on node: NodeID, from: Int, to tenant: Int, at now: Instant
  ) {
    guard from != tenant else { return }
    let table = layout.nodes[node.index].table
    tenants.add(-shape.cpuMilli, tenant: from, table: table, at: now)
    tenants.add(shape.cpuMilli, tenant: tenant, table: table, at: now)
  }

  func allocated(_ node: NodeID) -> NodeCapacity {
    let place = layout.nodes[node.index]
    guard let table = place.table else { return NodeCapacity(cpuMilli: 0, memoryMiB: 0) }
    return nodeTables[table].allocated(place.position)
  }

  /// What pods hold of a zone's machines, how many they are, and the cores that there are.
  func allocated(in zone: Int) -> (taken: NodeCapacity, pods: Int, cpuMilli: Int64) {
    var sum = (taken: NodeCapacity(cpuMilli: 0, memoryMiB: 0), pods: 0, cpuMilli: Int64(0))
    for table in stride(from: zone, to: nodeTables.count, by: layout.zoneCount) {
      sum.taken.cpuMilli += nodeTables[table].allocatedCPUMilli
      sum.taken.memoryMiB += nodeTables[table].allocatedMemoryMiB
      sum.pods += nodeTables[table].podCount
      sum.cpuMilli += nodeTables[table].openCPUMilli
    }
    return sum
  }

  mutating func release(
    _ pod: PodID, _ node: NodeID, _ shape: ShapeConfiguration, tenant: Int, at now: Instant
  ) {
    let place = layout.nodes[node.index]
    tenants.add(-shape.cpuMilli, tenant: tenant, table: place.table, at: now)
    guard let table = place.table else { return releaseVirtual(shape, at: now) }
    moved[place.zone.index].released.cpuMilli += shape.cpuMilli
    moved[place.zone.index].released.memoryMiB += shape.memoryMiB
    nodeTables[table].release(
      place.position, cpuMilli: shape.cpuMilli, memoryMiB: shape.memoryMiB)
    if place.group != nil {
      podsOn[node.index - firstSlot].removeAll { $0 == pod }
      noteLow(node.index)
    }
  }

  /// Brings the list of machines of which little is asked up to date. O(log n) to find its place.
  mutating func noteLow(_ node: Int) {
    guard layout.nodes[node].group != nil else { return }
    let isLow = isPresent[node] && emptying[node] == nil && utilization(node) < lowBelow
    var (low, high) = (0, lowNodes.count)
    while low < high {
      let middle = (low + high) / 2
      if lowNodes[middle] < node { low = middle + 1 } else { high = middle }
    }
    let isListed = low < lowNodes.count && lowNodes[low] == node
    if isLow, !isListed { lowNodes.insert(node, at: low) }
    if !isLow, isListed { lowNodes.remove(at: low) }
  }

  func utilization(_ node: Int) -> Double {
    let (taken, whole) = (allocated(NodeID(node)), layout.nodes[node].capacity)
    return NodeUtilization.of(
      [.init(cpuMilli: taken.cpuMilli, memory: taken.memoryMiB)], cpuMilli: whole.cpuMilli,
      memory: whole.memoryMiB)
  }

  // MARK: Waiting for room

  /// The first order of a line that still waits.
  mutating func firstPending(table: Int, line: Int) -> UInt64? {
    let orders = creations
    return pending.first(table: table, line: line) { orders[$0]?.waitsIn == table }
  }

  // MARK: Machines that come and go

  /// A machine of a group has come: its slot, or nil when all are taken.
  mutating func join(group: Int, pricePerHour: Double, at now: Instant) -> Int? {
    guard let slot = layout.groups[group].slots.first(where: { !isPresent[$0] }) else {
      return nil
    }
    isPresent[slot] = true
    setOpen(slot, true)
    capacity.change(
      item(of: group), units: 1, perHour: pricePerHour,
      cpuMilli: layout.nodes[slot].capacity.cpuMilli, at: now)
    noteLow(slot)
    return slot
  }

  /// A machine without pods goes.
  mutating func leave(_ slot: Int, pricePerHour: Double, at now: Instant) {
    guard isPresent[slot], let group = layout.nodes[slot].group else { return }
    isPresent[slot] = false
    emptying[slot] = nil
    setOpen(slot, false)
    capacity.change(
      item(of: group), units: -1, perHour: pricePerHour,
      cpuMilli: layout.nodes[slot].capacity.cpuMilli, at: now)
    noteLow(slot)
  }

  /// By group: machines that are there and are not emptied.
  var stayingNodes: [Int] {
    var nodes = layout.groups.indices.map { capacity.items[item(of: $0)].units }
    for node in emptying.keys {  // order-free: each is counted once
      if let group = layout.nodes[node].group { nodes[group] -= 1 }
    }
    return nodes
  }

  mutating func setOpen(_ node: Int, _ isOpen: Bool) {
    guard let table = layout.nodes[node].table else { return }
    nodeTables[table].setOpen(layout.nodes[node].position, isOpen)
  }

  /// Whether machines may come on which pods of a table could be.
  func canGrow(table: Int) -> Bool { layout.groups.contains { $0.table == table } }

  // MARK: Virtual nodes

  /// Takes room for a pod on a zone's virtual node; nil when there is none, or no price for it.
  mutating func placeVirtually(
    _ shape: ShapeConfiguration, in zone: ZoneID, tenant: Int, at now: Instant
  ) -> NodeID? {
    guard let settings = virtualNodes, let node = layout.virtualNodes[zone.index],
      let price = settings.price(of: shape)
    else { return nil }
    if let stock = settings.stockCPUMilli, virtualCPUMilli + shape.cpuMilli > stock { return nil }
    virtualCPUMilli += shape.cpuMilli
    tenants.add(shape.cpuMilli, tenant: tenant, table: nil, at: now)
    capacity.change(
      virtualItem, units: 1, perHour: price, cpuMilli: shape.cpuMilli, at: now)
    return NodeID(node)
  }

  private mutating func releaseVirtual(_ shape: ShapeConfiguration, at now: Instant) {
    virtualCPUMilli -= shape.cpuMilli
    capacity.change(
      virtualItem, units: -1, perHour: virtualNodes?.price(of: shape) ?? 0,
      cpuMilli: shape.cpuMilli, at: now)
  }
}
