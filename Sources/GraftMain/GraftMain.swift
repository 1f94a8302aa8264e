import Graft
import GraftCommands

/// The program `graft`.
@main
struct GraftMain {
  static func main() async {
    // The program is also its own reader of strangers' files, where graft-reader does not lie beside it.
    KerasReader.serveIfAsked()
    await GraftCommand.start()
  }
}
