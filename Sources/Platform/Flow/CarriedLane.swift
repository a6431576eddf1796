import ControlPlane
import Primitives
import SimulationKernel
import Workload

/// What a lane is at an instant, in terms that both fidelities understand.
struct CarriedLane {
  struct Instance: BitwiseCopyable {
    var entry: FlowInstances.Entry
    var inFlight: Int
    var isDraining = false
  }

  /// A request on an instance.
  struct Call: BitwiseCopyable {
    /// Of its instance, in `instances`.
    var position: Int
    var arrival: Instant
    var end: Instant
    /// Of its event.
    var flags: UInt16
    /// Processors that its node was told of.
    var cores: Double
    /// Of a delivery, taken to have come with its first one.
    var messages: UInt32 = 1
    /// Its client has left.
    var isLeft = false
  }

  var at: Instant
  /// In the order in which an ordered choice takes them.
  var instances: [Instance] = []
  var calls: [Call] = []
  /// Arrivals that wait, the oldest first.
  var waiting: [Ticket] = []
  /// So many of the oldest of them have clients that have left.
  var leftWaiting = 0
  /// Deliveries at their consumer, and their messages, which are among those that wait.
  var heldDeliveries = 0
  var heldMessages = 0
  var source: any ArrivalSource
  /// Arrivals of the second of `at` that are still to come.
  var remaining: Int
  var delivered: UInt64
  var route: RouteEntry
  var mail: [FlowInbox.Mail] = []
  var outbox: [OutMessage] = []
  var retirements = RetirementLedger()
  var isSampling = false
  var sampledInFlightSeconds = 0.0
  var settledOrders: UInt32 = 0
  var answering = 0
  var keepAlive: KeepAliveWatch?
  /// Those whose attempts are among the calls and those that wait, and those who will try again.
  var clients: FlowClients?
  /// What stands before the lane's routers.
  var limits = LaneLimits()
  var publishedCalls: UInt64 = 0
  var publishedRefused: UInt64 = 0
  var counters: LaneCounters
  var digest: Digest
  var represented: UInt64
  var publishedArrivals: UInt64
}

/// How the remaining service of a request is drawn when a flow lane is handed over; the second is a
/// planted error, for the test that must find it.
enum ResidualRule: Sendable { case equilibrium, fullService }
