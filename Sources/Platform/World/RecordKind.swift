/// What a record of a run's digest is about; numbers are for good.
enum RecordKind: UInt8 {
  // Of a lane.
  case answered = 1
  case cutOff = 2
  case refused = 3
  case joined = 4
  case retired = 5
  /// A step at flow fidelity, and what it did with waiting requests.
  case step = 6
  case dropped = 7
  case unreachable = 8
  case deadLettered = 9
  case brokerLost = 10
  case led = 11
  /// A request has read its keys.
  case keysRead = 12
  /// A client leaves an attempt, tries again, gives its request up.
  case clientLeft = 13
  case retried = 14
  case gaveUp = 15
  /// An instance goes bad; a caller breaks one, tries it, uses it again, lets it go.
  case spoiled = 40
  case ejected = 41
  case tried = 42
  case restored = 43
  case migrated = 44
  /// A part of a lane loses its gateway, and is with one again.
  case gatewayLost = 45
  case gatewayBack = 46
  // Of what lanes share.
  case started = 16
  case startFailed = 17
  case took = 18
  case alarm = 19
  case token = 20
  case served = 21
  case podCreated = 22
  case creationFailed = 23
  case podDeleted = 24
  case fault = 25
  case restart = 26
  case scaled = 27
  case resized = 28
  case nodeJoined = 29
  case nodeLeft = 30
  case machinesOrdered = 31
  // Of both.
  case zoneLost = 32
  case zoneBack = 33
  case weights = 34
  /// A change of configuration is told, or comes about.
  case change = 36
  /// An instance that is gone has refused a call.
  case callRefused = 35
  /// The Coordinator has granted a consumer a part of a central limit.
  case quotaGranted = 37
}
