/// Where a file is read.
public enum ReadingMode: Hashable, Sendable {
  /// In this process: for files that are trusted.
  ///
  /// Every size, link and filter in the file is checked all the same; what remains is a mistake in libhdf5 or libzip
  /// themselves.
  case inProcess
  /// In a process of its own that may only read this one file: for files of strangers.
  ///
  /// The program `graft-reader` does it, which is built with the package and lies beside the program that asks; the
  /// environment variable `GRAFT_READER` names another place. A program can also do it itself, without another file
  /// beside it: see ``KerasReader/serveIfAsked()``. A file that makes its reader crash, hang or ask for more memory than
  /// it may is an ordinary ``WeightError``.
  case isolated
}
