"""The unit prices of docs/cost.md, in US dollars as Azure lists them, with the place where each was read."""

from dataclasses import dataclass

EURO = 0.86
"""Euro for a US dollar in Azure's lists: prices that were quoted in both currencies in summer 2026."""
QUOTED = "Azure Retail Prices API, as a public repository quotes it"
MICROSOFT = "Microsoft's documentation"
ARTICLE = "an article"
MEMORY = "**from memory**"


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a unit. `dollars` is the list price of the region and the month in which it was read."""

    meter: str
    unit: str
    dollars: float
    region: str
    month: str
    source: str

    @property
    def euro(self) -> float:
        """Return the price in euro."""
        return self.dollars * EURO


PRICES = {
    "executions": Price("Functions, executions", "million", 0.40, "East US 2", "2026-09", QUOTED),
    "ready": Price("Functions, always ready, baseline", "million GB-s", 4.00, "East US 2", "2026-09", QUOTED),
    "ready_work": Price("Functions, always ready, at work", "million GB-s", 16.00, "East US 2", "2026-09", QUOTED),
    "work": Price("Functions, on demand, at work", "million GB-s", 26.00, "East US 2", "2026-09", QUOTED),
    "serverless": Price("Cosmos DB, serverless", "million RU", 0.25, "East US 2", "2026-09", QUOTED),
    "autoscale": Price("Cosmos DB, autoscale", "100 RU/s for an hour", 0.012, "US", "2026-05", ARTICLE),
    "manual": Price("Cosmos DB, manual throughput", "100 RU/s for an hour", 0.008, "US", "2026-05", ARTICLE),
    "data": Price("Cosmos DB, data", "GB for a month", 0.25, "East US 2", "2026-09", QUOTED),
    "backup": Price("Cosmos DB, backup of 30 days", "GB for a month", 0.20, "West US", "2023-04", MICROSOFT),
    "restore": Price("Cosmos DB, restore", "GB", 0.15, "West US", "2023-04", MICROSOFT),
    "standard": Price("Service Bus Standard, with 13m operations", "month", 10.00, "West Europe", "2026", QUOTED),
    "premium": Price("Service Bus Premium, messaging unit", "hour", 0.9275, "not named", "2026", QUOTED),
    "logs": Price("Log Analytics, ingestion", "GB", 2.76, "East US 2", "2026", QUOTED),
    "basic_logs": Price("Log Analytics, ingestion of basic logs", "GB", 0.50, "US", "2026", ARTICLE),
    "metric_alert": Price("Azure Monitor, metric alert", "time series for a month", 0.10, "East US", "2026-10", QUOTED),
    "log_alert": Price("Azure Monitor, log alert, every 5 minutes", "month", 1.50, "East US", "2026-10", QUOTED),
    "web_test": Price("Azure Monitor, web test, a run", "run", 0.0005, "East US", "2026-10", QUOTED),
    "vault": Price("Key Vault, operations", "10,000", 0.03, "East US", "2026-10", QUOTED),
    "endpoint": Price("Private endpoint", "hour", 0.01, "not named", "2026", ARTICLE),
    "endpoint_data": Price("Private endpoint, data", "GB", 0.01, "not named", "2026", ARTICLE),
    "zone": Price("Private DNS zone", "month", 0.50, "East US", "2026-10", QUOTED),
    "blobs": Price("Storage account, blobs", "GB for a month", 0.023, "–", "–", MEMORY),
    "blob_writes": Price("Storage account, writes", "10,000", 0.05, "East US", "2026-10", QUOTED),
    "nat": Price("NAT gateway", "hour", 0.045, "–", "–", MEMORY),
    "nat_data": Price("NAT gateway, data", "GB", 0.045, "–", "–", MEMORY),
    "bastion": Price("Azure Bastion Standard", "hour", 0.29, "–", "–", MEMORY),
    "machine": Price("Machine of the operators, two cores, with its disk", "hour", 0.05, "–", "–", MEMORY),
    "address": Price("Public address", "hour", 0.005, "–", "–", MEMORY),
    "gateway_requests": Price("API Management Standard v2, more requests", "million", 2.50, "–", "–", MEMORY),
    "gateway": Price("API Management Standard v2, unit", "hour", 0.96, "East US 2", "2026-10", QUOTED),
}
