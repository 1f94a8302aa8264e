import Foundation

/// How long OpenMP's threads spin for each other before they let go of their core.
///
/// The default is some milliseconds. On a machine where nothing else runs that changes nothing, since the gap between two
/// primitives is microseconds; where something else holds a core, the thread that spins is in the way of the one that it
/// waits for, and everything becomes four times slower. libgomp reads the number when it is loaded, which is before the
/// first line of any program, so the program starts itself once more with it.
enum ThreadWaiting {
  /// Turns of the loop: about twenty microseconds.
  private static let spinCount = "1000"

  /// The subcommands that compute.
  private static let computing: Set<String> = [
    "apply", "bench", "evaluate", "find-rate", "predict", "train", "verify",
  ]

  /// Starts the program again with a short wait, where it is going to compute and nobody has said how to wait.
  static func shorten() {
    #if os(Linux)
      guard let subcommand = CommandLine.arguments.dropFirst().first, computing.contains(subcommand),
        getenv("GOMP_SPINCOUNT") == nil, getenv("OMP_WAIT_POLICY") == nil
      else { return }
      setenv("GOMP_SPINCOUNT", spinCount, 1)
      // Where this fails the program goes on as it is, only slower on a busy machine.
      execv("/proc/self/exe", CommandLine.unsafeArgv)
    #endif
  }
}
