import CHDF5
import Tensors

/// An array of numbers or strings in an HDF5 file.
package struct HDF5Dataset: Sendable {
  /// Where the dataset lies in the file.
  package let path: String
  /// The extents of the array.
  package let shape: Shape
  /// What the elements are; nil if they are no numbers.
  package let elementType: ElementType?
  let context: HDF5Context
  let handle: HDF5Handle
  let storedType: StoredType
  let storage: StoredLayout

  /// The values that are attached to the dataset by name.
  package var attributes: HDF5Attributes { HDF5Attributes(context: context, owner: handle, ownerPath: path) }

  /// Examines an open dataset; refuses what lies in other files and what the file cannot back.
  init(context: HDF5Context, handle: HDF5Handle, path: String) throws(HDF5Error) {
    self.context = context
    self.handle = handle
    self.path = path
    // The layout comes first: to ask a virtual dataset for its shape would open the files that it is made of.
    let layout = try StoredLayout(of: handle, context: context, path: path)
    guard let type = HDF5Handle(H5Dget_type(handle.id)), let space = HDF5Handle(H5Dget_space(handle.id)) else {
      throw context.damage(path)
    }
    storedType = StoredType(type.id)
    storage = layout
    shape = try DatasetExtents.shape(of: space.id, context: context, path: path)
    let byteCount = try DatasetExtents.byteCount(
      shape, elementByteCount: context.storedByteCount(of: type.id), context: context, path: path)
    switch storedType {
    case .numbers(let elementType, _): self.elementType = elementType
    case .twoOpaqueBytes:
      let attributes = HDF5Attributes(context: context, owner: handle, ownerPath: path)
      elementType = try attributes.holdsText("bfloat16", in: "dtype") ? .bf16 : nil
    default: elementType = nil
    }
    try storage.checkBacking(of: handle, byteCount: byteCount, context: context, path: path)
  }

  /// Reads all numbers.
  ///
  /// - Throws: ``HDF5Error`` with `unsupportedType`, `notBacked` or `damaged`.
  package func read() throws(HDF5Error) -> Tensor {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    guard let elementType else {
      throw context.error(.unsupportedType, path, "holds \(spokenType) where numbers are expected")
    }
    let plan = try readingPlan(elementByteCount: elementType.byteCount)
    return try Tensor(uninitialized: shape, elementType: elementType) { (bytes) throws(HDF5Error) in
      try readNumbers(into: bytes, plan)
    }
  }

  /// Reads all numbers to where they shall lie, in the host's byte order.
  ///
  /// - Parameter bytes: As many bytes as the elements take.
  /// - Throws: ``HDF5Error`` with `unsupportedType`, `notBacked` or `damaged`.
  package func read(into bytes: UnsafeMutableRawBufferPointer) throws(HDF5Error) {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    guard let elementType else {
      throw context.error(.unsupportedType, path, "holds \(spokenType) where numbers are expected")
    }
    precondition(bytes.count == shape.elementCount * elementType.byteCount, "the bytes are those of another shape")
    try readNumbers(into: bytes, readingPlan(elementByteCount: elementType.byteCount))
  }

  private func readNumbers(into bytes: UnsafeMutableRawBufferPointer, _ plan: ChunkPlan?) throws(HDF5Error) {
    try readBytes(into: bytes, plan)
    if case .numbers(let elementType, true) = storedType {
      swapByteOrder(bytes, elementByteCount: elementType.byteCount)
    }
  }

  /// Reads all strings, the last axis running fastest; what is no UTF-8 in them becomes U+FFFD.
  ///
  /// - Throws: ``HDF5Error`` with `unsupportedType`, `notBacked` or `damaged`.
  package func readStrings() throws(HDF5Error) -> [String] {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    switch storedType {
    case .text(let byteCount, let padding):
      let plan = try readingPlan(elementByteCount: byteCount)
      let bytes = UnsafeMutableRawBufferPointer.allocate(
        byteCount: shape.elementCount * byteCount, alignment: 16)
      defer { bytes.deallocate() }
      try readBytes(into: bytes, plan)
      return padding.strings(in: UnsafeRawBufferPointer(bytes), byteCount: byteCount)
    case .variableText:
      guard let type = HDF5Handle(H5Dget_type(handle.id)), let space = HDF5Handle(H5Dget_space(handle.id)) else {
        throw context.damage(path)
      }
      // libhdf5 unpacks these chunks itself, since only it can follow what they hold; first see that all are sound.
      try readingPlan(elementByteCount: context.storedByteCount(of: type.id))?.check()
      let strings = VariableText.read(count: shape.elementCount, type: type.id, space: space.id) {
        chdf5_read(handle.id, type.id, $0)
      }
      guard let strings else { throw context.damage(path) }
      return strings
    default: throw context.error(.unsupportedType, path, "holds \(spokenType) where strings are expected")
    }
  }

  private var spokenType: String {
    switch storedType {
    case .numbers(let type, _): "numbers (\(type.rawValue))"
    case .text, .variableText: "strings"
    case .twoOpaqueBytes: "two opaque bytes each"
    case .unknown(let words): words
    }
  }
}

// MARK: - Bytes

extension HDF5Dataset {
  /// The chunks to read, all of which the file is known to back; nil for datasets that lie in one piece.
  private func readingPlan(elementByteCount: Int) throws(HDF5Error) -> ChunkPlan? {
    guard case .chunked(let chunk) = storage.arrangement, shape.elementCount > 0 else { return nil }
    return try ChunkPlan(
      dataset: handle, shape: shape, elementByteCount: elementByteCount, chunk: chunk, context: context, path: path)
  }

  /// Reads the elements as they are stored, so that libhdf5 converts nothing.
  private func readBytes(into bytes: UnsafeMutableRawBufferPointer, _ plan: ChunkPlan?) throws(HDF5Error) {
    if bytes.isEmpty { return }
    if let plan { return try plan.read(into: bytes) }
    guard let type = HDF5Handle(H5Dget_type(handle.id)), chdf5_read(handle.id, type.id, bytes.baseAddress) >= 0 else {
      throw context.damage(path)
    }
  }
}

/// The shape of a dataset or attribute, with every product checked.
enum DatasetExtents {
  /// The extents of a dataspace; the one that holds nothing counts as `[0]`.
  static func shape(of space: hid_t, context: HDF5Context, path: String) throws(HDF5Error) -> Shape {
    switch H5Sget_simple_extent_type(space) {
    case H5S_SCALAR: return []
    case H5S_NULL: return [0]
    case H5S_SIMPLE: break
    default: throw context.damage(path)
    }
    let rank = H5Sget_simple_extent_ndims(space)
    guard rank >= 0, rank <= H5S_MAX_RANK else { throw context.damage(path) }
    var extents = [hsize_t](repeating: 0, count: Int(rank))
    guard H5Sget_simple_extent_dims(space, &extents, nil) == rank else { throw context.damage(path) }
    var dimensions: [Int] = []
    for extent in extents {
      guard let dimension = Int(exactly: extent) else {
        throw context.error(.tooLarge, path, "declares an axis of \(extent) elements")
      }
      dimensions.append(dimension)
    }
    return Shape(dimensions)
  }

  /// The bytes of an array.
  static func byteCount(
    _ shape: Shape, elementByteCount: Int, context: HDF5Context, path: String
  ) throws(HDF5Error) -> Int {
    var product = elementByteCount
    // An axis of length zero among huge ones must not hide that their product cannot be counted.
    for dimension in shape.dimensions.filter({ $0 > 0 }) {
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      if overflow { throw context.error(.tooLarge, path, "declares the shape \(shape), more than can be counted") }
      product = next
    }
    return shape.dimensions.contains(0) ? 0 : product
  }
}
