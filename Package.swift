// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "graft",
  products: [],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "3.12.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .target(
      name: "CVips",
      linkerSettings: [.linkedLibrary("vips"), .linkedLibrary("gobject-2.0"), .linkedLibrary("glib-2.0")]
    ),
    .target(name: "Tensors"),
    .target(
      name: "Datasets",
      dependencies: ["CVips", "Tensors", .product(name: "Crypto", package: "swift-crypto")]
    ),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
