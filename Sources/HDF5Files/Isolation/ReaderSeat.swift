import CSandbox

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The place of a reader: the file, the stream to whoever asked, and the shared memory, seen from inside the process.
package struct ReaderSeat {
  /// The status of a process that could not give its rights away.
  static let unconfinedStatus: Int32 = 41

  /// Takes the descriptors that the process was started with.
  package init() {}

  /// Whether this program was started as a reader.
  package static var isAsked: Bool { CommandLine.arguments.dropFirst().elementsEqual([ReaderProgram.request]) }

  /// Says that this program serves as a reader when it is started with ``ReaderProgram/request``.
  package static func declareServer() { csandbox_declare_server() }

  /// Gives away every right but reading the file, answering and using memory; ends the process where that fails.
  package func confine(_ limits: ReaderLimits) {
    // Hashing draws its seed, libhdf5 sets itself up, and the time zone, which libzip asks for, is settled while
    // everything is allowed. No time matters here, and only a zone by its rule is not looked up in a file again.
    setenv("TZ", "UTC0", 1)
    tzset()
    withExtendedLifetime(Set(["reader"]).hashValue) {}
    HDF5Library.enter()
    HDF5Library.leave()
    let confinement = csandbox_confine(
      csandbox_limits(memory: UInt64(limits.memoryByteCount), seconds: UInt64(limits.processorSeconds)))
    if confinement == csandbox_failed { end(status: Self.unconfinedStatus) }
  }

  /// The file to read.
  package func file(named name: String) throws(HDF5Error) -> OpenedFile {
    try OpenedFile(adopting: Int32(csandbox_file), name: name)
  }

  /// Waits for a message; ends the process where none can come any more.
  package func receive() -> [UInt8] {
    let count = bytes(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let count = Int(exactly: count) else { end(status: 1) }
    return bytes(count)
  }

  /// Sends a message; ends the process where nobody takes it.
  package func send(_ message: [UInt8]) {
    withUnsafeBytes(of: UInt64(message.count).littleEndian) { send($0) }
    message.withUnsafeBytes { send($0) }
  }

  /// The shared memory, once it has its size.
  package func memory(byteCount: Int) -> SharedMemory? {
    SharedMemory(descriptor: Int32(csandbox_memory), byteCount: byteCount)
  }

  /// Ends the process at once.
  package func end(status: Int32) -> Never { csandbox_exit(status) }

  private func bytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count, let start = buffer.baseAddress {
        let taken = read(Int32(csandbox_channel), start + filled, count - filled)
        if taken < 0 && errno == EINTR { continue }
        guard taken > 0 else { end(status: 1) }
        filled += taken
      }
    }
  }

  private func send(_ bytes: UnsafeRawBufferPointer) {
    var sent = 0
    while sent < bytes.count, let start = bytes.baseAddress {
      let count = write(Int32(csandbox_channel), start + sent, bytes.count - sent)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { end(status: 1) }
      sent += count
    }
  }
}
