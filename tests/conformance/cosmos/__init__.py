"""What the archive relies on in Cosmos DB, asked with the unmodified SDK: of our double, an emulator or an account."""
