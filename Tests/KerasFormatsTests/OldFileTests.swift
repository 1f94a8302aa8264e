import Graphs
import KerasFormats
import Tensors
import Testing

/// What only files of Keras 1, or networks with their channels first, have.
@Suite struct OldFileTests {
  /// The network of `plain-1` with its channels last, as a family in code would be.
  private func plain() throws -> Graph {
    var graph = Graph(name: "modern")
    var node = try graph.addInput(Input(shape: [10, 12, 3]), named: "image")
    let layers: [(String, any Layer)] = [
      ("frame", ZeroPadding2D(padding: Insets2D(1))),
      ("conv", Conv2D(filters: 6, kernelSize: Size2D(3), padding: .same)), ("norm", BatchNormalization()),
      ("relu", Activation(.relu())), ("pool", MaxPooling2D()),
      ("second", Conv2D(filters: 8, kernelSize: Size2D(3, 2), strides: Size2D(2))), ("flat", Flatten()),
      ("drop", Dropout(rate: 0.3)), ("classes", Dense(units: 5)),
    ]
    for (name, layer) in layers { node = try graph.apply(layer, named: name, to: [node]) }
    graph.outputs = [node]
    return graph
  }

  @Test(arguments: ["plain-1.legacy.h5", "plain-1.tensorflow.legacy.h5", "plain-1.h5"])
  func kernelsOfKeras1AreBroughtIntoTodaysOrder(file: String) throws {
    let graph = try plain()
    let (weights, report) = try KerasFiles.loadWeights(Fixtures.path(file), into: graph)
    let expected = Weights.generated(for: graph)
    for path in [ParameterPath("conv", "kernel"), ParameterPath("second", "kernel")] {
      #expect(weights[path] == expected[path], "\(path)")
    }
    #expect(weights[ParameterPath("norm", "moving_variance")] == expected[ParameterPath("norm", "moving_variance")])
    #expect(report.isComplete)
    #expect(report.warnings.isEmpty == file.contains("tensorflow"))
  }

  @Test func aClassifierBehindAnImageWithChannelsFirstGetsItsRowsInTheNewOrder() throws {
    let graph = try plain()
    let path = ParameterPath("classes", "kernel")
    let loaded = try #require(try KerasFiles.loadWeights(Fixtures.path("plain-1.legacy.h5"), into: graph).weights[path])
    let stored = try #require(Weights.generated(for: graph)[path]).floats
    // The image before the classifier has 2 rows, 3 columns and 8 channels.
    let (rows, columns, channels, classes) = (2, 3, 8, 5)
    var expected: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns {
        for channel in 0..<channels {
          let place = (channel * rows + row) * columns + column
          expected += stored[place * classes..<(place + 1) * classes]
        }
      }
    }
    #expect(loaded.floats == expected)
  }

  @Test func theOrientationOfKernelsCanBeSaid() throws {
    let graph = try plain()
    let path = ParameterPath("conv", "kernel")
    let expected = try #require(Weights.generated(for: graph)[path])
    var options = LoadOptions.strict
    options.kernelOrientation = .correlation
    let asStored = try KerasFiles.loadWeights(Fixtures.path("plain-1.legacy.h5"), into: graph, options: options)
    #expect(asStored.weights[path] != expected)
    #expect(asStored.report.warnings.isEmpty)
    options.kernelOrientation = .convolution
    let turned = try KerasFiles.loadWeights(
      Fixtures.path("plain-1.tensorflow.legacy.h5"), into: graph, options: options)
    #expect(turned.weights[path] == asStored.weights[path])
    #expect(turned.report.warnings == ["The kernels of convolutions were turned by 180 degrees."])
  }

  @Test func theVersionIsToldAndTrainingIsLeftAside() throws {
    let architecture = try KerasFiles.readArchitecture(Fixtures.path("plain-1.h5"))
    #expect(architecture.kerasVersion == "1.2.2")
    #expect(architecture.otherContents.isEmpty)
    #expect(try KerasFiles.read(Fixtures.path("nested-2.h5")).report.ignored == ["optimizer_weights"])
    #expect(try KerasFiles.read(Fixtures.path("nested-3.keras")).report.ignored == ["optimizer"])
  }

  @Test func imagesWithTheirChannelsFirstEnterWithThemLast() throws {
    let graph = try KerasFiles.readArchitecture(Fixtures.path("first-3.keras")).graph
    #expect(graph[layer: "image"] as? Input == Input(shape: [12, 9, 3]))
    #expect((graph[layer: "join"] as? Concatenate)?.axis == 2)
    // Only what reads the values one after the other, in Keras's order, needs them in that order.
    let permuted = graph.layerNames.filter { graph[layer: $0] is Permute }
    #expect(permuted.sorted() == ["as_stored_axes", "folded_axes", "folded_flat_axes"])
  }

  private func network(_ kind: String, _ config: String, version: String = "1.2.2") -> String {
    """
    {"class_name": "Sequential", "keras_version": "\(version)", "config": [
      {"class_name": "\(kind)", "config": {"name": "it", "batch_input_shape": [null, 8, 8, 3]\(config)}}]}
    """
  }

  @Test(arguments: [
    ("MaxoutDense", "", "layer it (MaxoutDense) is a layer of Keras 1 that no later Keras has"),
    (
      "Convolution2D", ", \"nb_filter\": 2, \"nb_row\": 3, \"nb_col\": 3, \"border_mode\": \"full\"",
      "layer it (Convolution2D) has border_mode \"full\", which no later Keras has"
    ),
    (
      "BatchNormalization", ", \"mode\": 1",
      "layer it (BatchNormalization) has mode 1, which normalises each sample by itself and which no later Keras has"
    ),
    (
      "Merge", ", \"mode\": \"cos\", \"mode_type\": \"raw\"",
      "layer it (Merge) merges by mode \"cos\", which no later Keras has"
    ),
    (
      "Merge", ", \"mode\": \"join\", \"mode_type\": \"function\"",
      "layer it (Merge) merges by Python code, which is never run"
    ),
    ("Lambda", "", "layer it (Lambda) holds Python code, which is never run"),
  ])
  func whatKeras2DroppedIsRefusedByName(kind: String, config: String, sentence: String) {
    let error = #expect(throws: WeightError.self) { try KerasJSON.graph(from: network(kind, config)) }
    #expect(error?.description == sentence)
  }

  /// What a transposed convolution of Keras 1 says about its input of 5x5, its options and the size that it declares.
  private func transposed(_ mode: String, stride: Int, size: Int, output: String) throws -> Graph {
    try KerasJSON.graph(
      from: """
        {"class_name": "Sequential", "keras_version": "1.2.2", "config": [
          {"class_name": "Deconvolution2D", "config": {"name": "it", "batch_input_shape": [null, 5, 5, 3],
            "nb_filter": 2, "nb_row": \(size), "nb_col": \(size), "subsample": [\(stride), \(stride)],
            "border_mode": "\(mode)", "dim_ordering": "tf", "output_shape": \(output)}}]}
        """)
  }

  // The sizes that TensorFlow's conv2d_transpose accepts for an input of 5x5.
  @Test(arguments: [
    ("same", 2, 3, 9), ("same", 2, 3, 10), ("same", 3, 4, 13), ("same", 3, 4, 14), ("same", 3, 4, 15),
    ("valid", 1, 3, 7),
    ("valid", 2, 3, 11), ("valid", 2, 3, 12), ("valid", 3, 2, 14), ("valid", 3, 2, 15), ("valid", 3, 2, 16),
  ])
  func aTransposedConvolutionPutsOutTheSizeThatItDeclares(mode: String, stride: Int, size: Int, output: Int) throws {
    let graph = try transposed(mode, stride: stride, size: size, output: "[null, \(output), \(output), 2]")
    #expect(graph.nodes[graph.outputs[0]].outputShape == [output, output, 2])
  }

  @Test(arguments: [
    (
      "same", 2, "[null, 11, 10, 2]",
      "layer it declares an output of 11x10, but its other options make 9x9 to 10x10 of an input of 5x5"
    ),
    (
      "valid", 1, "[1, 8, 7, 2]",
      "layer it declares an output of 8x7, but its other options make 7x7 of an input of 5x5"
    ),
    (
      "valid", 1, "[null, 7, 7, 3]",
      "layer it (Conv2DTranspose) declares an output of 3 channels, but has 2 filters"
    ),
    (
      "valid", 1, "[7, 7]",
      "layer it (Conv2DTranspose) has an output_shape that is not the shape of a batch of images"
    ),
  ])
  func aDeclaredSizeThatDoesNotFitIsRefused(mode: String, stride: Int, output: String, sentence: String) {
    let error = #expect(throws: WeightError.self) {
      try transposed(mode, stride: stride, size: 3, output: output)
    }
    #expect(error?.description == sentence)
  }

  @Test func aGraphOfTheFirstKerasIsRefusedByName() {
    let error = #expect(throws: WeightError.self) {
      try KerasJSON.graph(from: #"{"class_name": "Graph", "config": {}, "keras_version": "1.0.0"}"#)
    }
    #expect(error?.detail.hasPrefix("is of class Graph") == true)
  }
}
