import CCrypto

/// A digest of bytes as they come: a value, so that a copy goes on by itself.
///
/// libcrypto computes it, with the processor's own instructions where there are any.
package struct Digest: Sendable {
  /// How the bytes are digested.
  package enum Function: Sendable {
    case sha256
    /// For comparing with what others have published, and for nothing else.
    case md5

    fileprivate var functions: OpaquePointer? {
      switch self {
      case .sha256: EVP_sha256()
      case .md5: EVP_md5()
      }
    }
  }

  private var state: State

  /// The digest of no bytes yet.
  package init(_ function: Function = .sha256) { state = State(function) }

  /// Takes further bytes in.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    if !isKnownUniquelyReferenced(&state) { state = State(copying: state) }
    precondition(
      EVP_DigestUpdate(state.context, bytes.baseAddress, bytes.count) == 1, "libcrypto refused to digest bytes")
  }

  /// Takes the bytes of an array or of data in.
  package mutating func update(_ bytes: some Collection<UInt8>) {
    let isDone: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
    if isDone == nil { Array(bytes).withUnsafeBytes { update($0) } }
  }

  /// Takes a text in, in UTF-8.
  package mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The digest of all bytes so far: 32 bytes of SHA-256, 16 of MD5.
  package var bytes: [UInt8] {
    let copy = State(copying: state)
    return [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var length: UInt32 = 0
      let isDone = EVP_DigestFinal_ex(copy.context, buffer.baseAddress, &length) == 1
      precondition(isDone, "libcrypto refused to end a digest")
      count = Int(length)
    }
  }

  /// The digest of all bytes so far in hexadecimal digits.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// What libcrypto keeps between two updates; only ever changed where one digest alone holds it.
  private final class State: @unchecked Sendable {
    let context: OpaquePointer

    init(_ function: Function) {
      context = Self.makeContext()
      precondition(EVP_DigestInit_ex(context, function.functions, nil) == 1, "libcrypto lacks a digest")
    }

    init(copying other: State) {
      context = Self.makeContext()
      precondition(EVP_MD_CTX_copy_ex(context, other.context) == 1, "libcrypto refused to copy a digest")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Where there is no memory for a few hundred bytes the process ends, as it does for any object of Swift's.
    private static func makeContext() -> OpaquePointer {
      guard let context = EVP_MD_CTX_new() else { fatalError("there is no memory for a digest") }
      return context
    }
  }
}
