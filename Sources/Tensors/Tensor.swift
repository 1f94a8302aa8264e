/// A contiguous array of numbers in host memory, outermost axis first, with the meaning of a value.
///
/// Copies share their memory until one of them is written to. The bytes are in the host's byte order and aligned to 64
/// bytes, so that vector code may use them where they lie.
public struct Tensor: Sendable {
  /// The extents of the axes.
  public let shape: Shape
  /// What one element is.
  public let elementType: ElementType
  private var storage: TensorStorage

  /// A tensor of zeros.
  public init(zeros shape: Shape, elementType: ElementType = .f32) {
    self.shape = shape
    self.elementType = elementType
    storage = TensorStorage(byteCount: shape.elementCount * elementType.byteCount)
  }

  /// A tensor whose bytes are written by `body`, which gets them zeroed.
  public init<Failure: Error>(
    shape: Shape, elementType: ElementType,
    writing body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    self.init(zeros: shape, elementType: elementType)
    try body(storage.bytes)
  }

  /// A tensor whose bytes are all written by `body`, which may find anything in them: for what is large.
  package init<Failure: Error>(
    uninitialized shape: Shape, elementType: ElementType,
    filling body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    self.shape = shape
    self.elementType = elementType
    storage = TensorStorage(uninitializedByteCount: shape.elementCount * elementType.byteCount)
    try body(storage.bytes)
  }

  /// A tensor whose bytes lie in memory that `owner` keeps, aligned to 64 bytes; nobody else writes there.
  package init(
    shape: Shape, elementType: ElementType, bytes: UnsafeMutableRawBufferPointer, owner: any AnyObject & Sendable
  ) {
    precondition(bytes.count == shape.elementCount * elementType.byteCount, "the bytes are those of another shape")
    self.shape = shape
    self.elementType = elementType
    storage = TensorStorage(bytes, owner: owner)
  }

  /// A tensor of single-precision numbers, `values` in the order of the axes.
  public init(_ values: [Float], shape: Shape) {
    precondition(values.count == shape.elementCount, "\(values.count) values cannot fill the shape \(shape)")
    self.init(shape: shape, elementType: .f32) { bytes in
      values.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// The number of elements.
  public var elementCount: Int { shape.elementCount }

  /// The number of bytes that the elements take.
  public var byteCount: Int { storage.bytes.count }

  /// The same elements under another shape with as many elements.
  public func reshaped(to shape: Shape) -> Tensor {
    precondition(shape.elementCount == elementCount, "\(self.shape) has other elements than \(shape)")
    return Tensor(shape: shape, elementType: elementType, storage: storage)
  }

  private init(shape: Shape, elementType: ElementType, storage: TensorStorage) {
    self.shape = shape
    self.elementType = elementType
    self.storage = storage
  }
}

// MARK: - Reaching the elements

extension Tensor {
  /// Calls `body` with the bytes of all elements.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(storage.bytes))
  }

  /// Calls `body` with the bytes of all elements, for writing; copies that share the memory keep the old values.
  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    return try body(storage.bytes)
  }

  /// Calls `body` with the elements of an `f32` tensor.
  public func withFloats<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(elementType == .f32, "the elements are \(elementType), not f32")
    return try body(UnsafeBufferPointer(storage.bytes.bindMemory(to: Float.self)))
  }

  /// Calls `body` with the elements of an `f32` tensor, for writing.
  public mutating func withMutableFloats<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(elementType == .f32, "the elements are \(elementType), not f32")
    if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    return try body(storage.bytes.bindMemory(to: Float.self))
  }

  /// All elements as single-precision numbers, in the order of the axes.
  public var floats: [Float] {
    let single = elementType == .f32 ? self : converted(to: .f32)
    return single.withFloats { Array($0) }
  }
}

extension Tensor: Hashable {
  /// Whether shape, element type and every bit are equal; NaN equals NaN of the same bits.
  public static func == (left: Tensor, right: Tensor) -> Bool {
    guard left.shape == right.shape, left.elementType == right.elementType else { return false }
    return left.storage === right.storage || left.storage.bytes.elementsEqual(right.storage.bytes)
  }

  /// Feeds shape, element type and bits to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(shape)
    hasher.combine(elementType)
    hasher.combine(bytes: UnsafeRawBufferPointer(storage.bytes))
  }
}

extension Tensor: CustomStringConvertible {
  /// The element type and shape, without the elements: `f32[3, 3, 64, 64]`.
  public var description: String { "\(elementType.rawValue)\(shape)" }
}

/// The memory of a tensor, freed with its last owner.
///
/// Unchecked: the bytes are written only while exactly one `Tensor` refers to them.
private final class TensorStorage: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer
  /// Whoever keeps the memory; nil where it is freed with this object.
  private let owner: (any AnyObject & Sendable)?

  init(_ bytes: UnsafeMutableRawBufferPointer, owner: any AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  init(uninitializedByteCount byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: MemoryPages.alignment(for: byteCount))
    MemoryPages.prepare(bytes)
    owner = nil
  }

  convenience init(byteCount: Int) {
    self.init(uninitializedByteCount: byteCount)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  func copy() -> TensorStorage {
    let other = TensorStorage(uninitializedByteCount: bytes.count)
    other.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
    return other
  }

  deinit { if owner == nil { bytes.deallocate() } }
}
