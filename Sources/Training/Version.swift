/// The version of this package.
public let graftVersion = "0.1.0"
