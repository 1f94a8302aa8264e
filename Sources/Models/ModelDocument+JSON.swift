import Foundation
import Graphs
import Tasks

extension ModelDocument {
  /// The document as JSON in UTF-8, its keys in alphabetical order.
  package func json() throws(ModelError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return [UInt8](try encoder.encode(self))
    } catch {
      throw ModelError(.unfitDocument, subject: "graft.json", detail: "holds a number that JSON cannot say: \(error)")
    }
  }

  /// Reads the document of a file.
  ///
  /// - Parameter name: The file, for messages.
  /// - Throws: ``ModelError`` with code `newerVersion` or `unfitDocument`.
  package init(json: [UInt8], name: String) throws(ModelError) {
    let subject = "\(name): graft.json"
    let data = Data(json)
    let decoder = JSONDecoder()
    do {
      let version = try decoder.decode(Version.self, from: data).formatVersion
      guard version <= ModelDocument.currentVersion else {
        throw ModelError(
          .newerVersion, subject: subject,
          detail: "has version \(version), and this program knows up to \(ModelDocument.currentVersion)")
      }
      self = try decoder.decode(ModelDocument.self, from: data)
      try checkPicture(subject)
    } catch let error as ModelError {
      throw error
    } catch let error as DecodingError {
      throw ModelError(.unfitDocument, subject: subject, detail: error.spoken)
    } catch {
      throw ModelError(.unfitDocument, subject: subject, detail: "\(error)")
    }
  }

  /// Checks what is used before the network is known.
  private func checkPicture(_ subject: String) throws(ModelError) {
    let sizes = 1...Self.maximumPictureSide
    guard sizes.contains(picture.height), sizes.contains(picture.width) else {
      throw ModelError(
        .unfitDocument, subject: subject,
        detail: "wants pictures of \(picture.height) x \(picture.width), where 1 to \(sizes.upperBound) are expected")
    }
    guard Self.fits.contains(picture.fit) else {
      throw ModelError(
        .unfitDocument, subject: subject,
        detail: "expected \(Self.fits.joined(separator: ", ")) as the fit of pictures, found \"\(picture.fit)\"")
    }
  }

  /// No run makes larger ones.
  private static let maximumPictureSide = 4096
  /// The ways of bringing a picture to a size.
  private static let fits = ["crop", "squash", "pad"]

  /// Checks that the document speaks of this network.
  ///
  /// - Throws: ``ModelError`` with code `unfitDocument`.
  package func check(against graph: Graph, name: String) throws(ModelError) {
    func unfit(_ detail: String) -> ModelError { ModelError(.unfitDocument, subject: name, detail: detail) }
    do throws(TaskError) {
      try tasks.validate()
    } catch {
      throw unfit("graft.json has a task that cannot be: \(error)")
    }
    guard tasks.count == graph.outputs.count, heads.count == tasks.count else {
      throw unfit("graft.json has \(tasks.count) tasks and \(heads.count) heads for \(graph.outputs.count) outputs")
    }
    for (head, task) in zip(heads, tasks) where head.task != task.name {
      throw unfit("graft.json has a head of \(head.task) where one of \(task.name) is expected")
    }
    if let parity, parity.outputs.map(\.count) != tasks.map(\.outputCount) {
      throw unfit(
        "graft.json has a sample with outputs of \(parity.outputs.map(\.count)) numbers, where "
          + "\(tasks.map(\.outputCount)) are expected")
    }
    for (task, output) in zip(tasks, graph.outputs) {
      let shape = graph.nodes[output].outputShape
      guard shape == [task.outputCount] else {
        throw unfit("task \(task.name) has \(task.outputCount) classes, but its output is \(shape)")
      }
    }
    for (head, output) in zip(heads, graph.outputs) {
      if let missing = (head.layers + [head.outputLayer]).first(where: { graph[layer: $0] == nil }) {
        throw unfit("the head of \(head.task) has a layer \(missing), which the network does not")
      }
      guard graph.nodes[output].layer == head.outputLayer else {
        throw unfit("\(head.outputLayer) is not the output that answers \(head.task)")
      }
    }
    guard let input = graph.inputs.first, graph.inputs.count == 1,
      graph.nodes[input].outputShape == [picture.height, picture.width, 3]
    else {
      throw unfit("graft.json wants pictures of \(picture.height) x \(picture.width), but the network does not")
    }
  }
}

/// The one value that every version of the form has.
private struct Version: Decodable {
  let formatVersion: Int
}

extension DecodingError {
  /// Where, what was expected and what was found, in one clause.
  fileprivate var spoken: String {
    func place(_ context: Context) -> String {
      let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      return path.isEmpty ? "the text" : path.joined(separator: ".")
    }
    func name(of type: Any.Type) -> String {
      switch type {
      case is String.Type: "text"
      case is any BinaryInteger.Type: "a whole number"
      case is any BinaryFloatingPoint.Type: "a number"
      case is [Any].Type: "a list"
      default: "an object"
      }
    }
    switch self {
    case .keyNotFound(let key, let context): return "\(place(context)) has no \(key.stringValue)"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(place(context)) must be \(name(of: type))"
    case .dataCorrupted(let context):
      // Foundation says of the whole text that it is no JSON, and why only below that.
      let reason = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey] as? String
      return "\(place(context)): \(reason ?? context.debugDescription)"
    @unknown default: return "\(self)"
    }
  }
}
