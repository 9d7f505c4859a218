// The smallest environment: dev.bicepparam and main.bicepparam, which is for azd, both use it.
import { environmentSize } from 'types.bicep'

@export()
@description('Choices of a development environment. It costs little when nobody uses it.')
var developmentSize environmentSize = {
  cosmos: {
    mode: 'serverless'
    maxThroughput: { notices: 1000, 'notices-by-debtor': 1000, registries: 1000, checkpoints: 1000 }
    backup: 'Continuous7Days'
    logRequests: false
  }
  serviceBus: { sku: 'Standard', messagingUnits: 1, entityMegabytes: 1024 }
  app: { instanceMemoryMB: 2048, maximumInstanceCount: 40, httpConcurrency: 16, alwaysReady: [] }
  logs: { retentionDays: 30, dailyQuotaGb: 1 }
  alerts: { p95Milliseconds: 3000, waitingMessages: 1000, expectsTraffic: false }
  zoneRedundant: false
  preventDeletion: false
  monthlyBudget: 250
}
