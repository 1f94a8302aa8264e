import HDF5Files
import Tensors
import Testing

@Suite struct HostileFileTests {
  @Test(arguments: [
    ("soft", "/soft is a soft link"), ("soft_group/data", "/soft_group is a soft link"),
    ("dangling", "/dangling is a soft link"), ("external", "/external is an external link"),
    ("external_group/f4", "/external_group is an external link"),
    ("real/inner/little/f4", "/real/inner is an external link"), ("real/soft/data", "/real/soft is a soft link"),
  ])
  func linksAreRefusedAtTheEndAndInTheMiddleOfAPath(path: String, words: String) throws {
    let root = try Fixture.root("links")
    for error in [
      failure { try root.dataset(path) }, failure { try root.group(path) }, failure { try root.kind(of: path) },
    ] {
      #expect(error?.code == .refusedLink)
      #expect(error?.description == "\(Fixture.path("links")): \(words), which is not followed")
    }
  }

  @Test func linksAreListedAndNotFollowed() throws {
    let kinds = try Fixture.root("links").tree().map { ($0.path, $0.kind) }
    #expect(kinds.contains { $0 == ("/external", .externalLink) })
    #expect(kinds.contains { $0 == ("/real/inner", .externalLink) })
    #expect(kinds.contains { $0 == ("/soft_group", .softLink) })
    #expect(kinds.count == 9)
  }

  @Test func userDefinedLinksAreRefused() throws {
    let root = try Fixture.root("user_link")
    #expect(try root.group("middle").members().map(\.kind) == [.userLink])
    #expect(failure { try root.dataset("middle/user") }?.code == .refusedLink)
    #expect(failure { try root.dataset("middle/user/f4") }?.code == .refusedLink)
  }

  @Test(arguments: ["external", "virtual", "virtual_unlimited"])
  func elementsInOtherFilesAreRefused(name: String) throws {
    let root = try Fixture.root("storage")
    let error = failure { try root.dataset(name) }
    #expect(error?.code == .refusedStorage)
    #expect(error?.object == "/\(name)")
    #expect(try root.dataset("fine").read().floats == Fixture.ramp(12))
  }

  @Test(arguments: [
    ("lzf", "filter 32000 (lzf)"), ("scaleoffset", "filter 6 (scaleoffset)"), ("unknown", "filter 31999"),
    ("deflate_twice", "the same filter twice"),
  ])
  func foreignFiltersAreRefused(name: String, words: String) throws {
    let root = try Fixture.root("filters")
    let error = failure { try root.dataset(name) }
    #expect(error?.code == .refusedFilter)
    #expect(error?.description.contains("/\(name) is packed by \(words)") == true)
    #expect(try root.dataset("fine").read().floats == Fixture.ramp(12))
  }

  @Test(arguments: [
    ("never_written", HDF5Error.Code.notBacked, "declares 4.2 GB, but the file backs only 0 bytes of it"),
    ("no_chunks", .notBacked, "declares 4.3 TB, but the whole file has only"),
    ("uncountable", .tooLarge, "declares the shape [1099511627776, 1099511627776], more than can be counted"),
    ("overflowing", .tooLarge, "declares the shape [4611686018427387904, 8], more than can be counted"),
    ("some_chunks", .notBacked, "declares 96 bytes, but the file holds only 1 of its 3 chunks"),
    ("thin", .notBacked, "declares 262.1 kB, but its chunks have only"),
    (
      "bomb", .damaged, "has a chunk at [0] that cannot be unpacked: the deflated bytes do not end where the chunk does"
    ),
    ("short", .damaged, "has a chunk at [0] that unpacks to 16 bytes, not to its full size"),
    ("noise", .damaged, "has a chunk at [0] that cannot be unpacked: the deflated bytes are no deflate stream"),
    ("checksum", .damaged, "has a chunk at [0] whose checksum is wrong"),
  ])
  func promisesThatTheFileDoesNotKeepAreRefused(name: String, code: HDF5Error.Code, words: String) throws {
    let root = try Fixture.root("promises")
    let error = failure { try root.dataset(name).read() }
    #expect(error?.code == code)
    #expect(error?.description.hasPrefix("\(Fixture.path("promises")): /\(name) \(words)") == true)
    #expect(try root.dataset("fine").read().floats == Fixture.ramp(12))
  }

  @Test(arguments: ["grown", "grown_size"])
  func aShapeBeyondTheEndOfTheFileIsRefused(name: String) throws {
    let error = failure { try Fixture.root(name).dataset("data") }
    #expect(error?.code == .notBacked)
    #expect(
      error?.description == "\(Fixture.path(name)): /data declares 4.2 GB, but the file backs only 9.2 kB of it")
  }

  @Test func aGroupThatContainsItselfIsFound() throws {
    let root = try Fixture.root("cycle")
    let error = failure { try root.tree() }
    #expect(error?.code == .cycle)
    #expect(error?.description == "\(Fixture.path("cycle")): /a/b/again is a group that contains itself")
    #expect(try root.dataset("a/b/again/b/again/data").read().floats == Fixture.ramp(12))
  }

  @Test func deepNestingIsLimited() throws {
    #expect(failure { try Fixture.root("deep").tree() }?.code == .tooLarge)
    #expect(try Fixture.root("deep").tree(maximumDepth: 100).count == 100)
  }

  @Test(arguments: [
    ("truncated", HDF5Error.Code.truncated), ("header_only", .truncated), ("random", .notHDF5),
    ("random_signed", .damaged), ("empty", .notHDF5), ("absent", .missingFile),
  ])
  func brokenFilesHaveSentencesOfTheirOwn(name: String, code: HDF5Error.Code) {
    let error = failure { try HDF5File(readingFrom: Fixture.path(name)) }
    #expect(error?.code == code)
    #expect(error?.file == Fixture.path(name))
  }

  @Test func aFolderIsNoFile() {
    let folder = String(Fixture.path("x").dropLast("/x.h5".count))
    let error = failure { try HDF5File(readingFrom: folder) }
    #expect(error?.description == "\(folder) is a folder, not a file")
  }

  @Test func controlCharactersDoNotReachTheTerminal() {
    let error = HDF5Error(.damaged, file: "a.h5", object: "/x\u{1b}[2J", detail: "is damaged")
    #expect(error.description == "a.h5: /x\\u{1B}[2J is damaged")
  }
}
