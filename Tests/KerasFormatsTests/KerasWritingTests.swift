import Graphs
import KerasFormats
import Tensors
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite struct KerasWritingTests {
  static let networks = ["plain-3.h5", "residual-3.keras", "shared-3.keras", "nested-3.keras", "nested-2.h5"]

  @Test(arguments: networks)
  func aGraphComesBackFromItsJSONAsItWas(name: String) throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path(name), inputSize: Size2D(17, 14)).graph
    let json = try KerasJSON.json(for: graph)
    #expect(try KerasJSON.graph(from: json, inputSize: Size2D(17, 14)) == graph)
  }

  @Test(arguments: networks, [KerasFormat.wholeModelH5, .keras])
  func aModelComesBackFromItsFileAsItWas(name: String, format: KerasFormat) throws {
    let model = try KerasFiles.read(Fixtures.path(name), inputSize: Size2D(17, 14))
    let folder = try TemporaryFolder()
    let document = Array(#"{"note": "any bytes: é"}"#.utf8)
    for copy in ["a", "b"] {
      try KerasFiles.write(
        model.graph, weights: model.weights, to: folder.file(copy), format: format, graftDocument: document,
        frozenLayers: model.architecture.frozenLayers)
    }
    let again = try KerasFiles.read(folder.file("a"), inputSize: Size2D(17, 14))
    #expect(again.graph == model.graph)
    #expect(again.weights == model.weights)
    #expect(again.architecture.frozenLayers == model.architecture.frozenLayers)
    #expect(again.architecture.graftDocument == document)
    #expect(again.architecture.format == format)
    #expect(try Fixtures.bytes(at: folder.file("a")) == Fixtures.bytes(at: folder.file("b")))
  }

  @Test func slashesInNamesBecomeUnderscores() throws {
    var graph = Graph(name: "slashed")
    var node = try graph.addInput(Input(shape: [8, 8, 3]), named: "image")
    for name in ["conv1/conv", "conv1_conv"] {
      node = try graph.apply(Conv2D(filters: 3, kernelSize: Size2D(1)), named: name, to: [node])
    }
    graph.outputs = [node]
    let again = try KerasJSON.graph(from: try KerasJSON.json(for: graph))
    #expect(again.layerNames == ["image", "conv1_conv", "conv1_conv_1"])
  }

  @Test func whatKeras3CannotSayIsAnErrorThatNamesTheLayer() throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path("residual-2.h5")).graph
    let error = #expect(throws: WeightError.self) { try KerasJSON.json(for: graph) }
    #expect(error?.code == .inexpressible)
    #expect(error?.object == "layer excite")
  }

  @Test func aNameListThatIsTooLongForOneAttributeIsSplit() throws {
    let tail = String(repeating: "y", count: 2000)
    var graph = Graph(name: "long")
    var node = try graph.addInput(Input(shape: [2]), named: "row")
    for index in 0..<40 { node = try graph.apply(Dense(units: 2), named: "d\(index)\(tail)", to: [node]) }
    graph.outputs = [node]
    let weights = Weights.generated(for: graph)
    let folder = try TemporaryFolder()
    try KerasFiles.write(graph, weights: weights, to: folder.file("long.h5"), format: .wholeModelH5)
    #expect(try KerasFiles.read(folder.file("long.h5")).weights == weights)
  }

  @Test func weightsThatAreNotThereAreNotWritten() throws {
    let model = try KerasFiles.read(Fixtures.path("plain-3.h5"))
    var weights = model.weights
    weights[ParameterPath("conv", "bias")] = nil
    let folder = try TemporaryFolder()
    let error = #expect(throws: WeightError.self) {
      try KerasFiles.write(model.graph, weights: weights, to: folder.file("x.keras"), format: .keras)
    }
    #expect(error?.description == "\(folder.file("x.keras")): conv/bias has no value")
    #expect(throws: WeightError.self) { try KerasFiles.format(of: folder.file("x.keras")) }
  }

  @Test(arguments: [KerasFormat.wholeModelH5, .keras])
  func aPlaceThatCannotBeWrittenIsNamed(format: KerasFormat) throws {
    let model = try KerasFiles.read(Fixtures.path("plain-3.h5"))
    let folder = try TemporaryFolder()
    for path in [folder.path, folder.file("no/such/folder/model")] {
      let error = #expect(throws: WeightError.self) {
        try KerasFiles.write(model.graph, weights: model.weights, to: path, format: format)
      }
      #expect(error?.file == path)
    }
  }

  /// Runs where GRAFT_PYTHON names an interpreter that has Keras 3.
  @Test(.enabled(if: getenv("GRAFT_PYTHON") != nil)) func stockKerasPredictsTheSame() throws {
    let folder = try TemporaryFolder()
    var cases: [JSON] = []
    for name in ["plain-3.h5", "residual-3.keras", "shared-3.keras", "nested-3.keras"] {
      let model = try KerasFiles.read(Fixtures.path(name))
      let stem = String(name.prefix { $0 != "." })
      var golden = try #require(try Fixtures.golden(3)[stem]?.object)
      var files: [JSON] = []
      for (file, format) in [("\(stem).h5", KerasFormat.wholeModelH5), ("\(stem).keras", .keras)] {
        try KerasFiles.write(
          model.graph, weights: model.weights, to: folder.file(file), format: format, graftDocument: Array("{}".utf8),
          frozenLayers: model.architecture.frozenLayers)
        files.append(.string(folder.file(file)))
      }
      golden["files"] = .array(files)
      let shapes = try #require(golden["inputs"]?.array)
      golden["values"] = .array(
        shapes.enumerated().map { index, shape in
          let shape = Shape(shape.array?.compactMap(\.integer) ?? [])
          let values = Tensor(generatedFor: "input/\(index)", shape: shape, factor: 2, summand: -1).floats
          return .array(values.map { JSON($0) })
        })
      cases.append(.object(golden))
    }
    try Fixtures.write(Array(JSON.array(cases).text.utf8), to: folder.file("cases.json"))
    let program = """
      import json, sys
      import keras, numpy
      for case in json.load(open(sys.argv[1])):
          inputs = [numpy.array(v, "float32").reshape(s) for v, s in zip(case["values"], case["inputs"])]
          for path in case["files"]:
              model = keras.models.load_model(path)
              outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
              outputs = outputs if isinstance(outputs, list) else [outputs]
              assert len(outputs) == len(case["outputs"]), path
              for found, expected in zip(outputs, case["outputs"]):
                  expected, found = numpy.array(expected), numpy.asarray(found).reshape(-1)
                  assert numpy.abs(found - expected).max() <= 1e-5 * numpy.abs(expected).max(), (path, found, expected)
      """
    try Fixtures.write(Array(program.utf8), to: folder.file("check.py"))
    let python = try #require(getenv("GRAFT_PYTHON").map { String(cString: $0) })
    let command =
      "KERAS_BACKEND=${KERAS_BACKEND:-jax} '\(python)' '\(folder.file("check.py"))' '\(folder.file("cases.json"))' "
      + ">'\(folder.file("log"))' 2>&1"
    let status = system(command)
    let log = String(decoding: try Fixtures.bytes(at: folder.file("log")), as: UTF8.self)
    #expect(status == 0, "\(log)")
  }
}
