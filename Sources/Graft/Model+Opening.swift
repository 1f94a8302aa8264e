import Backbones
import Foundation
import Graphs
import KerasFormats
import Models
import Tasks

extension Model {
  /// Opens a model by the name of a pretrained one or by its file; a pretrained classifier knows its classes' names.
  ///
  /// - Parameter mode: How a file is read that is not a pretrained one.
  /// - Throws: `BackboneError` where nothing has this name, `WeightError` and `ModelError` where the file cannot be read.
  public static func open(
    _ name: String, in folders: PretrainedFolders? = nil, mode: ReadingMode = .inProcess
  ) throws -> Model {
    let folders = try folders ?? PretrainedFolders()
    let entry: PretrainedFolders.Entry
    switch try folders.resolve(name) {
    case .pretrained(let found): entry = found
    case .file(let path):
      guard let found = folders.entries.first(where: { isSameFile($0.path, path) }) else {
        return try read(path, mode: mode)
      }
      entry = found
    }
    var model = try read(entry.path, imageSize: entry.model.inputSize)
    guard model.document == nil, let path = entry.classNamesPath, let task = model.tasks.first else { return model }
    let names = try classNames(path)
    guard model.tasks.count == 1, names.count == task.classes.count else { return model }
    let size = entry.model.inputSize
    model.document = ModelDocument(
      tasks: [TaskDescription(name: task.name, kind: .classification(classes: names))], heads: model.heads,
      picture: ModelDocument.Picture(height: size.height, width: size.width), stages: model.graph.stages,
      provenance: ModelDocument.Provenance(
        backbone: entry.model.name, backboneSHA256: entry.model.sha256, licence: entry.model.licence))
    return model
  }

  private static func classNames(_ path: String) throws(BackboneError) -> [String] {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw BackboneError(.unreadableManifest, subject: path, detail: "the class names cannot be read")
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

/// Whether two paths lead to one file.
private func isSameFile(_ left: String, _ right: String) -> Bool {
  var first = stat()
  var second = stat()
  return stat(left, &first) == 0 && stat(right, &second) == 0 && first.st_ino == second.st_ino
    && first.st_dev == second.st_dev
}
