import Foundation

/// The memory that processes here may take together: the machine's, or less where a container bounds it.
package enum UsableMemory {
  /// The bytes of it.
  package static let byteCount = smallest(
    machine: ProcessInfo.processInfo.physicalMemory,
    bounds: files.compactMap { try? readText(at: $0, expecting: "a number of bytes", atMost: 4096) })

  /// Where Linux says what a container may take: control groups of the second kind, and of the first.
  private static let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]

  /// The machine's memory, or the smallest of its bounds.
  ///
  /// - Parameter bounds: What such files hold: a number of bytes, which may be beyond all machines, or `max` for none.
  package static func smallest(machine: UInt64, bounds: [String]) -> Int {
    let numbers = bounds.compactMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    return Int(clamping: numbers.filter { $0 > 0 }.reduce(machine, min))
  }
}
