import HDF5Files
import Tensors

/// Everything that a file of Keras says, taken out of its container.
struct KerasContents {
  /// The kind of file.
  var format: KerasFormat
  /// The JSON of the network, if the file has one.
  var configuration: [UInt8]?
  /// The version of Keras that wrote the file, if it says so.
  var kerasVersion: String?
  /// The document of Graft, if the file has one.
  var graftDocument: [UInt8]?
  /// What else lies in the file.
  var otherMembers: [String]
  /// The size of the file, or of all its parts, as whoever opened it knows.
  var byteCount: Int
  /// The weights, as the container names them.
  var weights: StoredWeights
}

// MARK: - As a message

/// Where the arrays of a file lie in the memory that a reader shares.
struct SharedLayout {
  /// The first byte of each array that holds numbers, in the order of the layers; nil for the others.
  private(set) var starts: [Int?] = []
  /// How many bytes all take.
  private(set) var byteCount = 0

  /// Adds an array; false where no count can hold what it would take.
  mutating func add(_ shape: Shape, _ elementType: ElementType?) -> Bool {
    guard let elementType else {
      starts.append(nil)
      return true
    }
    var count = elementType.byteCount
    for extent in shape.dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || product > 1 << 46 { return false }
      count = product
    }
    let start = SharedMemory.start(after: byteCount, byteCount: count)
    starts.append(start)
    byteCount = start + count
    return byteCount <= 1 << 46
  }
}

extension KerasContents {
  /// A message may have so many bytes.
  static let maximumMessageByteCount = 1 << 28

  /// Writes everything but the numbers.
  func write(to message: inout MessageWriter) {
    message.append(format.rawValue)
    message.append(configuration) { $0.append($1) }
    message.append(kerasVersion) { $0.append($1) }
    message.append(graftDocument) { $0.append($1) }
    message.append(all: otherMembers) { $0.append($1) }
    message.append(all: weights.others) { $0.append($1) }
    message.append(weights.backend) { $0.append($1) }
    message.append(all: weights.layers) { message, layer in
      message.append(layer.name) { $0.append($1) }
      message.append(layer.place)
      message.append(all: layer.arrays) { message, array in
        message.append(array.name)
        message.append(array.dataset.path)
        message.append(all: array.dataset.shape.dimensions) { $0.append($1) }
        message.append(array.dataset.elementType) { $0.append($1.rawValue) }
      }
    }
  }

  /// Reads what a stranger wrote: every count, name of a type and extent is checked, and where the numbers lie follows
  /// from the shapes instead of from the message.
  ///
  /// - Parameters:
  ///   - byteCount: The size of the file.
  ///   - share: Maps so many bytes of shared memory; nil where only the description is wanted.
  init(
    from message: inout MessageReader, byteCount: Int, sharing share: ((Int) throws(WeightError) -> SharedMemory?)?
  ) throws(WeightError) {
    struct Description {
      var name: String
      var path: String
      var shape: Shape
      var elementType: ElementType?
    }
    var described: [(name: String?, place: String, arrays: [Description])] = []
    var (others, backend): ([String], String?) = ([], nil)
    var layout = SharedLayout()
    do throws(MessageFailure) {
      guard let format = KerasFormat(rawValue: try message.text()) else { throw MessageFailure() }
      self.format = format
      configuration = try message.optional { message throws(MessageFailure) in try message.block() }
      kerasVersion = try message.optional { message throws(MessageFailure) in try message.text() }
      graftDocument = try message.optional { message throws(MessageFailure) in try message.block() }
      otherMembers = try message.all { message throws(MessageFailure) in try message.text() }
      others = try message.all { message throws(MessageFailure) in try message.text() }
      backend = try message.optional { message throws(MessageFailure) in try message.text() }
      described = try message.all { message throws(MessageFailure) in
        let name = try message.optional { message throws(MessageFailure) in try message.text() }
        let place = try message.text()
        let arrays = try message.all { message throws(MessageFailure) in
          let (name, path) = (try message.text(), try message.text())
          let extents = try message.all { message throws(MessageFailure) in try message.number(in: 0...(1 << 46)) }
          let type = try message.optional { message throws(MessageFailure) in try message.text() }
          let elementType = type.flatMap(ElementType.init(rawValue:))
          guard extents.count <= 32, (type == nil) == (elementType == nil) else { throw MessageFailure() }
          return Description(name: name, path: path, shape: Shape(extents), elementType: elementType)
        }
        return (name, place, arrays)
      }
      try message.finish()
      for array in described.flatMap(\.arrays) {
        guard layout.add(array.shape, array.elementType) else { throw MessageFailure() }
      }
    } catch {
      throw WeightError(.readerStopped, detail: "made its reader talk nonsense, so it is damaged or hostile")
    }
    self.byteCount = byteCount
    let memory = try share?(layout.byteCount)
    var starts = layout.starts.makeIterator()
    let layers = described.map { layer in
      StoredLayer(
        name: layer.name, place: layer.place,
        arrays: layer.arrays.map { array in
          let start = starts.next() ?? nil
          var tensor: Tensor?
          if let type = array.elementType, let start, share != nil {
            tensor =
              memory?.tensor(at: start, shape: array.shape, elementType: type)
              ?? Tensor(zeros: array.shape, elementType: type)
          }
          return StoredLayer.Array(
            name: array.name,
            dataset: StoredArray(
              path: array.path, shape: array.shape, elementType: array.elementType, tensor: tensor))
        })
    }
    weights = StoredWeights(layers: layers, others: others, backend: backend)
  }
}
