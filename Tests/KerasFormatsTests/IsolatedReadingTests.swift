import Graphs
import HDF5Files
import KerasFormats
import Tensors
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite struct IsolatedReadingTests {
  @Test(arguments: [
    "plain-2.h5", "plain-3.h5", "nested-2.h5", "nested-3.h5", "residual-3.h5", "shared-3.h5", "plain-3.keras",
    "nested-2.keras", "nested-3.keras", "residual-3.keras",
  ])
  func aNetworkComesOverAsItIsReadHere(name: String) throws {
    let here = try KerasFiles.read(Fixtures.path(name))
    let over = try KerasFiles.read(Fixtures.path(name), mode: .isolated)
    #expect(over.architecture == here.architecture)
    #expect(over.weights == here.weights)
    #expect(over.report == here.report)
    #expect(try KerasFiles.readArchitecture(Fixtures.path(name), mode: .isolated) == here.architecture)
  }

  @Test(arguments: [("plain-3.legacy.h5", "plain-3.h5"), ("nested-3.weights.h5", "nested-3.h5")])
  func weightsAloneComeOverAsTheyAreReadHere(name: String, whole: String) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path(whole)).graph
    let here = try KerasFiles.loadWeights(Fixtures.path(name), into: graph)
    let over = try KerasFiles.loadWeights(Fixtures.path(name), into: graph, mode: .isolated)
    #expect(over.weights == here.weights)
    #expect(over.report == here.report)
    #expect(
      try KerasFiles.format(of: Fixtures.path(name), mode: .isolated) == KerasFiles.format(of: Fixtures.path(name)))
  }

  @Test func tensorsStayWhenTheirNeighboursGoAndMayBeWrittenTo() throws {
    var weights = try KerasFiles.read(Fixtures.path("residual-3.keras"), mode: .isolated).weights
    let path = try #require(weights.tensors.keys.sorted().first)
    var kept = try #require(weights[path])
    let copy = kept
    weights.tensors = [:]
    let before = kept.floats
    kept.withMutableFloats { $0[0] += 1 }
    #expect(kept.floats[0] == before[0] + 1)
    #expect(copy.floats == before)
  }

  @Test(arguments: ["none.h5", "half.h5", "letter.keras"])
  func whatIsWrongWithAFileIsSaidInTheSameWords(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try Fixtures.bytes(at: Fixtures.path("plain-3.h5"))
    try Fixtures.write(Array(whole.prefix(whole.count / 2)), to: folder.file("half.h5"))
    try Fixtures.write(Array("This is a letter.\n".utf8), to: folder.file("letter.keras"))
    let path = folder.file(name)
    let here = #expect(throws: WeightError.self) { try KerasFiles.read(path) }
    let over = #expect(throws: WeightError.self) { try KerasFiles.read(path, mode: .isolated) }
    #expect(over == here)
  }
}

/// What a reader may not do even if a file has taken it over.
@Suite struct ReaderRightsTests {
  /// Starts a reader that tries something, and returns what becomes of it.
  private func outcome(of attack: String) throws -> (answer: [UInt8]?, error: HDF5Error?) {
    let file = try OpenedFile(Fixtures.path("plain-3.h5"))
    let tests = CommandLine.arguments[0]
    let folder = tests.lastIndex(of: "/").map { String(tests[..<$0]) } ?? "."
    let reader = try ReaderProcess(
      file, program: ReaderProgram(path: "\(folder)/FuzzFiles", arguments: ["attack", attack]),
      limits: ReaderLimits(fileByteCount: 0))
    do throws(HDF5Error) {
      try reader.send([1, 2, 3])
      return (try reader.receive(maximumByteCount: 1 << 20), nil)
    } catch {
      return (nil, error)
    }
  }

  @Test func aReaderThatBehavesIsHeard() throws {
    #expect(try outcome(of: "none").answer == [1, 2, 3])
  }

  #if os(Linux)
    @Test(arguments: ["open", "socket", "execute", "code", "write"])
    func whatReadingDoesNotNeedEndsTheReader(attack: String) throws {
      let error = try #require(try outcome(of: attack).error)
      #expect(error.code == .readerStopped)
      #expect(
        error.description.hasPrefix("\(Fixtures.path("plain-3.h5")) made its reader ask the system for something"))
    }
  #endif

  /// Without memory the allocator either gives up or asks the system for something else, which ends the reader too.
  @Test func aReaderThatTakesAllMemoryEnds() throws {
    let error = try #require(try outcome(of: "memory").error)
    #expect(error.code == .readerStopped)
    let endings = ["crashes its reader", "made its reader ask the system for something"]
    #expect(endings.contains { error.description.hasPrefix("\(Fixtures.path("plain-3.h5")) \($0)") }, "\(error)")
  }

  @Test(arguments: [
    ("crash", "crashes its reader"), ("spin", "takes more than 1 seconds of processor time"),
    ("boast", "answers with 9.2 EB"),
  ])
  func whatHurtsTheReaderIsAnOrdinaryError(attack: String, words: String) throws {
    let error = try #require(try outcome(of: attack).error)
    #expect(error.code == .readerStopped)
    #expect(error.description.hasPrefix("\(Fixtures.path("plain-3.h5")) \(words)"), "\(error)")
  }

  @Test func aReaderThatIsNotThereIsNamed() throws {
    let file = try OpenedFile(Fixtures.path("plain-3.h5"))
    let error = #expect(throws: HDF5Error.self) {
      try ReaderProcess(
        file, program: ReaderProgram(path: "/nowhere/graft-reader", arguments: []),
        limits: ReaderLimits(fileByteCount: 0))
    }
    #expect(error?.code == .readerMissing)
    #expect(error?.description.contains("/nowhere/graft-reader cannot be started") == true)
  }
}
