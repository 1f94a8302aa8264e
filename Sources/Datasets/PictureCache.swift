import Foundation

/// Decoded pictures kept in memory up to a number of bytes, so that later epochs do not decode them again.
///
/// It holds pictures as one decoder shows them, before any augmentation. Once it is full, further pictures are not kept;
/// none that it has is given up.
///
/// Unchecked: `lock` protects the table; the bytes of a picture are written before it enters the table and never after.
public final class PictureCache: @unchecked Sendable {
  /// The decoder whose output it holds.
  public let decoder: PictureDecoder
  /// The most bytes that it holds.
  public let byteLimit: Int
  private let lock = NSLock()
  private var pictures: [String: UnsafeMutableBufferPointer<UInt8>] = [:]
  private var reservedByteCount = 0

  /// An empty cache for what a decoder makes.
  public init(_ decoder: PictureDecoder, byteLimit: Int = 1 << 29) {
    self.decoder = decoder
    self.byteLimit = byteLimit
  }

  /// The number of pictures that it holds.
  public var count: Int { lock.withLock { pictures.count } }

  /// Copies a file's picture into `output`, if it is here.
  func copy(_ path: String, into output: UnsafeMutableBufferPointer<UInt8>) -> Bool {
    guard let picture = lock.withLock({ pictures[path] }) else { return false }
    _ = output.update(fromContentsOf: picture)
    return true
  }

  /// Keeps a copy of a file's picture, if there is room and it is not here yet.
  func keep(_ path: String, _ picture: UnsafeMutableBufferPointer<UInt8>) {
    let hasRoom = lock.withLock {
      guard pictures[path] == nil, reservedByteCount + picture.count <= byteLimit else { return false }
      reservedByteCount += picture.count
      return true
    }
    if !hasRoom { return }
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: picture.count)
    _ = copy.initialize(fromContentsOf: picture)
    let displaced = lock.withLock { pictures.updateValue(copy, forKey: path) }
    displaced?.deallocate()
  }

  deinit {
    for picture in pictures.values { picture.deallocate() }
  }
}
