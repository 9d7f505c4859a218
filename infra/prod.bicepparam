using 'main.bicep'

param environmentName = 'prod'
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL', 'archivio-avvisi@example.invalid')]
// No such group exists, so a deployment without the variable is refused.
param operatorsGroupId = readEnvironmentVariable('OPERATORS_GROUP_ID', '00000000-0000-0000-0000-000000000003')
param budgetStart = readEnvironmentVariable('BUDGET_START', '2027-01-01')
param network = { addressPrefix: '10.62.0.0/22' }
param apiManagement = {
  sku: 'StandardV2'
  units: 1
  publisherName: 'PagoPA S.p.A.'
  publisherEmail: readEnvironmentVariable('ALERT_EMAIL', 'archivio-avvisi@example.invalid')
  callsPerMinute: 6000
}
param jumpHost = {
  vmSize: 'Standard_B2s_v2'
  // Azure refuses a machine without a key. Nobody has the private half of this one.
  sshPublicKey: readEnvironmentVariable(
    'JUMP_HOST_PUBLIC_KEY',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCRNwUYVBjvxebT0gnaXFElX5eRKexfSZC2UL8eSCVtU4nHnr5crRCUH+RQ8+y5sVdrgyRYkctkgMdqz6LC9untAg1K1csuYTJb4tC/wxFQSy8/ODv+hWuZ/4jd1HKXONSdb67NuU0wmVnbiUH9QLNYKedUDAZGzUe9DHqhouE0a98hK+ejSsXFU/yZYC+kQmWK1n/+TahDexxK9Wu8HCi49jydJWUGKKg1wrcZhBHQ1bbFWZelUp++N1RbaGwDH81t8mmotzzUjqePCqJ6o5HhrrAOgF8J1NfvZuwX6fr+fTbrmDHb/pG+RSXBXHPT7gwE49Tng40K5kNQs9epYEWnHsXaLuPNPsPF9Gv/9BuTSKaHlothrT1sDpV68ulC9yUl045qsC0uymMy1yVT2X8+WzCTKxyuRtdMzY6HaV6gP4l/BIxoWvxgGjyp0zDvmuMFR5e88q/LquloDX5ndtvlKBGE5o3n5Xipf9n/Z21+pEO9PyGSz+AeLFSrDwK1gb0= nobody'
  )
}
// docs/scale.md has the load that these choices are for.
param size = {
  cosmos: {
    mode: 'autoscale'
    maxThroughput: { notices: 10000, 'notices-by-debtor': 4000, registries: 1000, checkpoints: 1000 }
    backup: 'Continuous30Days'
    logRequests: true
  }
  serviceBus: { sku: 'Premium', messagingUnits: 1, entityMegabytes: 81920 }
  app: {
    instanceMemoryMB: 2048
    maximumInstanceCount: 100
    httpConcurrency: 16
    // Two for each, because with zones the platform keeps and bills two at least.
    alwaysReady: [
      { name: 'http', instanceCount: 2 }
      { name: 'function:relay_events', instanceCount: 2 }
      { name: 'function:project_debtors', instanceCount: 2 }
      { name: 'function:apply_due_changes', instanceCount: 2 }
    ]
  }
  logs: { retentionDays: 180, dailyQuotaGb: -1 }
  alerts: { p95Milliseconds: 1000, waitingMessages: 5000, expectsTraffic: true }
  zoneRedundant: true
  preventDeletion: true
  monthlyBudget: 7500
}
