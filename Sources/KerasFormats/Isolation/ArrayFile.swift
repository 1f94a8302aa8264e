import HDF5Files
import Tensors

/// An HDF5 file of Graft's own, which is no network: a text, and arrays by the place where they lie.
///
/// It is read like a file of Keras: with every limit on hostile files, and in a process of its own if need be.
package struct ArrayFile: Sendable {
  /// The root's attribute of the name that was asked for.
  package var text: String
  /// The arrays of numbers by their paths, which begin with a slash.
  package var arrays: [String: Tensor]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - attribute: The root's attribute that holds the text.
  ///   - mode: Whether the file is read here or in a process without rights.
  /// - Throws: ``WeightError``.
  package init(readingFrom path: String, attribute: String, mode: ReadingMode) throws(WeightError) {
    let contents = try naming(path) { () throws(WeightError) in
      let file = try readingHDF5 { () throws(HDF5Error) in try OpenedFile(path) }
      switch mode {
      case .inProcess: return try KerasContents(arraysOf: file, attribute: attribute)
      case .isolated:
        return try KerasContents(
          isolated: file, inputSize: nil, wanted: .everything, limits: ReaderLimits(fileByteCount: file.byteCount),
          textAttribute: attribute)
      }
    }
    text = String(decoding: contents.configuration ?? [], as: UTF8.self)
    arrays = [:]
    for array in contents.weights.layers.flatMap(\.arrays) where array.dataset.elementType != nil {
      arrays[array.dataset.path] = try naming(path) { () throws(WeightError) in try array.dataset.read() }
    }
  }
}

extension KerasContents {
  /// All arrays of a file that is none of Keras, and one of its texts.
  init(arraysOf file: OpenedFile, attribute: String) throws(WeightError) {
    (configuration, weights) = try readingHDF5 { () throws(HDF5Error) in
      let root = try HDF5File(reading: file).root
      var arrays: [StoredLayer.Array] = []
      for member in try root.tree() where member.kind == .dataset {
        arrays.append(StoredLayer.Array(name: member.path, dataset: StoredArray(try root.dataset(member.path))))
      }
      let text = try root.attributes[attribute]?.string.map { Array($0.utf8) }
      return (text, StoredWeights(layers: [StoredLayer(name: nil, place: "", arrays: arrays)]))
    }
    format = .weightsH5
    kerasVersion = nil
    graftDocument = nil
    otherMembers = []
    byteCount = file.byteCount
  }
}
