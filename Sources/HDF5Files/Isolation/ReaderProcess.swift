import CSandbox

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A process that reads one file without any other right, seen from the process that asked for it.
///
/// Messages are bytes behind their count. Whatever arrives is a stranger's: the reader may have been taken over by the
/// file that it reads. The process ends with its owner.
package final class ReaderProcess {
  private let file: String
  private let program: ReaderProgram
  private let limits: ReaderLimits
  private let channel: Descriptor
  private let memory: Descriptor
  private let deadline: ContinuousClock.Instant
  private var process: pid_t?

  /// Starts a reader for a file that is open.
  ///
  /// - Throws: ``HDF5Error`` with `readerMissing`.
  package init(_ file: OpenedFile, program: ReaderProgram, limits: ReaderLimits) throws(HDF5Error) {
    self.file = file.name
    self.program = program
    self.limits = limits
    deadline = .now + .seconds(limits.waitingSeconds)
    func missing(_ number: Int32) -> HDF5Error {
      HDF5Error(
        .readerMissing, file: file.name,
        detail: "cannot be read apart from this process: \(program.path) cannot be started: \(systemReason(number))")
    }
    var ends: [Int32] = [-1, -1]
    guard csandbox_make_channel(&ends) == 0 else { throw missing(errno) }
    channel = Descriptor(ends[0])
    let other = Descriptor(ends[1])
    memory = Descriptor(csandbox_make_memory())
    guard memory.number >= 0 else { throw missing(errno) }
    // The program is named, so that lists of processes say what it is.
    let words = ([program.path] + program.arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    var started: pid_t = 0
    let failure = csandbox_spawn(
      program.path, words + [nil], file.descriptor, other.number, memory.number, &started)
    guard failure == 0 else { throw missing(failure) }
    process = started
  }

  deinit { if let process { _ = csandbox_end(process) } }

  /// Sends a message.
  ///
  /// - Throws: ``HDF5Error`` with `readerStopped`.
  package func send(_ message: [UInt8]) throws(HDF5Error) {
    let framed = withUnsafeBytes(of: UInt64(message.count).littleEndian) { Array($0) } + message
    var sent = 0
    while sent < framed.count {
      let count = framed.withUnsafeBytes { bytes in
        bytes.baseAddress.map { csandbox_send(channel.number, $0 + sent, framed.count - sent) } ?? -1
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw ending() }
      sent += count
    }
  }

  /// Waits for a message.
  ///
  /// - Throws: ``HDF5Error`` with `readerStopped` or `readerMissing`.
  package func receive(maximumByteCount: Int) throws(HDF5Error) -> [UInt8] {
    let head = try bytes(8)
    let count = head.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard count <= UInt64(maximumByteCount) else {
      throw stopped("answers with \(spokenByteCount(count)), more than any file needs")
    }
    return try bytes(Int(count))
  }

  /// Gives the shared memory its size; the reader fills it when it is told to.
  ///
  /// - Throws: ``HDF5Error`` with `tooLarge`.
  package func share(byteCount: Int) throws(HDF5Error) -> SharedMemory? {
    if byteCount == 0 { return nil }
    guard byteCount <= limits.sharedByteCount else {
      throw HDF5Error(
        .tooLarge, file: file,
        detail: "stands for \(spokenByteCount(byteCount)), more than the \(spokenByteCount(limits.sharedByteCount)) "
          + "that a file of its size may hold")
    }
    guard csandbox_size_memory(memory.number, UInt64(byteCount)) == 0,
      let shared = SharedMemory(descriptor: memory.number, byteCount: byteCount)
    else {
      throw HDF5Error(.tooLarge, file: file, detail: "needs \(spokenByteCount(byteCount)), which this machine has not")
    }
    return shared
  }

  /// Ends the reader, so that nobody writes to the shared memory any more.
  package func end() {
    if let process { _ = csandbox_end(process) }
    process = nil
  }
}

// MARK: - Waiting

extension ReaderProcess {
  private func bytes(_ count: Int) throws(HDF5Error) -> [UInt8] {
    // A count that is claimed takes no memory before its bytes arrive.
    var received: [UInt8] = []
    while received.count < count {
      try wait()
      let wanted = min(count - received.count, 1 << 20)
      let part = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
        filled = max(0, read(channel.number, buffer.baseAddress, wanted))
      }
      if part.isEmpty { throw ending() }
      received += part
    }
    return received
  }

  private func wait() throws(HDF5Error) {
    while true {
      let left = ContinuousClock.now.duration(to: deadline)
      let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
      guard milliseconds > 0 else {
        throw stopped("takes more than \(limits.waitingSeconds) seconds to read")
      }
      switch csandbox_wait_readable(channel.number, Int32(clamping: milliseconds)) {
      case 0: continue
      case 1...: return
      default: throw ending()
      }
    }
  }

  /// Why the stream ended early, from the way in which the process did.
  private func ending() -> HDF5Error {
    guard let process else { return stopped("has no reader any more") }
    self.process = nil
    // The stream is closed by the end itself, after its cause is settled: this signal comes too late to change it.
    let status = csandbox_end(process)
    switch csandbox_signal(status) {
    case 0: break
    case SIGXCPU, SIGKILL:
      return stopped("takes more than \(limits.processorSeconds) seconds of processor time to read")
    case SIGSYS: return stopped("made its reader ask the system for something that reading does not need")
    case let signal: return stopped("crashes its reader (\(String(cString: strsignal(signal))))")
    }
    let number = csandbox_exit_status(status)
    if number == ReaderSeat.unconfinedStatus {
      return HDF5Error(
        .readerMissing, file: file,
        detail: "is not read, because this system does not let its reader give up its rights")
    }
    return HDF5Error(
      .readerMissing, file: file,
      detail: "cannot be read apart from this process: \(program.path) ended with status \(number)")
  }

  private func stopped(_ clause: String) -> HDF5Error {
    HDF5Error(.readerStopped, file: file, detail: "\(clause), so it is damaged or hostile")
  }
}

/// A number of an open descriptor, closed with its owner.
private final class Descriptor {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { if number >= 0 { close(number) } }
}
