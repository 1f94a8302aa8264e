import HDF5Files
import Tensors
import Testing

@Suite struct HDF5GroupTests {
  @Test func membersComeInTheOrderOfTheirNames() throws {
    let members = try Fixture.root("groups").members()
    #expect(members.map(\.name) == ["a", "twin", "z"])
    #expect(members.map(\.kind) == [.group, .group, .namedType])
    #expect(try Fixture.root("latest").members().count == 25)
  }

  @Test func pathsStartHereOrAtTheRoot() throws {
    let root = try Fixture.root("groups")
    let inner = try root.group("a/b")
    #expect(inner.path == "/a/b")
    #expect(try inner.dataset("c").path == "/a/b/c")
    #expect(try inner.dataset("/a/e").read().floats == [1])
    #expect(try root.group("").path == "/")
  }

  @Test func anObjectOutlivesTheVariableOfItsFile() throws {
    var file: HDF5File? = try HDF5File(readingFrom: Fixture.path("groups"))
    let group = try file?.root.group("a/b")
    file = nil
    #expect(try group?.dataset("c").read().floats == Fixture.ramp(12))
  }

  @Test func twoNamesOfOneObjectShareItsAddress() throws {
    let root = try Fixture.root("groups")
    let original = try root.group("a").members().first { $0.name == "b" }
    let twin = try root.members().first { $0.name == "twin" }
    #expect(original?.address != nil)
    #expect(original?.address == twin?.address)
  }

  @Test func aTreeListsASharedGroupOnce() throws {
    let paths = try Fixture.root("groups").tree().map(\.path)
    #expect(paths == ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e", "/twin", "/z"])
  }

  @Test func kindTellsWithoutOpening() throws {
    let root = try Fixture.root("groups")
    #expect(try root.kind(of: "a/b/c") == .dataset)
    #expect(try root.kind(of: "a/b") == .group)
    #expect(try root.kind(of: "a/x/c") == nil)
    #expect(try root.kind(of: "a/.") == nil)
    #expect(failure { try root.kind(of: "a/e/c") }?.code == .wrongKind)
  }

  @Test func missingNamesAndWrongKindsAreNamed() throws {
    let root = try Fixture.root("groups")
    let file = Fixture.path("groups")
    #expect(failure { try root.dataset("a/x") }?.description == "\(file): /a/x does not exist")
    #expect(failure { try root.group("a/../a") }?.description == "\(file): /a/.. does not exist")
    #expect(
      failure { try root.group("a/e") }?.description == "\(file): /a/e is a dataset where a group is expected")
    #expect(
      failure { try root.dataset("a/b") }?.description == "\(file): /a/b is a group where a dataset is expected")
  }

  @Test func attributesOfEveryKindAreRead() throws {
    let attributes = try Fixture.root("strings").attributes
    #expect(try attributes["variable"] == .string("grün 重み"))
    #expect(try attributes["variable_list"] == .strings(["kernel", "", "grün"]))
    #expect(try attributes["bytes"]?.string == "kernel")
    #expect(try attributes["weight_names"] == .strings(["conv1/kernel:0", "conv1/bias:0"]))
    #expect(try attributes["null_padded"] == .strings(["kernel", "b", "weights8"]))
    #expect(try attributes["null_terminated"] == .strings(["kernel", "b", "weights"]))
    #expect(try attributes["space_padded"] == .strings(["kernel", "two words", ""]))
    #expect(try attributes["not_utf8"] == .strings(["gr\u{fffd}n"]))
    #expect(try attributes["no_names"]?.strings == [])
    #expect(try attributes["nothing"]?.strings == [])
    #expect(try attributes["long"]?.string?.utf8.count == 100_000)
    #expect(try attributes["integer"]?.integer == 7)
    #expect(try attributes["big_integer"]?.integer == 7)
    #expect(try attributes["unsigned"] != nil)
    #expect(try attributes["unsigned"]?.integer == nil)
    #expect(try attributes["number"]?.number == 2.5)
    #expect(try attributes["number"]?.integer == nil)
    #expect(try attributes["half"]?.number == -1.5)
    #expect(try attributes["flag"]?.integer == 1)
    #expect(try attributes["numbers"] == .numbers(Tensor([0, 1, 2, 3, 4, 5], shape: [2, 3])))
    #expect(try attributes["absent"] == nil)
    #expect(try attributes.names().contains("weight_names"))
    #expect(try Fixture.root("latest").attributes.names() == (0..<20).map { "attribute \($0 < 10 ? "0" : "")\($0)" })
  }

  @Test func attributesThatCannotBeReadAreNamed() throws {
    let attributes = try Fixture.root("strings").attributes
    let file = Fixture.path("strings")
    #expect(
      failure { try attributes["compound"] }?.description
        == "\(file): / attribute \"compound\" holds a compound type where numbers or strings are expected")
    #expect(failure { try attributes.value("absent") }?.description == "\(file): / has no attribute \"absent\"")
  }
}
