import Foundation
import Graft

/// How long it takes to bring a whole-model file into memory, beside a plain read of its bytes.
///
/// The three take turns, so that whatever else the machine does meets all of them alike; the median of the rounds counts.
struct LoadBench: Encodable {
  /// The size of the file.
  let fileBytes: Int
  /// How often each was done.
  let rounds: Int
  /// Reading the bytes into new memory.
  let plainReadMilliseconds: Double
  /// From the file to a network with host tensors, in this process.
  let inProcessMilliseconds: Double
  /// The same by a process without rights.
  let isolatedMilliseconds: Double

  /// Measures a file.
  ///
  /// - Throws: `WeightError`, or a failure that names the file where it cannot be read.
  init(_ path: String, rounds: Int = 15) throws {
    var times: [[Double]] = [[], [], []]
    var byteCount = 0
    // The first round is for the page cache.
    for round in 0...rounds {
      let measured = [
        try Self.milliseconds { byteCount = try Self.readPlainly(path) },
        try Self.milliseconds { _ = try KerasFiles.read(path, mode: .inProcess) },
        try Self.milliseconds { _ = try KerasFiles.read(path, mode: .isolated) },
      ]
      if round > 0 { for (index, time) in measured.enumerated() { times[index].append(time) } }
    }
    let medians = times.map { $0.sorted()[$0.count / 2] }
    fileBytes = byteCount
    self.rounds = rounds
    plainReadMilliseconds = medians[0]
    inProcessMilliseconds = medians[1]
    isolatedMilliseconds = medians[2]
  }

  /// The result on a terminal.
  var lines: [String] {
    func line(_ words: String, _ time: Double) -> String {
      "\(words)\(time.formatted(digits: 1)) ms, \((time / plainReadMilliseconds).formatted(digits: 2)) of a plain read"
    }
    return [
      "file                  \(fileBytes.grouped) bytes, the median of \(rounds) rounds",
      "plain read            \(plainReadMilliseconds.formatted(digits: 1)) ms",
      line("loaded here           ", inProcessMilliseconds),
      line("loaded in isolation   ", isolatedMilliseconds),
    ]
  }

  private static func milliseconds(_ work: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let duration = try clock.measure(work)
    return Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
  }

  /// Reads the whole file into new memory.
  private static func readPlainly(_ path: String) throws -> Int {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure("\(path): cannot be read: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    let size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer { bytes.deallocate() }
    var done = 0
    while done < size, let start = bytes.baseAddress {
      let count = pread(descriptor, start + done, size - done, off_t(done))
      guard count > 0 else { throw CommandFailure("\(path): cannot be read whole") }
      done += count
    }
    return size
  }
}
