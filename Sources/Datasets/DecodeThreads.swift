import CVips
import Foundation

/// Plain threads that decode beside the threads that compute, and sleep while there is nothing to do.
///
/// Unchecked: `condition` protects the count, the only thing that changes.
final class DecodeThreads: @unchecked Sendable {
  private let condition = NSCondition()
  private var runningCount: Int

  /// Runs `body` once on each of `count` new threads.
  init(count: Int, body: @escaping @Sendable () -> Void) {
    runningCount = count
    for number in 0..<count {
      let thread = Thread { [self] in
        body()
        graft_vips_end_thread()
        condition.withLock {
          runningCount -= 1
          condition.broadcast()
        }
      }
      thread.name = "decode-\(number)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Waits until every thread has returned from its body.
  func join() {
    condition.withLock {
      while runningCount > 0 { condition.wait() }
    }
  }

  /// Calls `body` for each of `count` numbers, on as many threads as asked for, and waits for all.
  static func forEach(_ count: Int, threadCount: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let counter = Counter()
    DecodeThreads(count: max(1, min(threadCount, count))) {
      while true {
        let number = counter.next()
        if number >= count { break }
        body(number)
      }
    }.join()
  }

  /// Unchecked: `lock` protects the number.
  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0

    func next() -> Int {
      lock.withLock {
        defer { number += 1 }
        return number
      }
    }
  }
}
