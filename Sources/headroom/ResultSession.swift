import Foundation
import Planning
import Reporting
import ResultStore
import Scenario
import Simulation
import Workload

/// A results file while a command writes it.
struct ResultSession: Sendable {
  let writer: ResultWriter
  private let study: StudyRow
  private let began = ContinuousClock.now
  private let document: ScenarioDocument
  private let scenario: LoadedScenario

  init(_ options: SimulationOptions, command: String, scenario: LoadedScenario) throws {
    Self.tellLeftovers(beside: options.out)
    writer = try ResultWriter(path: options.out, force: options.force)
    document = scenario.document
    self.scenario = scenario
    var study = StudyRow(id: 1, command: command)
    study.arguments = CommandArguments.text(Array(CommandLine.arguments.dropFirst(2)))
    study.programVersion = ProgramVersion.text
    study.machine = Self.machine
    study.startedAt = ISO8601DateFormatter().string(from: Date())
    self.study = study
    do {
      try describe(scenario)
    } catch {
      writer.abandon()
      throw error
    }
  }

  /// What is done is in the file before it is begun.
  private func describe(_ scenario: LoadedScenario) throws {
    try writer.append(study)
    try writer.append(
      ScenarioRow(
        id: 1, name: document.name, file: scenario.file, text: scenario.text,
        resolved: scenario.resolved))
    try writer.append(
      scenario.values.map { value in
        AssumptionRow(
          scenario: 1, path: value.path, value: value.value,
          origin: Origin(rawValue: value.origin.rawValue) ?? .assumed, source: value.source)
      })
    try writer.checkpoint()
  }

  /// Files of commands that died before they could give them their name.
  private static func tellLeftovers(beside path: String) {
    for file in LeftoverFile.beside(path) where !file.isInUse {
      Output.error(
        "note: `\(file.path)` is left of a command that did not end; open it or delete it")
    }
  }

  /// What the run was done on, for people; it changes no result.
  private static var machine: String {
    let info = ProcessInfo.processInfo
    return JSONValue.object([
      "os": .string(info.operatingSystemVersionString),
      "processors": JSONValue(info.activeProcessorCount),
      "memory_mib": .unsigned(info.physicalMemory >> 20),
    ]).text
  }

  /// Stores a replication, so that it outlives the process.
  func record(_ outcome: RunOutcome, wallSeconds: Double) throws {
    let run = outcome.replication + 1
    let judged = ObjectiveVerdicts.judge(document, [outcome])
    try ResultRecording(writer).record(
      outcome, run: run, study: 1, document: document, wallSeconds: wallSeconds,
      verdict: ObjectiveVerdicts.overall(judged))
    try ObjectiveRecording(writer).record(judged, study: 1, run: run)
    try writer.append(groups(outcome, run: run))
    try writer.append(traces(of: run))
    try writer.checkpoint()
  }

  /// The traces that a run has read.
  private func traces(of run: Int) -> [TraceFileRow] {
    scenario.traces.files.map {
      TraceFileRow(
        run: run, path: $0.name, hash: HexadecimalWord.text($0.hash), bytes: $0.bytes)
    }
  }

  /// Stores both runs of a rehearsal's pair, calm and fault, and when what happened.
  func record(_ pair: RehearsalStudy.Pair) throws {
    for (offset, (arm, outcome)) in [("calm", pair.calm), ("fault", pair.faulted)].enumerated() {
      let run = 2 * outcome.replication + 1 + offset
      let judged = ObjectiveVerdicts.judge(document, [outcome])
      try ResultRecording(writer).record(
        outcome, run: run, study: 1, document: document, wallSeconds: 0,
        verdict: ObjectiveVerdicts.overall(judged), arm: arm)
      try ObjectiveRecording(writer).record(judged, study: 1, run: run, arm: arm)
      try writer.append(groups(outcome, run: run))
      try writer.append(traces(of: run))
    }
    try writer.append(
      RehearsalMeasures(pair, document: document).rows(run: 2 * pair.faulted.replication + 2))
    try writer.checkpoint()
  }

  private func groups(_ outcome: RunOutcome, run: Int) -> [ServiceGroupRow] {
    document.services.map { section in
      let total = GroupTotal(section.name, [outcome])
      var row = ServiceGroupRow(run: run, name: section.name)
      row.services = total.services
      row.arrivals = Int(clamping: total.counters.arrivals)
      row.coldStarts = Int(clamping: total.counters.coldStarts)
      let published = PublishedShare(section, scenario, replications: [outcome.replication])
      row.publishedColumn = published?.file.column
      row.publishedInvocations = published?.run.map { Int(clamping: $0.invocations) }
      row.publishedColdStarts = published?.run.map { Int(clamping: $0.coldStarts) }
      row.fileInvocations = published.map { Int(clamping: $0.file.invocations) }
      row.fileColdStarts = published.map { Int(clamping: $0.file.coldStarts) }
      return row
    }
  }

  /// Ends the file and gives it its name.
  func close(
    _ judged: [JudgedObjective], verdict: Verdict?, isInterrupted: Bool
  ) throws {
    try ObjectiveRecording(writer).record(judged, study: 1)
    var ended = study
    ended.verdict = verdict
    ended.wallSeconds = began.duration(to: .now).inSeconds
    try writer.replace(ended)
    try writer.finish(isInterrupted ? .interrupted : .complete)
  }

  /// Nothing comes of it: no file is left behind.
  func abandon() { writer.abandon() }
}

/// A command's arguments as text that can be taken apart again.
enum CommandArguments {
  static func text(_ arguments: [String]) -> String {
    guard let data = try? JSONEncoder().encode(arguments) else { return "[]" }
    return String(decoding: data, as: UTF8.self)
  }

  static func parse(_ text: String) -> [String]? {
    try? JSONDecoder().decode([String].self, from: Data(text.utf8))
  }
}
