/// A view for people: readable units and names in place of nanoseconds and numbers.
public struct ViewDescription: Sendable {
  public var name: String
  public var about: String
  public var query: String

  public var createSQL: String { "CREATE VIEW \(name) AS  -- \(about)\n\(query)" }
}
