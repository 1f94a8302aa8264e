import CKernels
import Engine

/// How many threads compute.
@EngineActor
package enum EngineThreads {
  /// Computes with so many threads from here on; 0 leaves it to the system.
  ///
  /// - Returns: How many threads compute now.
  @discardableResult
  package static func use(_ count: Int) -> Int { Int(graft_use_threads(Int32(clamping: count))) }
}
