// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "graft",
  products: [
    .library(name: "Graft", targets: ["Graft"]),
    .executable(name: "graft", targets: ["GraftMain"]),
    .executable(name: "graft-reader", targets: ["GraftReader"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    // System libraries and the C around them.
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev", "zlib1g-dev"]), .brew(["hdf5"])]),
    .target(name: "CDNNL", linkerSettings: [.linkedLibrary("dnnl")]),
    .target(
      name: "CVips",
      linkerSettings: [.linkedLibrary("vips"), .linkedLibrary("gobject-2.0"), .linkedLibrary("glib-2.0")]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"]), .brew(["libzip"])]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    .target(name: "CKernels"),
    .target(name: "CSandbox"),

    // From numbers to a finished model, each on what stands above it.
    .target(name: "Tensors"),
    .target(name: "Digests", dependencies: ["CCrypto"]),
    .target(name: "HDF5Files", dependencies: ["CHDF5", "CSandbox", "Tensors"]),
    .target(name: "Graphs", dependencies: ["Tensors"]),
    .target(name: "KerasFormats", dependencies: ["CZip", "HDF5Files", "Graphs", "Tensors"]),
    .target(name: "Backbones", dependencies: ["Graphs", "KerasFormats", "Digests", "Tensors"]),
    .target(name: "Tasks", dependencies: ["Graphs", "Tensors"]),
    .target(name: "Models", dependencies: ["KerasFormats", "Backbones", "Tasks", "Graphs", "Tensors"]),
    .target(name: "Freezing", dependencies: ["Graphs"]),
    .target(name: "Engine", dependencies: ["CDNNL", "CKernels", "Graphs", "Tensors"]),
    .target(name: "Datasets", dependencies: ["CVips", "Digests", "Tensors"]),
    .target(
      name: "Training",
      dependencies: [
        "Models", "Engine", "Tasks", "Freezing", "Datasets", "HDF5Files", "Graphs", "Digests", "Tensors", "Yams",
      ]),

    .target(name: "Reports", dependencies: ["Training"]),

    // Both faces: the library and the command.
    .target(
      name: "Graft",
      dependencies: [
        "Reports", "Training", "Models", "Backbones", "Engine", "Datasets", "Freezing", "Tasks", "KerasFormats",
        "Graphs", "Tensors",
      ]),
    .target(
      name: "GraftCommands",
      dependencies: ["Graft", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .executableTarget(name: "GraftMain", dependencies: ["Graft", "GraftCommands"]),
    .executableTarget(name: "GraftReader", dependencies: ["KerasFormats"]),

    // Feeds damaged files to the readers; a test runs it for a moment, scripts/fuzz-files for long.
    .target(name: "CFaults", path: "Tests/CFaults"),
    .executableTarget(
      name: "FuzzFiles",
      dependencies: ["CFaults", "CHDF5", "CSandbox", "KerasFormats", "HDF5Files", "Graphs", "Tensors"],
      path: "Tests/FuzzFiles"),

    // Takes a step of every sample layer in a build with the address sanitizer; scripts/test builds and runs it.
    .executableTarget(
      name: "SanitizedPlans", dependencies: ["CKernels", "Engine", "KerasFormats", "Graphs", "Tensors"],
      path: "Tests/SanitizedPlans"),

    // Counts what a test allocates.
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    // Pictures that the tests of the library and of the command are trained on.
    .target(name: "TestPictures", path: "Tests/TestPictures"),

    // A network and pictures small enough to train many times, and a program that ends itself while it trains them.
    .target(
      name: "TinyRuns", dependencies: ["Training", "Models", "Tasks", "Freezing", "Datasets", "Graphs", "Tensors"],
      path: "Tests/TinyRuns"),
    .executableTarget(
      name: "KilledRun", dependencies: ["TinyRuns", "Training", "Models", "Engine"], path: "Tests/KilledRun"),

    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"]),
    .testTarget(name: "HDF5FilesTests", dependencies: ["HDF5Files", "Tensors"]),
    .testTarget(name: "GraphsTests", dependencies: ["Graphs", "Tensors"]),
    .testTarget(
      name: "KerasFormatsTests",
      dependencies: ["FuzzFiles", "GraftReader", "KerasFormats", "HDF5Files", "Graphs", "Tensors"]),
    .testTarget(name: "BackbonesTests", dependencies: ["Backbones", "Graphs", "KerasFormats", "Tensors"]),
    .testTarget(name: "TasksTests", dependencies: ["Tasks", "Graphs", "Tensors"]),
    .testTarget(
      name: "ModelsTests", dependencies: ["Models", "KerasFormats", "Backbones", "Tasks", "Graphs", "Tensors"]),
    .testTarget(name: "FreezingTests", dependencies: ["Freezing", "Backbones", "Graphs", "Tensors"]),
    .testTarget(name: "EngineTests", dependencies: ["Engine", "KerasFormats", "Backbones", "Graphs", "Tensors"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "CAllocations", "TinyRuns", "KilledRun", "Training", "Models", "Backbones", "Engine", "Tasks", "Freezing",
        "Datasets", "HDF5Files",
        "Graphs", "Tensors",
      ]),
    .testTarget(name: "ReportsTests", dependencies: ["Reports", "Training"]),
    .testTarget(name: "GraftTests", dependencies: ["Graft", "TestPictures"]),
    .testTarget(
      name: "GraftCommandsTests", dependencies: ["GraftCommands", "Graft", "HDF5Files", "TestPictures"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
