import KerasFormats

/// The program `graft-reader`, which reads one file for another program and may do nothing else.
///
/// It links no more than reading takes, so that it starts in a few milliseconds.
@main
struct GraftReader {
  static func main() { KerasReader.serve() }
}
