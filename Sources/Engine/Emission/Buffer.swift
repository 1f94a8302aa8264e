/// A piece of memory of a plan, known by its size and the steps between which it lives until the plan is laid out.
final class Buffer {
  private(set) var byteCount: Int
  /// The steps from the first that touches it to the last; everything for memory that keeps its content.
  private(set) var life: ClosedRange<Int>?
  private(set) var isPersistent: Bool
  private var place: UnsafeMutableRawPointer?
  /// What it is a part of, and where in that it begins.
  private var whole: (buffer: Buffer, offset: Int)?

  /// Memory that the plan will give a place.
  init(byteCount: Int, isPersistent: Bool = false) {
    self.byteCount = byteCount
    self.isPersistent = isPersistent
  }

  /// Memory for single-precision numbers.
  convenience init(floatCount: Int, isPersistent: Bool = false) {
    self.init(byteCount: floatCount * 4, isPersistent: isPersistent)
  }

  /// Memory that belongs to somebody else and stays where it is.
  init(external address: UnsafeMutableRawPointer, floatCount: Int) {
    byteCount = floatCount * 4
    isPersistent = true
    place = address
  }

  /// Memory that is a part of other memory.
  init(partOf whole: Buffer, offset: Int, byteCount: Int) {
    self.byteCount = byteCount
    isPersistent = true
    self.whole = (whole, offset)
  }

  var isPlaced: Bool { place != nil }

  /// Its life reaches to a step.
  func touch(_ step: Int) {
    life = life.map { min($0.lowerBound, step)...max($0.upperBound, step) } ?? step...step
  }

  /// Makes it at least so large, before the plan is laid out.
  func reserve(byteCount: Int) { self.byteCount = max(self.byteCount, byteCount) }

  /// Its content has to last between runs.
  func persist() { isPersistent = true }

  func setPlace(_ address: UnsafeMutableRawPointer) { place = address }

  /// Where it lies, once the plan is laid out.
  var address: UnsafeMutableRawPointer {
    if place == nil, let whole { place = whole.buffer.address + whole.offset }
    guard let place else { preconditionFailure("a buffer has its place before a step runs") }
    return place
  }

  var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }
}
