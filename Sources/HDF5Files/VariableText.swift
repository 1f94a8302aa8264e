import CHDF5

/// Strings of any length, which libhdf5 allocates one by one.
enum VariableText {
  /// Reads `count` strings through `read`, which fills an array of pointers; nil if it fails.
  static func read(
    count: Int, type: hid_t, space: hid_t, _ read: (UnsafeMutableRawPointer?) -> herr_t
  ) -> [String]? {
    if count == 0 { return [] }
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    return pointers.withUnsafeMutableBytes { bytes in
      let status = read(bytes.baseAddress)
      defer { _ = chdf5_reclaim(type, space, bytes.baseAddress) }
      if status < 0 { return nil }
      return bytes.bindMemory(to: UnsafeMutablePointer<CChar>?.self).map { pointer in
        pointer.map { String(cString: $0) } ?? ""
      }
    }
  }
}
