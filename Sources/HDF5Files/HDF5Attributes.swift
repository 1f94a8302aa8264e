import CHDF5
import Tensors

/// The values that are attached to a group or dataset by name.
package struct HDF5Attributes: Sendable {
  let context: HDF5Context
  let owner: HDF5Handle
  let ownerPath: String

  /// More attributes than this on one object are refused.
  package static let maximumCount = 100_000
  /// An attribute that takes more bytes than this is refused.
  package static let maximumByteCount = 1 << 28

  /// The names of all attributes, in the order of their bytes.
  ///
  /// - Throws: ``HDF5Error`` with `tooLarge` or `damaged`.
  package func names() throws(HDF5Error) -> [String] {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    var names: [String] = []
    let status = withUnsafeMutablePointer(to: &names) { names in
      chdf5_each_attribute(
        owner.id,
        { name, context in
          guard let name, let names = context?.assumingMemoryBound(to: [String].self) else { return -1 }
          names.pointee.append(String(cString: name))
          return names.pointee.count > HDF5Attributes.maximumCount ? 1 : 0
        }, names)
    }
    if status < 0 { throw context.damage(ownerPath) }
    guard names.count <= Self.maximumCount else {
      throw context.error(.tooLarge, ownerPath, "has more than \(Self.maximumCount) attributes")
    }
    return names
  }

  /// The value of an attribute, nil if there is none of this name.
  ///
  /// - Throws: ``HDF5Error`` with `unsupportedType`, `notBacked`, `tooLarge` or `damaged`.
  package subscript(_ name: String) -> HDF5Value? {
    get throws(HDF5Error) {
      HDF5Library.enter()
      defer { HDF5Library.leave() }
      guard let attribute = try open(name) else { return nil }
      return try read(attribute, name)
    }
  }

  /// The value of an attribute that has to be there.
  ///
  /// - Throws: ``HDF5Error`` with `missingObject`, and as the subscript does.
  package func value(_ name: String) throws(HDF5Error) -> HDF5Value {
    if let value = try self[name] { return value }
    throw context.error(.missingObject, ownerPath, "has no attribute \"\(name)\"")
  }

  /// Whether an attribute exists and is this string.
  func holdsText(_ text: String, in name: String) throws(HDF5Error) -> Bool {
    guard let attribute = try open(name) else { return false }
    return try read(attribute, name).string == text
  }

  /// What errors call an attribute.
  func place(of name: String) -> String { "\(ownerPath) attribute \"\(name)\"" }
}

// MARK: - Reading

extension HDF5Attributes {
  private func open(_ name: String) throws(HDF5Error) -> HDF5Handle? {
    if name.isEmpty || name.utf8.contains(0) { return nil }
    switch H5Aexists(owner.id, name) {
    case 0: return nil
    case ..<0: throw context.damage(place(of: name))
    default: break
    }
    guard let attribute = HDF5Handle(H5Aopen(owner.id, name, HDF5Library.defaults)) else {
      throw context.damage(place(of: name))
    }
    return attribute
  }

  private func read(_ attribute: HDF5Handle, _ name: String) throws(HDF5Error) -> HDF5Value {
    let place = place(of: name)
    guard let type = HDF5Handle(H5Aget_type(attribute.id)), let space = HDF5Handle(H5Aget_space(attribute.id)) else {
      throw context.damage(place)
    }
    let shape = try DatasetExtents.shape(of: space.id, context: context, path: place)
    let elementByteCount = try context.storedByteCount(of: type.id)
    let byteCount = try DatasetExtents.byteCount(
      shape, elementByteCount: elementByteCount, context: context, path: place)
    guard byteCount <= Self.maximumByteCount else {
      throw context.error(.tooLarge, place, "takes \(spokenByteCount(byteCount))")
    }
    let stored = min(Int(clamping: H5Aget_storage_size(attribute.id)), context.byteCount)
    guard byteCount <= stored else {
      throw StoredLayout.notBacked(byteCount, "the file backs only \(spokenByteCount(stored)) of it", context, place)
    }
    switch StoredType(type.id) {
    case .numbers(let elementType, let isSwapped):
      let tensor = try Tensor(shape: shape, elementType: elementType) { (bytes) throws(HDF5Error) in
        try read(attribute, type, into: bytes, place)
        if isSwapped { swapByteOrder(bytes, elementByteCount: elementType.byteCount) }
      }
      return .numbers(tensor)
    case .text(let size, let padding):
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
      defer { bytes.deallocate() }
      try read(attribute, type, into: bytes, place)
      return Self.value(padding.strings(in: UnsafeRawBufferPointer(bytes), byteCount: size), shape)
    case .variableText:
      let strings = VariableText.read(count: shape.elementCount, type: type.id, space: space.id) { pointers in
        H5Aread(attribute.id, type.id, pointers)
      }
      guard let strings else { throw context.damage(place) }
      return Self.value(strings, shape)
    case .twoOpaqueBytes: throw unsupported("two opaque bytes each", place)
    case .unknown(let words): throw unsupported(words, place)
    }
  }

  private func unsupported(_ words: String, _ place: String) -> HDF5Error {
    context.error(.unsupportedType, place, "holds \(words) where numbers or strings are expected")
  }

  private func read(
    _ attribute: HDF5Handle, _ type: HDF5Handle, into bytes: UnsafeMutableRawBufferPointer, _ place: String
  ) throws(HDF5Error) {
    if bytes.isEmpty { return }
    guard H5Aread(attribute.id, type.id, bytes.baseAddress) >= 0 else { throw context.damage(place) }
  }

  private static func value(_ strings: [String], _ shape: Shape) -> HDF5Value {
    if shape.rank == 0, let string = strings.first { return .string(string) }
    return .strings(strings)
  }
}
