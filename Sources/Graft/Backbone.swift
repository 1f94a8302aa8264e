import Backbones
import Graphs
import KerasFormats
import Models

/// A pretrained network that can be fine-tuned: it takes RGB from 0 to 255, whatever its family does to pictures first.
public struct Backbone: Sendable {
  /// The name or file that it was asked for by.
  public var name: String
  /// The file that its weights were read from.
  public var path: String
  /// The family that its layers belong to; nil for an unknown one.
  public var family: BackboneFamily?
  /// The network with everything that its file holds, a classifier too where there is one.
  public var graph: Graph
  /// The weights of the network.
  public var weights: Weights
  /// The size of the pictures that it was trained on.
  public var imageSize: Size2D
  /// The SHA-256 of the file, in hexadecimal.
  public var sha256: String
  /// The licence of the weights, where it is known.
  public var licence: String?
  /// What was found out about the file instead of being told, a sentence each.
  public var notes: [String] = []
}

// MARK: - Loading

extension Backbone {
  /// Loads a pretrained network.
  ///
  /// A file may hold a network of any kind with its weights, or the weights alone of a family that is known. Whatever a
  /// known family does to pictures before its first layer becomes a part of the network.
  ///
  /// - Parameters:
  ///   - name: The name of a model in `pretrained/`, or the path of a `.h5`, `.weights.h5` or `.keras` file.
  ///   - folders: Where names are looked for; the usual folders if nil.
  /// - Throws: `BackboneError` where nothing has this name or the file is not the one that its manifest describes,
  ///   `WeightError` where it cannot be read, and `ModelError` where its `graft.json` does not fit.
  public static func load(_ name: String, in folders: PretrainedFolders? = nil) throws -> Backbone {
    switch try (folders ?? PretrainedFolders()).resolve(name) {
    case .pretrained(let entry): try load(entry, name: name)
    case .file(let path): try load(file: path)
    }
  }

  private static func load(_ entry: PretrainedFolders.Entry, name: String) throws -> Backbone {
    let digest = try sha256(ofFile: entry.path)
    guard digest == entry.model.sha256.lowercased() else {
      throw BackboneError(
        .damagedFile, subject: entry.path,
        detail: "expected the SHA-256 \(entry.model.sha256) of its manifest, found \(digest)")
    }
    var result: Backbone
    if try KerasFiles.format(of: entry.path).holdsNetwork {
      let model = try Model.read(entry.path, imageSize: entry.model.inputSize)
      result = Backbone(
        name: name, path: entry.path, family: entry.family, graph: model.graph, weights: model.weights,
        imageSize: entry.model.inputSize, sha256: digest)
      try result.embed(entry.model.preprocessing)
    } else {
      result = try weightsOnly(entry.path, families: entry.family.map { [$0] } ?? BackboneFamily.all, sha256: digest)
      result.name = name
    }
    result.licence = entry.model.licence
    try result.graph.setStages(entry.model.stageEnds.map { ($0.name, $0.lastLayer) })
    return result
  }

  private static func load(file path: String) throws -> Backbone {
    guard try KerasFiles.format(of: path).holdsNetwork else {
      return try weightsOnly(path, families: BackboneFamily.likely(for: path), sha256: sha256(ofFile: path))
    }
    let model = try Model.read(path)
    let family = BackboneFamily.recognized(in: model.graph)
    let shape = model.pictureShape
    var result = Backbone(
      name: path, path: path, family: family, graph: model.graph, weights: model.weights,
      imageSize: shape.rank == 3 ? Size2D(shape[0], shape[1]) : Size2D(224), sha256: try sha256(ofFile: path))
    result.licence = model.document?.provenance?.licence
    guard let family, model.document == nil else { return result }
    if result.graph.stages.isEmpty, let staged = result.graph.staged(like: family) { result.graph = staged }
    if family.preprocessing != .insideModel, !result.graph.preparesPictures {
      try result.embed(family.preprocessing)
      result.notes.append(
        "\(path) is a \(family.title) without the preprocessing of its family, which is added as a layer")
    }
    return result
  }

  /// Finds the family whose network the weights of a file fit.
  private static func weightsOnly(
    _ path: String, families: [BackboneFamily], sha256: String
  ) throws -> Backbone {
    var reason: WeightError?
    for family in families {
      for classCount in [nil, 1000] {
        let graph = try family.graph(classCount: classCount)
        do throws(WeightError) {
          let (weights, _) = try KerasFiles.loadWeights(path, into: graph)
          var result = Backbone(
            name: path, path: path, family: family, graph: graph, weights: weights, imageSize: family.defaultSize,
            sha256: sha256)
          try result.embed(family.preprocessing)
          result.notes.append("\(path) holds weights alone, which fit \(family.title)")
          return result
        } catch let error as WeightError where error.code == .unfitWeights {
          reason = reason ?? error
        }
      }
    }
    if families.count == 1, let reason { throw reason }
    throw WeightError(
      .unfitWeights, file: path,
      detail: "holds weights without a network, and they fit none of the families that are known: "
        + families.map(\.name).joined(separator: ", "))
  }

  private mutating func embed(_ preprocessing: Preprocessing) throws {
    try weights.embed(preprocessing, in: graph)
    graph = try graph.embedding(preprocessing)
  }
}

extension BackboneFamily {
  /// All families, those first whose names are in a file's.
  fileprivate static func likely(for path: String) -> [BackboneFamily] {
    func plain(_ text: String) -> String { text.lowercased().filter { $0.isLetter || $0.isNumber } }
    let file = plain(path.split(separator: "/").last.map(String.init) ?? path)
    let named = all.filter { family in ([family.name] + family.aliases).contains { file.contains(plain($0)) } }
    return named + all.filter { family in !named.contains { $0.name == family.name } }
  }
}

extension Graph {
  /// Whether something scales or shifts pictures before the first layer that has weights.
  fileprivate var preparesPictures: Bool {
    for node in nodes.indices {
      switch layer(of: node) {
      case is Rescaling, is Normalization: return true
      case is Input, is ZeroPadding2D, is Cropping2D: continue
      default: return false
      }
    }
    return false
  }

  /// The same network with the stages of a family; nil where its layers come in another order.
  package func staged(like family: BackboneFamily) -> Graph? {
    var result = self
    do {
      try result.setStages(family.stageEnds)
    } catch {
      return nil
    }
    return result
  }
}

extension KerasFormat {
  /// Whether files of this kind say what the network is.
  package var holdsNetwork: Bool { self == .wholeModelH5 || self == .keras }
}
