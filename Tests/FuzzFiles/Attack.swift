import Foundation
import HDF5Files

/// What a reader may try that a file has taken over; started as a reader by the tests of isolation.
enum Attack: String, CaseIterable {
  /// To open another file.
  case open
  /// To talk to other machines.
  case socket
  /// To become another program.
  case execute
  /// To make code of its own.
  case code
  /// To change the file that it reads.
  case write
  /// To take all memory.
  case memory
  /// To never end.
  case spin
  /// To fall over.
  case crash
  /// To claim an endless answer.
  case boast
  /// Nothing: it says what it was told, and that it is well.
  case none

  /// Gives the rights away and tries it; answers with one byte for "got away with it".
  func run() -> Never {
    let seat = ReaderSeat()
    let message = seat.receive()
    var limits = ReaderLimits(fileByteCount: 0)
    // On a machine with much else to do it takes its time to fill the memory, whose limit is what is tried there.
    limits.processorSeconds = self == .memory ? 20 : 1
    seat.confine(limits)
    switch self {
    case .open: _ = Foundation.open("/etc/passwd", O_RDONLY)
    case .socket: _ = Foundation.socket(AF_INET, 1, 0)
    case .execute: execl()
    case .code: _ = mmap(nil, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    case .write: _ = Foundation.write(3, "x", 1)
    case .memory:
      var blocks: [UnsafeMutableRawBufferPointer] = []
      while true {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 24, alignment: 64)
        block.initializeMemory(as: UInt8.self, repeating: 1)
        blocks.append(block)
      }
    case .spin:
      // A clock is read without a call of the system, and no compiler knows what it says.
      var now = timespec()
      while clock_gettime(CLOCK_MONOTONIC, &now) == 0 {}
    case .crash: kill()
    case .boast: seat.boast()
    case .none:
      seat.send(message)
      seat.end(status: 0)
    }
    seat.send([1])
    seat.end(status: 0)
  }

  private func execl() {
    var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), nil]
    execv("/bin/sh", &words)
  }

  /// Writes where nothing is.
  private func kill() {
    UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1
  }
}

extension ReaderSeat {
  /// Begins an answer of 2⁶³ bytes.
  fileprivate func boast() {
    withUnsafeBytes(of: UInt64(1) << 63) { _ = Foundation.write(4, $0.baseAddress, 8) }
  }
}
