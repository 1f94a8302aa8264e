import Engine
import Foundation
import Graphs
import HDF5Files
import Tensors

/// Everything that a run needs to go on as if it had never stopped.
///
/// In the file, the root's attribute `state` holds ``Head`` as JSON; `SECTION/LAYER/VARIABLE` are the arrays of each
/// section of ``RunState``, and `optimizer/LAYER/VARIABLE` has some of the arrays of ``momentNames``. What has never
/// trained is not there: it is in the backbone. Behind the HDF5 file stands its SHA-256, see ``CheckpointSeal``.
package struct Checkpoint: Hashable, Sendable {
  /// What the optimizer remembers of one parameter.
  package struct Moments: Hashable, Sendable {
    /// How many steps the first and second moment have taken.
    package var stepCount = 0
    /// SGD's velocity.
    package var velocity: Tensor?
    /// The mean of gradients of Adam and LAMB.
    package var firstMoment: Tensor?
    /// The mean of squared gradients of Adam and LAMB.
    package var secondMoment: Tensor?
    /// RMSprop's mean of squared gradients.
    package var meanSquare: Tensor?
    /// What RMSprop with momentum subtracted last.
    package var increment: Tensor?
    /// Lion's mean of gradients.
    package var signMoment: Tensor?
  }

  /// What belongs to the run and not to its training.
  package struct Origin: Hashable, Sendable, Codable {
    /// The digest of the run's configuration: what was begun under another one does not go on under this.
    package var configuration: String
    /// The digest of the samples with their labels and division.
    package var data: String
    /// How many bytes `events.jsonl` had.
    package var eventByteCount: Int
  }

  /// What belongs to the run and not to its training.
  package var origin: Origin
  /// Where the run stands, in numbers.
  package var progress: RunProgress
  /// The arrays of each section, by parameter.
  package var arrays: [RunState.Section: Weights]
  /// What the optimizer remembers, by parameter.
  package var moments: [ParameterPath: Moments]

  /// The version of the form of ``Head``.
  static let version = 3

  /// The arrays that an optimizer may keep of a parameter, by their names in the file.
  static let momentNames: [(String, WritableKeyPath<Moments, Tensor?> & Sendable)] = [
    ("velocity", \.velocity), ("first_moment", \.firstMoment), ("second_moment", \.secondMoment),
    ("mean_square", \.meanSquare), ("increment", \.increment), ("sign_moment", \.signMoment),
  ]

  /// Everything in a checkpoint that is no array, and which arrays have to be there.
  struct Head: Codable {
    var version = Checkpoint.version
    var origin: Origin
    var progress: RunProgress
    /// The parameters of each section.
    var sections: [String: [String]]
    /// The steps of each parameter's moments.
    var optimizer: [String: Int]
  }
}

// MARK: - Reading

extension Checkpoint {
  /// What stands in a checkpoint's file, before anybody looks what it means.
  package struct Contents: Sendable {
    /// The root's attribute `state`.
    package var text: String
    /// The arrays by their paths, which begin with a slash.
    package var arrays: [String: Tensor]

    /// A text with arrays.
    package init(text: String, arrays: [String: Tensor]) {
      self.text = text
      self.arrays = arrays
    }

    /// Reads a file in this process.
    package init(readingFrom path: String) throws {
      let root = try HDF5File(readingFrom: path).root
      text = try root.attributes["state"]?.string ?? ""
      arrays = [:]
      for member in try root.tree() where member.kind == .dataset {
        arrays[member.path] = try root.dataset(member.path).read()
      }
    }
  }

  /// Reads the checkpoint of a network.
  ///
  /// - Parameter read: Reads a file whose seal has been checked.
  /// - Throws: ``TrainingError`` with code `damagedCheckpoint` where the file is not what was written, `unfitCheckpoint`
  ///   where it is, but cannot be used: it is that of another network or version, or the system does not let us read it.
  package init(
    readingFrom path: String, graph: Graph, by read: (String) throws -> Contents = Contents.init(readingFrom:)
  ) throws(TrainingError) {
    do {
      try CheckpointSeal.verify(OpenedFile(path))
      try self.init(
        try read(path), path: path, shapes: Dictionary(graph.parameters.map { ($0.path, $0.parameter.shape) }) { $1 })
    } catch let error as TrainingError {
      throw error
    } catch {
      throw TrainingError(.unfitCheckpoint, subject: path, detail: "cannot be read: \(error)")
    }
  }

  private init(_ contents: Contents, path: String, shapes: [ParameterPath: Shape]) throws {
    func unfit(_ detail: String) -> TrainingError { TrainingError(.unfitCheckpoint, subject: path, detail: detail) }
    let text = Data(contents.text.utf8)
    let version = try JSONDecoder.ofCheckpoints.decode(Version.self, from: text).version
    guard version == Self.version else {
      throw unfit(
        "was written by another version of graft: expected version \(Self.version) of its form, found \(version)")
    }
    let head = try JSONDecoder.ofCheckpoints.decode(Head.self, from: text)
    let counts = head.progress.counts + [head.origin.eventByteCount] + head.optimizer.values
    // What counts is added to: no file may bring it near the largest number.
    guard counts.allSatisfy((0...1 << 48).contains) else { throw unfit("counts what no run can have done") }
    func parameter(_ text: String) throws(TrainingError) -> ParameterPath {
      guard let parameter = ParameterPath(text), shapes[parameter] != nil else {
        throw unfit("holds \(text), which the network does not have")
      }
      return parameter
    }
    func tensor(_ place: String, of parameter: ParameterPath) throws(TrainingError) -> Tensor? {
      guard let tensor = contents.arrays["/\(place)"], let shape = shapes[parameter] else { return nil }
      guard tensor.shape == shape, tensor.elementType == .f32 else {
        throw unfit("expected \(place) as f32\(shape), found \(tensor)")
      }
      return tensor
    }
    origin = head.origin
    progress = head.progress
    arrays = [:]
    moments = [:]
    for section in RunState.Section.allCases {
      var weights = Weights()
      for text in head.sections[section.rawValue] ?? [] {
        let path = try parameter(text)
        guard let tensor = try tensor("\(section.rawValue)/\(path)", of: path) else {
          throw unfit("has no \(section.rawValue)/\(path), which its state names")
        }
        weights[path] = tensor
      }
      arrays[section] = weights
    }
    for (text, stepCount) in head.optimizer {
      let path = try parameter(text)
      var kept = Moments()
      kept.stepCount = stepCount
      for (name, keyPath) in Self.momentNames {
        kept[keyPath: keyPath] = try tensor("optimizer/\(path)/\(name)", of: path)
      }
      moments[path] = kept
    }
  }
}

/// The one value that every version of the form has.
private struct Version: Decodable {
  let version: Int
}

extension JSONDecoder {
  /// Reads what ``JSONEncoder/ofCheckpoints`` writes.
  static var ofCheckpoints: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
    return decoder
  }
}

extension JSONEncoder {
  /// Writes every number so that it is read as itself, and equal values as equal text.
  static var ofCheckpoints: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
    return encoder
  }
}
