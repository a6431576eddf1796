import Primitives

/// Where a run is with the window in which it zooms in: all lanes are requests there.
struct ZoomState: Sendable {
  /// Lanes that were flow when the window began.
  var zoomed: [LaneID] = []
  /// Those of them that are still to change, since they await an answer.
  var left: [LaneID] = []
  /// Those that have been requests in the window for some time.
  var seen = 0
}

/// What a zoom has come to.
public struct ZoomSummary: Sendable, Equatable {
  /// Lanes that were flow when it began, and those of them that could not be made of requests
  /// before it ended, because they awaited answers all the time.
  public var lanes = 0
  public var unseen = 0

  /// Adds the lanes of another cluster.
  public mutating func add(_ other: Self) {
    lanes += other.lanes
    unseen += other.unseen
  }
}

// A window of a run in which every request is an event of its own. Flow lanes are carried over at
// its beginning and back at its end; before it nothing is done that a run without it does not do.
extension ClusterSimulation {
  /// Nil where the run has no window, or is made of requests anyway.
  private var zoomWindow: Range<Instant>? {
    configuration.fidelity == .request ? nil : configuration.zoom
  }

  /// Whether all lanes are requests now, as far as they could be carried over.
  var isZooming: Bool { zoomWindow?.contains(now) ?? false }

  /// When lanes change next because of the window.
  var nextZoom: Instant {
    guard let window = zoomWindow else { return .distantFuture }
    if now < window.lowerBound { return window.lowerBound }
    let inside = now < window.upperBound
    let later = inside ? window.upperBound : .distantFuture
    guard !zoomState.left.isEmpty else { return later }
    // What waits for an answer of the control plane has it soon; a zone that is lost is away for
    // longer, and when it is back it matters little when its lanes are flow again.
    let pause = inside ? configuration.epoch.count : Self.reviewInterval.count
    return min(later, Instant(nanoseconds: (now.nanoseconds / pause + 1) * pause))
  }

  /// Carries lanes over at the edges of the window, and those that could not be then later.
  func followZoom() {
    guard let window = zoomWindow, now >= window.lowerBound else { return }
    let isOver = now >= window.upperBound
    if now == window.lowerBound {
      zoomState.zoomed = lanes.indices.map { LaneID($0) }.filter { fidelity(of: $0) == .flow }
      zoomState.left = zoomState.zoomed
    } else if now == window.upperBound {
      // Lanes that choose for themselves do so at their next review.
      zoomState.left = configuration.fidelity == .auto ? [] : zoomState.zoomed
    }
    let before = zoomState.left.count
    zoomState.left.removeAll { handOver(lane: $0, to: isOver ? .flow : .request) }
    if !isOver { zoomState.seen += before - zoomState.left.count }
  }

  /// Lanes that are watched stay requests when the window ends.
  func keepZoomed(_ ids: some Sequence<LaneID>) {
    guard zoomWindow != nil else { return }
    let kept = ids.map(\.index).sorted()
    func isKept(_ lane: LaneID) -> Bool {
      var (low, high) = (0, kept.count)
      while low < high {
        let middle = (low + high) / 2
        if kept[middle] < lane.index { low = middle + 1 } else { high = middle }
      }
      return low < kept.count && kept[low] == lane.index
    }
    zoomState.zoomed.removeAll(where: isKept)
    zoomState.left.removeAll(where: isKept)
  }

  /// Nil where the run does not zoom, or has not come to it.
  public var zoomSummary: ZoomSummary? {
    guard let window = zoomWindow, now > window.lowerBound else { return nil }
    let lanes = zoomState.zoomed.count
    return ZoomSummary(lanes: lanes, unseen: max(0, lanes - zoomState.seen))
  }
}
