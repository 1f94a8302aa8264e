import Graphs
import HDF5Files
import KerasFormats
import Tensors
import Testing

/// Ways for arrays to find their parameters, beside those of ordinary files.
@Suite struct MatchingTests {
  @Test(arguments: ["own-3.weights.h5", "own-2.legacy.h5"], ["", "my_"])
  func theLayersOfAnOwnClassFindThoseOfANetworkByShape(file: String, prefix: String) throws {
    let graph = try Fixtures.plain(prefix: prefix)
    let (weights, report) = try KerasFiles.loadWeights(Fixtures.path(file), into: graph, options: .byShape)
    let expected = Weights.generated(for: try Fixtures.plain())
    #expect(weights.tensors.count == expected.tensors.count)
    for (path, tensor) in expected.tensors {
      #expect(weights[ParameterPath(prefix + path.layer, path.variable)] == tensor, "\(path)")
    }
    #expect(report.matching == .shapes)
    // The side output belongs to nothing here, and is told.
    #expect(report.unused.count == 2)
    #expect(report.missing.isEmpty && report.mismatched.isEmpty)
    let strict = #expect(throws: WeightError.self) { try KerasFiles.loadWeights(Fixtures.path(file), into: graph) }
    #expect(strict?.code == .unfitWeights)
  }

  @Test func shapesThatLeaveAChoiceAreRefused() throws {
    var graph = Graph(name: "chain")
    var node = try graph.addInput(Input(shape: [8, 8, 4]), named: "input")
    // Two convolutions of the file have this shape; their names are others.
    node = try graph.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "any", to: [node])
    graph.outputs = [node]
    let error = #expect(throws: WeightError.self) {
      try KerasFiles.loadWeights(Fixtures.path("shared-3.h5"), into: graph, options: .byShape)
    }
    #expect(
      error?.detail
        == "leaves a choice: the network has 1 layers with arrays of [3, 3, 4, 4] and [4] (any), but the file has 2 "
        + "(mix, second)")
    var named = Graph(name: "chain")
    node = try named.addInput(Input(shape: [8, 8, 4]), named: "input")
    named.outputs = [try named.apply(Conv2D(filters: 4, kernelSize: Size2D(3)), named: "mix", to: [node])]
    let (weights, _) = try KerasFiles.loadWeights(Fixtures.path("shared-3.h5"), into: named, options: .byShape)
    #expect(weights == Weights.generated(for: named))
  }

  @Test func shapesOfANetworkThatIsNotFilledAreAnError() throws {
    let graph = try Fixtures.plain(classCount: 7)
    let error = #expect(throws: WeightError.self) {
      try KerasFiles.loadWeights(Fixtures.path("own-3.weights.h5"), into: graph, options: .byShape)
    }
    #expect(error?.detail.contains("nothing for classes/kernel [48, 7], classes/bias [7]") == true)
  }

  @Test(arguments: [ReadingMode.inProcess, .isolated])
  func weightsInPartsAreOneFile(mode: ReadingMode) throws {
    let path = Fixtures.path("parts-3.weights.json")
    #expect(try KerasFiles.format(of: path, mode: mode) == .weightsH5)
    let graph = try Fixtures.plain()
    let (weights, report) = try KerasFiles.loadWeights(path, into: graph, mode: mode)
    #expect(weights == Weights.generated(for: graph))
    #expect(report.isComplete)
  }

  @Test func partsTogetherMayHoldNoMoreThanOneFileOfTheirSize() throws {
    let folder = try TemporaryFolder()
    // Each part is packed zeros, and so small that it may stand for 64 MB; together they would be twice as much.
    let names = (0..<2).map { "zeros_0000\($0).weights.h5" }
    for (index, name) in names.enumerated() {
      try HDF5File.write(to: folder.file(name)) { root in
        let group = try root.createGroup("layers").createGroup("dense_\(index)").createGroup("vars")
        try group.write(
          Tensor(zeros: [4096, 3500]), named: "0", storage: .chunked(dimensions: [256, 3500], deflateLevel: 9))
      }
    }
    let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
    try Fixtures.write(Array("{\"weight_map\": {\"x\": [\(list)]}}".utf8), to: folder.file("zeros.weights.json"))
    let error = #expect(throws: WeightError.self) {
      try KerasFiles.loadWeights(folder.file("zeros.weights.json"), into: Fixtures.plain(), mode: .isolated)
    }
    #expect(error?.code == .tooLarge && error?.file == folder.file(names[1]), "\(error?.description ?? "")")
  }

  @Test(arguments: ["../parts-3_00000.weights.h5", "other_00000.weights.h5", "parts_.weights.h5", "/etc/passwd"])
  func anIndexNamesNothingButItsParts(part: String) throws {
    let folder = try TemporaryFolder()
    try Fixtures.write(
      Array(#"{"metadata": {}, "weight_map": {"/layers/dense/vars": "\#(part)"}}"#.utf8),
      to: folder.file("parts.weights.json"))
    let error = #expect(throws: WeightError.self) { try KerasFiles.format(of: folder.file("parts.weights.json")) }
    #expect(error?.detail.hasPrefix("names the part \"\(part)\"") == true)
  }

  @Test func brainFloatsAreRead() throws {
    let graph = try Fixtures.plain()
    let (weights, _) = try KerasFiles.loadWeights(Fixtures.path("narrow-3.weights.h5"), into: graph)
    for (path, tensor) in Weights.generated(for: graph).tensors where path.layer != "norm" {
      #expect(weights[path] == tensor.converted(to: .bf16).converted(to: .f32), "\(path)")
    }
  }

  @Test func onlyTheOrderCountsIfThatIsAskedFor() throws {
    let graph = try Fixtures.plain(prefix: "my_")
    let (_, report) = try KerasFiles.loadWeights(Fixtures.path("plain-3.h5"), into: graph, options: .topological)
    #expect(report.matching == .order && report.isComplete)
    let other = try Fixtures.plain(classCount: 7)
    let error = #expect(throws: WeightError.self) {
      try KerasFiles.loadWeights(Fixtures.path("plain-3.h5"), into: other, options: .topological)
    }
    #expect(error?.detail.contains("classes/kernel (expected [48, 7], found [48, 5])") == true)
  }

  @Test func onlyNamesCountIfThatIsAskedFor() throws {
    let whole = try Fixtures.plain()
    let trunk = whole.cut(at: [try #require(whole.firstNode(of: "flat"))])
    let (weights, report) = try KerasFiles.loadWeights(Fixtures.path("plain-3.h5"), into: trunk, options: .byName)
    #expect(weights == Weights.generated(for: trunk))
    #expect(report.unused.count == 2)
    // As in Keras, other shapes under a known name are an error all the same.
    #expect(throws: WeightError.self) {
      try KerasFiles.loadWeights(Fixtures.path("plain-3.h5"), into: Fixtures.plain(classCount: 7), options: .byName)
    }
  }

  @Test func aRenamedLayerIsReadAsTheOneThatItIs() throws {
    for file in ["renamed-3.keras", "renamed-3.h5"] {
      let refused = #expect(throws: WeightError.self) { try KerasFiles.read(Fixtures.path(file)) }
      #expect(
        refused?.detail
          == "is a custom layer (mine>Window), whose code is never run; if it is only another name of a known class, "
          + "say which")
      for name in ["Window", "mine>Window"] {
        var options = LoadOptions.strict
        options.knownClasses = [name: "Conv2D"]
        let model = try KerasFiles.read(Fixtures.path(file), options: options)
        #expect(model.weights == Weights.generated(for: model.graph))
      }
    }
  }

  @Test func aLayerThatIsMoreThanAnotherNameIsRefused() {
    func detail(_ known: String) -> String? {
      var options = LoadOptions.strict
      options.knownClasses = ["Window": "Conv2D", "Sharper": known]
      return #expect(throws: WeightError.self) {
        try KerasFiles.readArchitecture(Fixtures.path("more-3.keras"), options: options)
      }?.description
    }
    let path = Fixtures.path("more-3.keras")
    #expect(
      detail("Dense") == "\(path): layer sharper (Sharper) cannot be read as Dense, which has no option sharpness")
    #expect(detail("Conv2D") == "\(path): layer sharper (Conv2D) lacks its filters")
    #expect(detail("Dens")?.contains("cannot be read as Dens, which is no known class; the nearest are Dense") == true)
  }

  @Test func aReportSaysWhatHappenedInLines() throws {
    let graph = try Fixtures.plain(classCount: 7)
    let (_, report) = try KerasFiles.loadWeights(Fixtures.path("plain-3.h5"), into: graph, options: .skipMismatched)
    #expect(
      report.lines() == [
        "7 of 9 parameters found their arrays by name",
        "2 of other shapes: classes/kernel (expected [48, 7], found [48, 5]), classes/bias (expected [7], found [5])",
      ])
  }
}
