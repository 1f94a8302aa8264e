import GraftCommands

/// The program `graft`.
@main
struct GraftMain {
  static func main() async {
    await GraftCommand.start()
  }
}
