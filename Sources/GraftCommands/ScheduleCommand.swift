import ArgumentParser
import Graft

/// `graft schedule`: the ready-made schedules, as a list or as a file to edit.
struct ScheduleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "List the ready-made schedules, or print one as a file to edit.",
    discussion: """
      What is printed is what "graft train --schedule" reads: phases in order, each with what trains, how fast, and until \
      what happens. Some schedules have a phase for each stage of the backbone. It runs as under its name: "refit: true" \
      fits everything once more on the validation pictures too, and is left out for a single fit.

      Example:
        graft schedule gradual --backbone efficientnet-lite0 > mine.yaml
        graft train --data pictures --schedule mine.yaml --output runs/mine
      """)

  @Argument(help: ArgumentHelp("The schedule to print; all are listed unless given.", valueName: "name"))
  var name: String?

  @Option(
    help: ArgumentHelp(
      "The name of a pretrained network or of a family, or a weight file; efficientnet-lite0 unless given.",
      valueName: "name|file"))
  var backbone = "efficientnet-lite0"

  @Option(
    help: ArgumentHelp(
      "The last layer of the backbone that is kept; by default what stands before its classifier.", valueName: "layer"))
  var cutAt: String?

  @OptionGroup(title: "Loading options")
  var loading: LoadingArguments

  @OptionGroup var trust: TrustOption

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    try requireName("--backbone", backbone)
    try requireName("--cut-at", cutAt)
    guard let name else { return }
    do {
      _ = try SchedulePreset.named(name)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  func run() throws {
    guard let name else { return try list() }
    let preset = try SchedulePreset.named(name)
    let (graph, headLayers) = try network()
    var schedule = preset.schedule(for: graph, headLayers: headLayers)
    // As "graft train" runs it under its name, whatever the recipe.
    schedule.refit = true
    try check(schedule, in: graph, headLayers: headLayers)
    if json { return try Console.json(schedule) }
    let lines = [preset.summary, preset.source + ".", "For \(backbone): graft train --schedule THIS.yaml"].map {
      "# \($0)"
    }
    let text = try schedule.yaml(comments: true)
    for line in lines + text.split(separator: "\n").map(String.init) { Console.result(line) }
  }

  private struct Entry: Encodable {
    let name: String
    let summary: String
    let source: String
  }

  private func list() throws {
    let presets = SchedulePreset.all
    if json { return try Console.json(presets.map { Entry(name: $0.form, summary: $0.summary, source: $0.source) }) }
    var table = TextTable([("schedule", .left), ("what trains", .left)])
    for preset in presets { table.add([preset.form, preset.summary]) }
    table.lines.forEach(Console.result)
  }

  /// The backbone's layers and stages, and the layers that a new head would replace; no weights are loaded.
  private func network() throws -> (graph: Graph, headLayers: Set<String>) {
    let isHere = (try? PretrainedFolders().resolve(backbone)) != nil
    if !isHere, loading.given.isEmpty, let family = BackboneFamily.named(backbone) {
      return (try family.graph().trunk(stageEnds: family.stageEnds, cutAt: cutAt), [])
    }
    let found = try Inspection(of: backbone, cutAt: cutAt, loading: loading, mode: trust.mode)
    return (found.graph, found.headLayers)
  }

  /// Refuses a schedule that "graft train" would refuse for the backbone.
  ///
  /// What it trains stands on the trunk: a head of its own in place of the classifier, whatever its classes are.
  private func check(_ schedule: Schedule, in graph: Graph, headLayers: Set<String>) throws {
    guard let end = graph.nodes.lastIndex(where: { !headLayers.contains($0.layer) }) else { return }
    var network = graph.cut(at: [end])
    network.modules = []
    let task = TaskDescription(kind: .classification(classes: ["0", "1"]))
    let heads = try network.addHeads(for: [task], at: network.outputs[0])
    let newLayers = Set(heads.flatMap(\.layers))
    for phase in schedule.phases { _ = try phase.trainable(in: network, headLayers: newLayers) }
  }
}
