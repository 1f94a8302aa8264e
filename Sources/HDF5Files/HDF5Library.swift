import CHDF5

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The one door to libhdf5, which knows no threads: whoever calls it stands between `enter` and `leave`.
enum HDF5Library {
  /// The property list that asks for nothing in particular.
  static let defaults = hid_t(H5P_DEFAULT)

  /// Waits for the library to be free; the same thread may enter again before it leaves.
  static func enter() {
    pthread_mutex_lock(lock.mutex)
    if lock.isReady {
      chdf5_be_quiet()
      return
    }
    lock.isReady = true
    // Every handle has an owner that closes it. What a full disk keeps open would have the library complain at exit.
    H5dont_atexit()
    H5open()
    chdf5_be_quiet()
    // Filters from plug-ins are foreign code, which no file may ask for.
    H5PLset_loading_state(0)
  }

  /// Frees the library for other threads.
  static func leave() { pthread_mutex_unlock(lock.mutex) }

  /// The innermost reason of the library's last failure, in its own words.
  static var reason: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { text in
      guard let start = text.baseAddress else { return "" }
      chdf5_get_reason(start, text.count)
      return String(cString: start)
    }
  }

  /// A name for a file in memory: two of the same name would be the same file to the library.
  static func makeImageName() -> String {
    lock.imageCount += 1
    return "image \(lock.imageCount)"
  }

  private static let lock = Lock()

  /// A recursive mutex, since a handle may be closed while its thread is inside.
  ///
  /// Unchecked: `mutex` is made for sharing, and the rest is touched only by the thread that holds it.
  private final class Lock: @unchecked Sendable {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    var isReady = false
    var imageCount = 0

    init() {
      var attributes = pthread_mutexattr_t()
      pthread_mutexattr_init(&attributes)
      pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
      pthread_mutex_init(mutex, &attributes)
      pthread_mutexattr_destroy(&attributes)
    }
  }
}

/// An open identifier of libhdf5, closed with its last owner.
final class HDF5Handle: Sendable {
  let id: hid_t

  /// Owns `id`, or is nil if the library could not give one.
  init?(_ id: hid_t) {
    if id < 0 { return nil }
    self.id = id
  }

  deinit {
    HDF5Library.enter()
    defer { HDF5Library.leave() }
    H5Idec_ref(id)
  }
}
