"""What events rely on in Service Bus, asked through the unmodified SDK: of the double, or of the service itself."""
