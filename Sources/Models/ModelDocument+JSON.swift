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
    } catch let error as ModelError {
      throw error
    } catch let error as DecodingError {
      throw ModelError(.unfitDocument, subject: subject, detail: error.spoken)
    } catch {
      throw ModelError(.unfitDocument, subject: subject, detail: "\(error)")
    }
  }

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
    guard tasks.count == graph.outputs.count, heads.map(\.task) == tasks.map(\.name) else {
      throw unfit("graft.json has \(tasks.count) tasks and \(heads.count) heads for \(graph.outputs.count) outputs")
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
    switch self {
    case .keyNotFound(let key, let context): return "\(place(context)) has no \(key.stringValue)"
    case .typeMismatch(let type, let context): return "\(place(context)) must be of type \(type)"
    case .valueNotFound(let type, let context): return "\(place(context)) has no value of type \(type)"
    case .dataCorrupted(let context): return "\(place(context)): \(context.debugDescription)"
    @unknown default: return "\(self)"
    }
  }
}
