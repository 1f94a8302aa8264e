import Graphs
import KerasFormats
import Tensors
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite struct KerasRefusalTests {
  private func failure(of path: String) -> String? {
    #expect(throws: WeightError.self) { try KerasFiles.read(path) }?.description
  }

  @Test func whatIsNoFileOfKerasIsSaidInOneSentence() throws {
    let folder = try TemporaryFolder()
    #expect(failure(of: folder.file("none.h5")) == "\(folder.file("none.h5")) does not exist")
    #expect(failure(of: folder.path) == "\(folder.path) is a folder, not a file")
    try Fixtures.write([], to: folder.file("empty.h5"))
    #expect(failure(of: folder.file("empty.h5")) == "\(folder.file("empty.h5")) is empty")
    try Fixtures.write(Array("This is a letter.\n".utf8), to: folder.file("letter.keras"))
    #expect(
      failure(of: folder.file("letter.keras"))
        == "\(folder.file("letter.keras")) is no file of Keras: it begins neither like an HDF5 file nor like a zip archive"
    )
    let whole = try Fixtures.bytes(at: Fixtures.path("plain-3.keras"))
    try Fixtures.write(Array(whole.prefix(whole.count / 2)), to: folder.file("half.keras"))
    #expect(failure(of: folder.file("half.keras"))?.contains("is a damaged zip archive") == true)
    let h5 = try Fixtures.bytes(at: Fixtures.path("plain-3.h5"))
    try Fixtures.write(Array(h5.prefix(h5.count / 2)), to: folder.file("half.h5"))
    #expect(failure(of: folder.file("half.h5"))?.contains("is truncated") == true)
  }

  @Test func anArchiveThatUnpacksToMoreThanItMayIsRefusedUnread() {
    let path = Fixtures.path("bomb.keras")
    let sentence = "config.json declares 41943040 bytes, more than the 33554432 that are read"
    #expect(failure(of: path) == "\(path): \(sentence)")
  }

  @Test func weightsAloneAreNoNetwork() {
    let path = Fixtures.path("plain-3.legacy.h5")
    #expect(failure(of: path) == "\(path) holds weights but no network; load them into a network of a known family")
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func damagedArchivesNeverCrash(seed: UInt64) throws {
    // The archive's checksums keep damaged bytes away from libhdf5.
    let folder = try TemporaryFolder()
    let whole = try Fixtures.bytes(at: Fixtures.path("plain-3.keras"))
    var damage = Damage(state: seed)
    for _ in 0..<50 {
      try Fixtures.write(damage.applied(to: whole), to: folder.file("damaged"))
      // Either the damage hit nothing that matters or it is an error with a sentence; both are fine.
      do {
        _ = try KerasFiles.read(folder.file("damaged"))
      } catch {
        #expect(error.description.hasPrefix(folder.path))
      }
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func damagedJSONNeverCrashes(seed: UInt64) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path("nested-3.h5")).graph
    let text = Array(try KerasJSON.json(for: graph).utf8)
    var damage = Damage(state: seed)
    for _ in 0..<500 {
      do {
        _ = try KerasJSON.graph(from: String(decoding: damage.applied(to: text), as: UTF8.self))
      } catch {
        #expect(!error.detail.isEmpty)
      }
    }
  }

  /// Bytes with a few of them replaced by others.
  private struct Damage {
    var state: UInt64

    mutating func applied(to bytes: [UInt8]) -> [UInt8] {
      var bytes = bytes
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Digits for digits, so that much of the text stays JSON and the numbers become odd.
        let place = Int(state >> 33) % bytes.count
        let isDigit = (0x30...0x39).contains(bytes[place])
        bytes[place] = isDigit ? 0x30 + UInt8(state >> 24 & 0xff) % 10 : UInt8(truncatingIfNeeded: state >> 24)
      }
      return bytes
    }
  }

  /// A network of one layer in Keras 3's words.
  private func network(_ kind: String, _ config: String, extra: String = "") -> String {
    """
    {"class_name": "Sequential", "config": {"name": "one", "layers": [
      {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [null, 8, 8, 3]}},
      {"class_name": "\(kind)", "config": {"name": "it"\(config)}\(extra)}]}}
    """
  }

  @Test(arguments: [
    ("Lambda", "", "", "layer it (Lambda) holds Python code, which is never run"),
    ("Capsule", "", "", "layer it (Capsule) is of a class that is not known; no foreign code is run"),
    (
      "Dense", ", \"units\": 2", ", \"module\": \"mine\", \"registered_name\": \"mine>Dense\"",
      "layer it (Dense) is a custom layer (mine>Dense), whose code is never run; "
        + "if it is only another name of a known class, say which"
    ),
    (
      "Conv2D", ", \"filters\": 2, \"kernel_size\": [1, 1], \"data_format\": \"channels_middle\"", "",
      "layer it (Conv2D) has data_format \"channels_middle\"; only channels_first and channels_last are known"
    ),
    ("Conv2D", ", \"filters\": 2", "", "layer it (Conv2D) lacks its kernel_size"),
    ("Dense", ", \"units\": \"two\"", "", "layer it (Dense) has units \"two\" where a whole number is expected"),
    (
      "BatchNormalization", ", \"axis\": [1, 2]", "",
      "layer it (BatchNormalization) normalises over several axes; only one is supported"
    ),
    (
      "Dense", ", \"units\": 2, \"activation\": \"wish\"", "",
      "layer it (Dense) has the activation \"wish\", which is not known; no foreign code is run"
    ),
    (
      "Dense", ", \"units\": 2, \"dtype\": {\"class_name\": \"DTypePolicy\", \"config\": {\"name\": \"int8\"}}", "",
      "layer it (Dense) computes in int8; only floating-point networks are read"
    ),
    (
      "Conv2D", ", \"filters\": 2, \"kernel_size\": 9", "",
      "layer it does not fit: a window of 9x9 does not fit into the input [8, 8, 3]"
    ),
  ])
  func layersThatCannotBeReadAreNamed(kind: String, config: String, extra: String, sentence: String) {
    let error = #expect(throws: WeightError.self) {
      try KerasJSON.graph(from: network(kind, config, extra: extra))
    }
    #expect(error?.description == sentence)
  }

  @Test func namesThatLeaveTheirPlaceAreRefused() {
    let json = network("Flatten", "").replacing("\"it\"", with: "\"../../it\"")
    let error = #expect(throws: WeightError.self) { try KerasJSON.graph(from: json) }
    #expect(error?.detail == "has a name that no path can carry")
  }

  @Test func networksWithinNetworksCannotGrowWithoutEnd() throws {
    // Each level applies the one inside it twice: forty levels would be 2⁴⁰ layers.
    var inner = #"{"class_name": "Flatten", "config": {"name": "flat"}}"#
    var name = "flat"
    for level in 0..<40 {
      inner = """
        {"class_name": "Functional", "config": {"name": "level\(level)", "layers": [
          {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [null, 2]}, "inbound_nodes": []},
          \(inner.dropLast()), "name": "\(name)", "inbound_nodes": [[["x", 0, 0]], [["\(name)", \(level == 0 ? 0 : 1), 0]]]}],
          "input_layers": [["x", 0, 0]], "output_layers": [["\(name)", \(level == 0 ? 1 : 2), 0]]}}
        """
      name = "level\(level)"
    }
    let error = #expect(throws: WeightError.self) { try KerasJSON.graph(from: inner) }
    #expect(error?.code == .tooLarge)
  }

  @Test func circlesAreRefused() {
    let json = """
      {"class_name": "Functional", "config": {"name": "ring", "layers": [
        {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [null, 2]}, "inbound_nodes": []},
        {"class_name": "Flatten", "name": "a", "config": {"name": "a"}, "inbound_nodes": [[["b", 0, 0, {}]]]},
        {"class_name": "Flatten", "name": "b", "config": {"name": "b"}, "inbound_nodes": [[["a", 0, 0, {}]]]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["b", 0, 0]]}}
      """
    let error = #expect(throws: WeightError.self) { try KerasJSON.graph(from: json) }
    #expect(error?.description.contains("depend on each other in a circle") == true)
  }
}

@Suite struct JSONTests {
  @Test func pythonsNumbersAreRead() throws {
    let value = try JSON(parsing: Array(#"[NaN, Infinity, -Infinity, -0.5e-3, 12, "é😀\n"]"#.utf8))
    let list = try #require(value.array)
    #expect(list[0].number?.isNaN == true)
    #expect(list[1...4].map(\.number) == [.infinity, -.infinity, -0.0005, 12])
    #expect(list[5].string == "é😀\n")
    #expect(list[4] == .integer(12))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\" 1}", "nul", "\"\\x\"", "\"open", "1 2", "-", "[1 2]", "{1: 2}", "\"\\u12\"",
  ])
  func brokenTextIsAnErrorWithAPlace(text: String) {
    #expect(throws: JSONFailure.self) { try JSON(parsing: Array(text.utf8)) }
  }

  @Test func depthHasAnEnd() {
    let text = String(repeating: "[", count: 100_000)
    let failure = #expect(throws: JSONFailure.self) { try JSON(parsing: Array(text.utf8)) }
    #expect(failure?.detail == "values lie more than 200 deep")
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let value: JSON = [
      "name": "a \"b\" \\ \n é", "list": [1, true, nil, .number(0.1), JSON(Float(0.001))], "empty": [:],
    ]
    #expect(value.text == #"{"name": "a \"b\" \\ \u000a é", "list": [1, true, null, 0.1, 0.001], "empty": {}}"#)
    #expect(try JSON(parsing: Array(value.text.utf8)) == value)
  }

  /// A network of one operation of Keras 3 on pictures of 4x4.
  private func operation(_ kind: String, _ options: String, argument: String = "") -> String {
    """
    {"class_name": "Functional", "config": {"name": "it", "layers": [
      {"module": "keras.layers", "class_name": "InputLayer", "name": "in", "inbound_nodes": [],
       "config": {"name": "in", "batch_shape": [null, 4, 4, 3]}},
      {"module": "keras.src.ops.numpy", "class_name": "\(kind)", "name": "op", "config": {"name": "op"\(options)},
       "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [null, 4, 4, 3],
         "keras_history": ["in", 0, 0]}}\(argument)], "kwargs": {}}]}],
     "input_layers": ["in", 0, 0], "output_layers": ["op", 0, 0]}}
    """
  }

  @Test(arguments: [
    ("GetItem", "", ", [1]", "layer op (GetItem) picks one sample of the batch"),
    (
      "GetItem", "", #", [{"class_name": "__ellipsis__"}, null]"#,
      "layer op (GetItem) picks by null, where whole numbers and slices of them are supported"
    ),
    (
      "GetItem", "", #", [{"class_name": "__ellipsis__"}, 3]"#,
      "layer op does not fit: picks place 3 of axis 3, of which [4, 4, 3] has 3"
    ),
    ("GetItem", "", "", "layer op (GetItem) picks a part of a tensor by something that is no index in its brackets"),
    ("Flip", #", "axis": null"#, "", "layer op (Flip) turns the batch round, which mixes samples"),
    ("Flip", #", "axis": 0"#, "", "layer op (Flip) works along the batch, which mixes samples"),
    (
      "Take", #", "axis": -1"#, ", [0, 2, 1]",
      "layer op (Take) takes places that are not equally far apart, which is not supported"
    ),
    ("Take", #", "axis": []"#, ", [0]", "layer op (Take) takes places of no axis that it names"),
    ("Stack", #", "axis": 0"#, "", "layer op (Stack) works along the batch, which mixes samples"),
    ("Mean", #", "axis": null"#, "", "layer op (Mean) reduces all axes and the batch with them, which mixes samples"),
    ("Mean", #", "axis": 5"#, "", "layer op does not fit: reduces along axes [4], which are no axes of [4, 4, 3]"),
    (
      "Reshape", #", "newshape": [6, -1]"#, "",
      "layer op (Reshape) does not leave the batch as the first axis, which mixes samples"
    ),
    (
      "Transpose", #", "axes": [1, 0, 2, 3]"#, "",
      "layer op (Transpose) does not leave the batch as the first axis, which mixes samples"
    ),
    (
      "Cast", #", "dtype": "int32""#, "",
      "layer op (Cast) turns numbers into int32; only floating point is supported"
    ),
    (
      "Add", "", ", [[[[1.0]], [[2.0]], [[3.0]]]]",
      "layer op (Add) is called with numbers along another axis than the last, which is not supported"
    ),
    ("Sort", #", "axis": -1"#, "", "layer op (Sort) is an operation of no layer that is known"),
  ])
  func anOperationThatNoLayerDoesIsRefusedInASentence(
    kind: String, options: String, argument: String, sentence: String
  ) {
    let error = #expect(throws: WeightError.self) {
      try KerasJSON.graph(from: operation(kind, options, argument: argument))
    }
    #expect(error?.description == sentence)
  }

  @Test func aFileCannotNameAnOperationAsALayer() {
    let odd = operation("GetItem", #", "places": [[0, 1, 2]]"#).replacing("keras.src.ops.numpy", with: "keras.ops")
    let error = #expect(throws: WeightError.self) { try KerasJSON.graph(from: odd) }
    #expect(error?.description == "layer op (GetItem) picks places of no axis")
    let custom = operation("Mean", #", "axis": [1]"#).replacing("keras.src.ops.numpy", with: "keras.layers")
    #expect(throws: WeightError.self) { try KerasJSON.graph(from: custom) }
  }
}
