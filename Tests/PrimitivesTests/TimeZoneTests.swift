import Testing

@testable import Primitives

/// Rules of places against the compiled tables of the same edition, as Python's `zoneinfo` reads
/// them.
@Suite struct TimeZoneTests {
  struct Year: Sendable {
    var place: String
    /// Seconds ahead when 2030 begins, and from when on others.
    var first: Int64
    var changes: [(Int64, Int64)]
  }

  static let years = [
    Year(
      place: "Europe/Berlin", first: 3600, changes: [(1_901_149_200, 7200), (1_919_293_200, 3600)]),
    Year(
      place: "America/New_York", first: -18_000,
      changes: [(1_899_356_400, -14_400), (1_919_916_000, -18_000)]),
    // Half an hour.
    Year(
      place: "Australia/Lord_Howe", first: 39_600,
      changes: [(1_901_718_000, 37_800), (1_917_444_600, 39_600)]),
    // Winter is the exception there.
    Year(place: "Europe/Dublin", first: 0, changes: [(1_901_149_200, 3600), (1_919_293_200, 0)]),
    // Fifty hours after a Thursday's midnight; a change at midnight; one in the evening before.
    Year(
      place: "Asia/Gaza", first: 7200, changes: [(1_901_059_200, 10_800), (1_919_199_600, 7200)]),
    Year(
      place: "America/Santiago", first: -10_800,
      changes: [(1_901_761_200, -14_400), (1_915_070_400, -10_800)]),
    Year(
      place: "America/Nuuk", first: -7200,
      changes: [(1_901_149_200, -3600), (1_919_293_200, -7200)]),
    Year(
      place: "Asia/Jerusalem", first: 7200,
      changes: [(1_900_972_800, 10_800), (1_919_286_000, 7200)]),
    Year(
      place: "Pacific/Chatham", first: 49_500,
      changes: [(1_901_714_400, 45_900), (1_916_834_400, 49_500)]),
    Year(
      place: "Africa/Cairo", first: 7200,
      changes: [(1_903_384_800, 10_800), (1_919_710_800, 7200)]),
    Year(place: "Asia/Kathmandu", first: 20_700, changes: []),
    Year(place: "Asia/Kolkata", first: 19_800, changes: []),
  ]

  @Test(arguments: years.indices)
  func clocksChangeAsTheTablesSay(index: Int) throws {
    let year = Self.years[index]
    let offsets = try #require(TimeZoneTable.rule(of: year.place)).offsets(in: 2030...2030)
    #expect(offsets.map(\.seconds) == [year.first] + year.changes.map(\.1), "\(year.place)")
    #expect(offsets.dropFirst().map(\.from) == year.changes.map(\.0), "\(year.place)")
  }

  /// Every place has a rule that can be read, no place two, and offsets are of this world.
  @Test func everyPlaceHasItsRule() throws {
    let places = TimeZoneTable.places
    #expect(places.count > 480 && Set(places).count == places.count)
    for place in places {
      let rule = try #require(TimeZoneTable.rule(of: place), "\(place)")
      let offsets = rule.offsets(in: 1970...1972)
      #expect(offsets.count == 1 || offsets.count == 7, "\(place)")
      #expect(offsets.allSatisfy { abs($0.seconds) <= 14 * 3600 }, "\(place)")
      #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0.from < $1.from }, "\(place)")
    }
    #expect(TimeZoneTable.rule(of: "Europe/berlin") == nil && TimeZoneTable.rule(of: "") == nil)
    // A rule is no place.
    #expect(TimeZoneTable.rule(of: "JST-9") == nil)
  }

  @Test(arguments: [
    "", "CET", "CET-", "-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.7",
    "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,J60,J300", "CET-1CEST,M3.5.0,M10.5.0/x", "CET-1:a",
  ])
  func whatIsNoRule(text: String) { #expect(TimeZoneRule(posix: text) == nil) }

  /// The number of a day and its date are each other's inverse.
  @Test func daysOfTheCalendar() {
    for day in stride(from: Int64(-800_000), through: 800_000, by: 97) {
      let date = CivilDay(daysSince1970: day)
      #expect(CivilDay.daysSince1970(date.year, date.month, date.day) == day)
    }
  }
}
