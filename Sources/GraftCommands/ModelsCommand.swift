import ArgumentParser
import Foundation
import Graft

/// `graft models`: what is in `pretrained/`, and what could be.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "List the pretrained networks that are here, and the families whose weight files can be opened.",
    discussion: """
      Example:
        graft models
      """)

  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let folders = try PretrainedFolders()
    let families = BackboneFamily.all
    let downloads = folders.downloads()
    if json {
      try Console.json(
        Listing(
          pretrained: folders.entries.map(Listing.Pretrained.init), official: downloads.map(Listing.Official.init),
          families: families.map(Listing.Family.init)))
      return
    }
    var table = TextTable([
      ("pretrained", .left), ("parameters", .right), ("size", .right), ("classes", .right), ("licence", .left),
      ("file", .left),
    ])
    for entry in folders.entries {
      table.add([
        entry.model.name, entry.model.parameterCount.grouped, "\(entry.model.inputSize)",
        entry.model.classCount.map { "\($0)" } ?? "-", entry.model.licence, entry.path,
      ])
    }
    if folders.entries.isEmpty {
      Console.result(
        "No pretrained network is here; the folders searched are \(folders.searched.joined(separator: ", ")).")
    } else {
      table.lines.forEach(Console.result)
    }
    if !downloads.isEmpty {
      Console.result("")
      var official = TextTable([
        ("official weights", .left), ("classifier", .left), ("told by", .left), ("file", .left),
      ])
      for download in downloads {
        official.add([
          download.official.family, download.official.includeTop ? "1000 classes" : "none",
          download.isVerified ? "its hash" : "its name", download.path,
        ])
      }
      official.lines.forEach(Console.result)
    }
    Console.result("")
    var known = TextTable([
      ("family", .left), ("parameters", .right), ("size", .right), ("stages", .right), ("in Keras", .left),
    ])
    for family in families {
      known.add([
        family.name, family.parameterCounts?.trunk.grouped ?? "", "\(family.defaultSize)", "\(family.stageEnds.count)",
        family.kerasCall?.replacingOccurrences(of: "keras.applications.", with: "") ?? "-",
      ])
    }
    known.lines.forEach(Console.result)
    Console.result("")
    Console.result("Parameters are those without a classifier; other widths are asked for as in mobilenetv2-0.6.")
    Console.result("Weight files of these families, and whole-model files of any network, go to --backbone FILE.")
  }
}

/// The names without those that stand there already.
private func distinct(_ names: [String]) -> [String] {
  names.indices.filter { !names[..<$0].contains(names[$0]) }.map { names[$0] }
}

/// The command's result.
private struct Listing: Encodable {
  /// A weight file that is here.
  struct Pretrained: Encodable {
    let name: String
    let family: String
    let file: String
    let parameters: Int
    let imageSize: Int
    let classes: Int?
    let licence: String
    let sha256: String

    init(_ entry: PretrainedFolders.Entry) {
      name = entry.model.name
      family = entry.model.family
      file = entry.path
      parameters = entry.model.parameterCount
      imageSize = entry.model.inputSize.height
      classes = entry.model.classCount
      licence = entry.model.licence
      sha256 = entry.model.sha256
    }
  }

  /// A weight file that others publish and that is here.
  struct Official: Encodable {
    let family: String
    let file: String
    let includeTop: Bool
    let isVerified: Bool

    init(_ download: DownloadedWeights) {
      family = download.official.family
      file = download.path
      includeTop = download.official.includeTop
      isVerified = download.isVerified
    }
  }

  /// A family in code.
  struct Family: Encodable {
    let name: String
    let title: String
    let aliases: [String]
    let imageSize: Int
    let parameters: Int?
    let kerasCall: String?
    let stages: [String]

    init(_ family: BackboneFamily) {
      name = family.name
      title = family.title
      aliases = distinct(family.aliases)
      imageSize = family.defaultSize.height
      parameters = family.parameterCounts?.trunk
      kerasCall = family.kerasCall
      stages = family.stageEnds.map(\.name)
    }
  }

  let pretrained: [Pretrained]
  let official: [Official]
  let families: [Family]
}
