import CHDF5
import Tensors

extension HDF5Attributes {
  /// An object header has room for so many bytes of one attribute.
  package static let maximumInlineByteCount = 64_512

  /// Attaches a value.
  ///
  /// A string may have any length. A list of strings is stored like Keras does, all of the length of the longest; if
  /// that takes too many bytes, as strings of any length, and if there are too many even for that, it must be split.
  ///
  /// - Throws: ``HDF5Error`` with `invalidName`, `tooLarge` or `writeFailed`.
  package func set(_ value: HDF5Value, named name: String) throws(HDF5Error) {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    switch value {
    case .string(let string): try write([string], [], named: name, fixedByteCount: nil)
    case .strings(let strings):
      let longest = strings.reduce(1) { max($0, $1.utf8.count) }
      let isFixed = longest * strings.count <= Self.maximumInlineByteCount && !strings.contains { $0.hasSuffix("\0") }
      try write(strings, [strings.count], named: name, fixedByteCount: isFixed ? longest : nil)
    case .numbers(let tensor):
      try checkInline(tensor.byteCount, named: name)
      let types = (tensor.elementType.makeFileType(), tensor.elementType.makeMemoryType())
      guard let fileType = types.0, let memoryType = types.1 else { throw failure(name) }
      try tensor.withUnsafeBytes { (bytes) throws(HDF5Error) in
        try write(bytes, fileType, memoryType, tensor.shape, named: name)
      }
    }
  }

  private func write(
    _ strings: [String], _ shape: Shape, named name: String, fixedByteCount: Int?
  ) throws(HDF5Error) {
    let isASCII = strings.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }
    guard let type = HDF5Handle(chdf5_make_string(fixedByteCount ?? 0, fixedByteCount != nil && isASCII ? 0 : 1)) else {
      throw failure(name)
    }
    if let fixedByteCount {
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: fixedByteCount * strings.count, alignment: 1)
      defer { bytes.deallocate() }
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      for (index, string) in strings.enumerated() {
        bytes[(index * fixedByteCount)...].copyBytes(from: string.utf8)
      }
      return try write(UnsafeRawBufferPointer(bytes), type, type, shape, named: name)
    }
    guard !strings.contains(where: { $0.utf8.contains(0) }) else {
      throw context.error(.invalidName, place(of: name), "has a zero byte in its text, which the format cannot hold")
    }
    try checkInline(16 * strings.count, named: name)
    try withPointers(to: strings) { (pointers) throws(HDF5Error) in
      try write(pointers, type, type, shape, named: name)
    }
  }

  private func write(
    _ bytes: UnsafeRawBufferPointer, _ fileType: HDF5Handle, _ memoryType: HDF5Handle, _ shape: Shape,
    named name: String
  ) throws(HDF5Error) {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw context.error(.invalidName, ownerPath, "cannot have an attribute \"\(name)\"")
    }
    guard H5Aexists(owner.id, name) == 0 else {
      throw context.error(.invalidName, place(of: name), "exists already")
    }
    guard let space = shape.makeSpace(),
      let attribute = HDF5Handle(
        H5Acreate2(owner.id, name, fileType.id, space.id, HDF5Library.defaults, HDF5Library.defaults))
    else { throw failure(name) }
    if !bytes.isEmpty && H5Awrite(attribute.id, memoryType.id, bytes.baseAddress) < 0 { throw failure(name) }
  }

  private func checkInline(_ byteCount: Int, named name: String) throws(HDF5Error) {
    guard byteCount <= Self.maximumInlineByteCount else {
      throw context.error(
        .tooLarge, place(of: name),
        "takes \(byteCount) bytes, more than the \(Self.maximumInlineByteCount) that an attribute has room for")
    }
  }

  private func failure(_ name: String) -> HDF5Error {
    context.error(.writeFailed, place(of: name), "cannot be written: \(HDF5Library.reason)")
  }
}

/// Calls `body` with an array of pointers to the texts, each ended by a zero.
private func withPointers(
  to texts: [String], _ body: (UnsafeRawBufferPointer) throws(HDF5Error) -> Void
) throws(HDF5Error) {
  // One block for all: nesting a closure for each text would be as deep as the list is long.
  let block = UnsafeMutableRawBufferPointer.allocate(
    byteCount: texts.reduce(0) { $0 + $1.utf8.count + 1 }, alignment: 1)
  let pointers = UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>.allocate(capacity: texts.count)
  defer {
    block.deallocate()
    pointers.deallocate()
  }
  var start = 0
  for (index, text) in texts.enumerated() {
    pointers.initializeElement(at: index, to: block.baseAddress?.advanced(by: start))
    block[start...].copyBytes(from: text.utf8)
    start += text.utf8.count + 1
    block[start - 1] = 0
  }
  try body(UnsafeRawBufferPointer(pointers))
}

extension Shape {
  /// The dataspace of an array of this shape.
  func makeSpace() -> HDF5Handle? {
    if rank == 0 { return HDF5Handle(H5Screate(H5S_SCALAR)) }
    return HDF5Handle(H5Screate_simple(Int32(rank), dimensions.map(hsize_t.init), nil))
  }
}
