import Foundation
import Testing

@testable import Scenario

/// docs/scenario.md and the tables that it is made from.
@Suite struct ScenarioFormatTests {
  @Test func theDocumentFitsTheReaders() throws {
    let text = ScenarioFormat.document()
    let file = projectFolder.appending(path: "docs/scenario.md")
    if isUpdatingGolden { try text.write(to: file, atomically: true, encoding: .utf8) }
    let stored = try String(contentsOf: file, encoding: .utf8)
    #expect(stored == text, "docs/scenario.md is stale: run with HEADROOM_UPDATE_GOLDEN=1")
  }

  // MARK: Fields

  @Test func theTableHasTheFieldsThatReadersAskFor() {
    let (asked, known) = (Set(ScenarioProbes.fields.keys), Set(ScenarioSection.paths))
    #expect(asked.subtracting(known).sorted() == [], "asked for, and not in the table")
    #expect(known.subtracting(asked).sorted() == [], "in the table, and not asked for")
    #expect(ScenarioSection.paths.count == known.count, "a line is there twice")
  }

  /// What no probe takes may still be taken by a scenario that somebody wrote.
  @Test func noScenarioIsReadByFieldsOutsideOfTheTable() throws {
    let known = Set(ScenarioSection.paths)
    let folder = projectFolder.appending(path: "scenarios")
    let files = try #require(FileManager.default.subpaths(atPath: folder.path))
    var texts = [Samples.valid]
    for file in files.filter({ $0.hasSuffix(".yaml") }) {
      texts.append(try String(contentsOf: folder.appending(path: file), encoding: .utf8))
    }
    #expect(texts.count > 30)
    let recorder = FieldRecorder()
    for text in texts {
      let result = ScenarioReader().read(
        text, overrides: [], ReadingContext(file: "", recorder: recorder))
      #expect(result.errors.isEmpty, "\(result.rendered)")
    }
    #expect(Set(recorder.fields.keys).subtracting(known).sorted() == [])
  }

  @Test func probesAreWhatTheySay() {
    for (process, _) in ScenarioProbes.arrivals {
      let texts = ScenarioProbes.texts(process)
      for (index, text) in texts.enumerated() {
        let result = ScenarioReader().read(text, file: "probe")
        let kinds = Set(result.errors.map(\.kind))
        #expect(kinds == (index == 0 ? [.missingKey] : []), "\(result.rendered)")
      }
    }
    #expect(
      ScenarioProbes.arrivals.map(\.process).map(\.rawValue)
        == ArrivalsSection.Process.allCases.map(\.rawValue))
  }

  @Test func everyFieldHasOneDefaultAndAKind() {
    for (path, field) in ScenarioProbes.fields {
      #expect(field.fallbacks.count <= 1, "\(path)")
      #expect(!field.kinds.isEmpty, "\(path)")
      #expect(!(field.isRequired && field.fallbacks.count == 1), "\(path)")
    }
  }

  @Test func everyWordHasAMeaning() {
    #expect(Set(ScenarioWords.all.map(\.path)).count == ScenarioWords.all.count)
    for (path, field) in ScenarioProbes.fields {
      let words = Set(field.words).subtracting(ScenarioWords.plain)
      let known = Set(ScenarioWords.meanings(path)?.words.map(\.word) ?? [])
      #expect(words == known, "\(path)")
    }
    for meanings in ScenarioWords.all { #expect(ScenarioProbes.fields[meanings.path] != nil) }
  }

  @Test func sentencesFitATable() {
    let sentences =
      ScenarioSection.all.flatMap { $0.fields.map(\.about) }
      + ScenarioWords.all.flatMap { $0.words.map(\.about) }
      + Objective.Measure.allCases.map(\.definition.about)
      + Diagnostic.Kind.allCases.map(\.about)
      + PolicyTable.scaling.flatMap { $0.parameters.map(\.about) }
      + DistributionParser.forms.map(\.about)
    for sentence in sentences {
      #expect(
        !sentence.isEmpty && !sentence.hasSuffix(".") && !sentence.contains("|"), "\(sentence)")
      #expect(!sentence.contains("\n"), "\(sentence)")
    }
  }

  @Test func linksLeadSomewhere() {
    let lines = ScenarioFormat.document().split(separator: "\n")
    let addresses = lines.filter { $0.hasPrefix("##") }.map { line in
      String(
        line.drop { $0 == "#" }.dropFirst().lowercased().replacing(" ", with: "-")
          .filter { $0.isLetter || $0.isNumber || "-_".contains($0) })
    }
    #expect(Set(addresses).count == addresses.count)
    let links = ScenarioFormat.document().matches(of: /\]\(#([^)]+)\)/).map { String($0.1) }
    #expect(links.count > 20)
    #expect(Set(links).subtracting(addresses).sorted() == [])
  }

  // MARK: Examples

  @Test func theExampleIsAScenario() {
    let result = ScenarioReader().read(ScenarioFormat.example, file: "example.yaml")
    #expect(result.rendered == "")
    #expect(result.document?.services.count == 1)
    #expect(result.document?.objectives.count == 2)
  }

  /// Nothing can be left out of it.
  @Test func theExampleIsSmall() {
    let lines = ScenarioFormat.example.split(separator: "\n")
    let needed = ["headroom", "name", "duration", "runtime:", "shape:", "arrivals", "service_time"]
    for word in needed {
      let part = lines.filter { !$0.contains(word) }.joined(separator: "\n")
      #expect(ScenarioReader().read(part, file: "").document == nil, "\(word)")
    }
  }

  @Test func examplesOfDistributionsAreRead() throws {
    for form in DistributionParser.forms {
      let examples = ScenarioFormat.examples(of: form)
      #expect(!examples.isEmpty)
      for example in examples { _ = try DistributionParser.parse(example) }
      guard !form.parameters.isEmpty else { continue }
      let unnamed = examples[0].replacing(#/[a-z]+: /#, with: "")
      #expect(((try? DistributionParser.parse(unnamed)) != nil) == form.mayOmitNames, "\(unnamed)")
    }
  }

  @Test func examplesOfValuesAreRead() throws {
    for kind in FieldKind.allCases {
      guard let example = kind.example else { continue }
      switch kind {
      case .duration: #expect(try Quantity.nanoseconds(example) > 0)
      case .bytes: #expect(try Quantity.bytes(example) > 0)
      case .cores: #expect(try Quantity.milliCores(example) > 0)
      case .rate: #expect(try Quantity.perSecond(example) == 5000)
      case .share: #expect(try Quantity.share(example) == 0.02)
      case .number: #expect(try Quantity.number(example) == 1.5)
      case .count: #expect(try Quantity.count(example) == 10_000)
      case .distribution: #expect(try DistributionParser.parse(example) == .exponential(mean: 0.02))
      default: #expect(!example.isEmpty)
      }
    }
  }

  @Test func examplesOfObjectivesAreRead() throws {
    for example in ScenarioFormat.objectiveExamples { _ = try ObjectiveParser.parse(example) }
  }
}
