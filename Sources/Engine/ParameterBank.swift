import CKernels
import Foundation
import Graphs
import Tensors

/// The master copies of a network's parameters, which all plans of the network read and optimizers write.
///
/// All values are single-precision, as Keras stores them, one parameter behind another in the graph's order in memory
/// that is allocated once.
@EngineActor public final class ParameterBank {
  /// Where a parameter lies.
  private struct Place {
    let range: Range<Int>
    let shape: Shape
    /// Its place in the graph's order.
    let index: Int
  }

  private let memory: AlignedMemory
  private var places: [ParameterPath: Place] = [:]
  private let order: [ParameterPath]
  /// When each last changed, in the graph's order.
  private var versions: [Int]
  /// How often anything has changed.
  private(set) var version = 1
  /// What `version` was when the bank was made.
  private var firstVersion = 1

  /// A bank of all parameters of a graph.
  ///
  /// - Throws: `EngineError.Code.unfitParameter` where the weights lack one or have it in another shape.
  public init(graph: Graph, weights: Weights) throws(EngineError) {
    do {
      try weights.check(against: graph)
    } catch {
      throw EngineError(.unfitParameter, subject: error.subject, detail: error.detail)
    }
    var count = 0
    let parameters = graph.parameters
    for (index, (path, parameter)) in parameters.enumerated() {
      let size = parameter.shape.elementCount
      places[path] = Place(range: count..<count + size, shape: parameter.shape, index: index)
      count += (size + 15) / 16 * 16
    }
    order = parameters.map(\.path)
    versions = Array(repeating: 1, count: order.count)
    memory = try AlignedMemory(byteCount: max(64, count * 4), subject: "parameters")
    load(weights)
    firstVersion = version
  }

  /// The numbers of one parameter, which stay where they are for the bank's life.
  ///
  /// Whoever writes here says so with `changed`.
  public func values(at path: ParameterPath) -> UnsafeMutableBufferPointer<Float> {
    guard let place = places[path] else { preconditionFailure("the bank has no parameter \(path)") }
    return UnsafeMutableBufferPointer(rebasing: memory.floats[place.range])
  }

  /// The extents of one parameter.
  public func shape(of path: ParameterPath) -> Shape? { places[path]?.shape }

  /// Tells plans that parameters have new values.
  public func changed(_ paths: [ParameterPath]) {
    version += 1
    for path in paths { if let place = places[path] { versions[place.index] = version } }
  }

  /// When a parameter last changed, on the bank's own clock.
  func version(of path: ParameterPath) -> Int { places[path].map { versions[$0.index] } ?? 0 }

  /// When any of some parameters last changed, on the bank's own clock; 0 for none.
  package func newestVersion(of paths: some Sequence<ParameterPath>) -> Int { paths.map(version(of:)).max() ?? 0 }

  /// When anything last changed, on the bank's own clock.
  package var newestVersion: Int { version }

  /// A copy of all parameters.
  public func snapshot() -> Weights { snapshot(of: order) }

  /// A copy of some parameters.
  public func snapshot(of paths: some Sequence<ParameterPath>) -> Weights {
    var weights = Weights()
    for path in paths {
      guard let place = places[path] else { continue }
      weights[path] = Tensor(shape: place.shape, elementType: .f32) { bytes in
        bytes.copyMemory(from: UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: memory.floats[place.range])))
      }
    }
    return weights
  }

  /// Overwrites those parameters that `weights` has; others are left alone.
  public func load(_ weights: Weights) {
    for (path, tensor) in weights.tensors {
      guard let place = places[path] else { continue }
      precondition(tensor.shape == place.shape, "\(path) has the shape \(place.shape), not \(tensor.shape)")
      let target = UnsafeMutableBufferPointer(rebasing: memory.floats[place.range])
      tensor.withFloats { source in _ = target.update(fromContentsOf: source) }
    }
    changed(Array(weights.tensors.keys))
  }

  /// Goes back to the values that the bank was made with, so that what was computed from them is up to date again.
  ///
  /// - Parameter weights: Those values, of all parameters that have changed since.
  package func rewind(to weights: Weights) {
    load(weights)
    versions = Array(repeating: firstVersion, count: versions.count)
  }
}

/// Memory for numbers that is allocated, faulted in and freed as one.
final class AlignedMemory {
  let bytes: UnsafeMutableRawBufferPointer

  /// Zeroed memory at the start of a page, in large pages where the system has them.
  ///
  /// - Throws: `EngineError.Code.memory` where the system has no more.
  init(byteCount: Int, subject: String) throws(EngineError) {
    var address: UnsafeMutableRawPointer?
    guard byteCount >= 0,
      posix_memalign(&address, max(4096, MemoryPages.alignment(for: byteCount)), max(byteCount, 64)) == 0, let address
    else {
      throw EngineError(.memory, subject: subject, detail: "needs \(byteCount) bytes, which the system does not have")
    }
    bytes = UnsafeMutableRawBufferPointer(start: address, count: byteCount)
    MemoryPages.prepare(bytes)
    // On all threads: the system clears each page when it is first touched, which can take longer than all else that a
    // plan needs.
    let count = bytes.count / 4
    graft_fill(bytes.bindMemory(to: Float.self).baseAddress, 0, count)
    UnsafeMutableRawBufferPointer(rebasing: bytes[(count * 4)...]).initializeMemory(as: UInt8.self, repeating: 0)
  }

  var floats: UnsafeMutableBufferPointer<Float> { bytes.bindMemory(to: Float.self) }

  deinit { free(bytes.baseAddress) }
}
