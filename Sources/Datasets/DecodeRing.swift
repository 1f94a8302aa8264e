import Foundation

/// The places for decoded pictures between the threads that fill them and the one that takes them in order.
///
/// Unchecked: `condition` protects every variable; the pixels of a place belong to the thread that claimed it until it
/// is finished, and then to the taker until it is released.
final class DecodeRing: @unchecked Sendable {
  /// One picture to decode: its position in the order, and where its pixels go.
  struct Place {
    let position: Int
    let pixels: UnsafeMutableBufferPointer<UInt8>
  }

  private enum Outcome {
    case waiting
    case decoded
    case failed(DatasetError)
  }

  /// The bytes of one picture.
  let byteCount: Int
  private let count: Int
  private let pixels: UnsafeMutableBufferPointer<UInt8>
  private let condition = NSCondition()
  private var outcomes: [Outcome]
  private var claimedCount = 0
  private var releasedCount = 0
  private var isClosed = false

  /// A ring for `count` pictures in all, of which `capacity` are held at a time.
  init(count: Int, capacity: Int, byteCount: Int) {
    let capacity = max(1, min(capacity, count))
    self.count = count
    self.byteCount = byteCount
    outcomes = Array(repeating: .waiting, count: capacity)
    pixels = .allocate(capacity: capacity * byteCount)
    pixels.initialize(repeating: 0)
  }

  deinit { pixels.deallocate() }

  /// The next picture to decode, as soon as there is room for it; nil when there is none or the ring was closed.
  func claim() -> Place? {
    condition.withLock {
      while !isClosed, claimedCount < count, claimedCount >= releasedCount + outcomes.count { condition.wait() }
      if isClosed || claimedCount == count { return nil }
      defer { claimedCount += 1 }
      return Place(position: claimedCount, pixels: place(claimedCount))
    }
  }

  /// Says that a claimed picture is decoded, or why not.
  func finish(_ position: Int, error: DatasetError?) {
    condition.withLock {
      outcomes[position % outcomes.count] = error.map { .failed($0) } ?? .decoded
      condition.broadcast()
    }
  }

  /// Waits for the picture at a position, the first that was not released.
  func take(_ position: Int) throws(DatasetError) -> UnsafeBufferPointer<UInt8> {
    let outcome = condition.withLock {
      while case .waiting = outcomes[position % outcomes.count] { condition.wait() }
      return outcomes[position % outcomes.count]
    }
    if case .failed(let error) = outcome { throw error }
    return UnsafeBufferPointer(place(position))
  }

  /// Gives the place of the first taken picture back to the threads.
  func release() {
    condition.withLock {
      outcomes[releasedCount % outcomes.count] = .waiting
      releasedCount += 1
      condition.broadcast()
    }
  }

  /// Lets the threads end after the picture that they are at.
  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
    }
  }

  private func place(_ position: Int) -> UnsafeMutableBufferPointer<UInt8> {
    let start = position % outcomes.count * byteCount
    return UnsafeMutableBufferPointer(rebasing: pixels[start..<start + byteCount])
  }
}
