import Primitives

/// What the API of a region is asked for, and that API.
enum ChangeReading {
  static func changes(_ reader: inout FieldReader) -> [ChangeSection] {
    reader.list("changes").enumerated().map { index, item in
      change(
        FieldReader(item.tree, path: item.path, mark: item.tree.mark, context: reader.context),
        index)
    }
  }

  private static func change(_ reader: FieldReader, _ index: Int) -> ChangeSection {
    var reader = reader
    defer { reader.finish() }
    var change = ChangeSection(
      name: reader.string("name", .assumed("change")), at: reader.duration("at"), index: index)
    let service = ServiceReading.optionalText(&reader, "service")
    let drain = ServiceReading.optionalText(&reader, "drain")
    let lasts = length(&reader, isDrain: drain != nil)
    let (least, most) = instances(&reader, isOfService: service != nil)
    switch (service, drain) {
    case (let service?, nil): change.kind = .limits(service: service, least: least, most: most)
    case (nil, let target?): change.kind = .drain(target, lasts: lasts)
    case (nil, nil):
      reader.context.fail(
        .missingKey, at: reader.path, "`\(reader.path)` changes nothing",
        help: "for example `service: shop, instances: {min: 10}`, or `drain: zone-a`")
    default:
      reader.context.fail(
        .inconsistent, at: reader.child("drain"),
        "`\(reader.path)` has both `service` and `drain`", help: "make two changes of it")
    }
    return change
  }

  private static func length(_ reader: inout FieldReader, isDrain: Bool) -> Nanoseconds? {
    guard reader.has("for") else {
      _ = reader.tree("for", .duration)
      return nil
    }
    let length = reader.duration("for", atLeast: "1s")
    if !isDrain {
      reader.context.fail(
        .inconsistent, at: reader.child("for"), "`for` says nothing of a service",
        help: "it belongs to `drain`")
    }
    return length
  }

  private static func instances(
    _ reader: inout FieldReader, isOfService: Bool
  ) -> (least: Int?, most: Int?) {
    let isGiven = reader.has("instances")
    var instances = reader.section("instances")
    func count(_ key: String) -> Int? {
      guard instances.has(key) else {
        _ = instances.tree(key, .count)
        return nil
      }
      return instances.count(key)
    }
    let (least, most) = (count("min"), count("max"))
    instances.finish()
    if isOfService, least == nil, most == nil, reader.context.isSound(reader.child("instances")) {
      reader.context.fail(
        .missingKey, at: reader.child("instances"), else: reader.mark,
        "`\(reader.path)` changes nothing of its service",
        help: "for example `instances: {min: 10, max: 80}`")
    }
    if isGiven, !isOfService {
      reader.context.fail(
        .inconsistent, at: reader.child("instances"), "`instances` says nothing of `drain`",
        help: "it belongs to `service`")
    }
    return (least, most)
  }

  static func api(_ cluster: inout FieldReader) -> APISection {
    var section = APISection()
    var api = cluster.section("api")
    section.handling = api.duration("handling_time", .assumed("50ms"))
    section.repeatAfter = api.duration("repeat_after", .assumed("1s"), atLeast: "1ms")
    section.askAgain = api.duration("ask_again", .assumed("5s"), atLeast: "1ms")
    api.finish()
    return section
  }
}
