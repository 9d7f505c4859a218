// The vocabulary of main.bicep, its modules and the parameters files. A missing or wrong choice does not compile.

@export()
@description('Environment: development, user acceptance, production.')
type environmentCode = 'dev' | 'uat' | 'prod'

@export()
@description('Tags of every resource.')
type resourceTags = {
  @description('Name and values of a tag.')
  *: string
}

@export()
@description('Capacity of Cosmos DB.')
@sealed()
type cosmosSize = {
  @description('Serverless has one region and bills each request. Autoscale bills the highest RU/s of each hour.')
  mode: 'serverless' | 'autoscale'

  @description('Highest RU/s of each container, from 1,000. Serverless ignores them.')
  maxThroughput: containerThroughput

  @description('How far back the account can be restored.')
  backup: 'Continuous7Days' | 'Continuous30Days'

  @description('A second region for reads and for a failover. Not with serverless.')
  secondRegion: string?

  @description('Log every request for data with its principal. It is the proof of who read and wrote, and costs by volume.')
  logRequests: bool
}

@export()
@description('Highest RU/s of the containers in infra/data.json.')
@sealed()
type containerThroughput = {
  @description('The notices and their events.')
  notices: int

  @description('The lists of the debtors.')
  'notices-by-debtor': int

  @description('Institutions, callers and records of their changes.')
  registries: int

  @description('How far each reader of the feed came.')
  checkpoints: int
}

@export()
@description('Capacity of Service Bus.')
@sealed()
type serviceBusSize = {
  @description('Private endpoints need Premium.')
  sku: 'Standard' | 'Premium'

  @description('Messaging units of Premium. Standard ignores them.')
  messagingUnits: 1 | 2 | 4 | 8 | 16

  @description('Megabytes of each queue and of the topic. Standard has at most 5120, Premium 81920.')
  entityMegabytes: 1024 | 2048 | 3072 | 4096 | 5120 | 10240 | 20480 | 40960 | 81920
}

@export()
@description('Instances that are always ready, by the group of functions that they are for.')
@sealed()
type alwaysReadyGroup = {
  @description('http, or function:<name> for a function with another trigger.')
  name:
    | 'http'
    | 'function:relay_events'
    | 'function:project_debtors'
    | 'function:apply_due_changes'
    | 'function:consume_events'

  @description('Instances.')
  instanceCount: int
}

@export()
@description('Capacity of the Function App.')
@sealed()
type appSize = {
  @description('Memory of an instance.')
  instanceMemoryMB: 512 | 2048 | 4096

  @description('Instances of a group of functions, at most. It limits the cost.')
  maximumInstanceCount: int

  @description('Requests that one instance works on at once.')
  httpConcurrency: int

  @description('Instances that are always ready.')
  alwaysReady: alwaysReadyGroup[]
}

@export()
@description('Log Analytics.')
@sealed()
type logSize = {
  @description('Days that logs are kept.')
  retentionDays: int

  @description('GB a day after which no more logs are taken. -1 for no limit.')
  dailyQuotaGb: int
}

@export()
@description('Limits of the alerts that depend on the load.')
@sealed()
type alertLimits = {
  @description('Milliseconds that 95 % of the requests must not exceed.')
  p95Milliseconds: int

  @description('Messages in inbound-events that wait for some five minutes at the usual rate of this environment.')
  waitingMessages: int

  @description('Whether an hour without a request is a fault.')
  expectsTraffic: bool
}

@export()
@description('The choices that differ between environments.')
@sealed()
type environmentSize = {
  @description('Cosmos DB.')
  cosmos: cosmosSize

  @description('Service Bus.')
  serviceBus: serviceBusSize

  @description('Function App.')
  app: appSize

  @description('Log Analytics.')
  logs: logSize

  @description('Alerts.')
  alerts: alertLimits

  @description('Spread over the availability zones of the region.')
  zoneRedundant: bool

  @description('Locks on the data stores.')
  preventDeletion: bool

  @description('Budget of a month, in the currency of the subscription. It warns and stops nothing.')
  monthlyBudget: int
}

@export()
@description('A network with private endpoints. Without it every service has a public address.')
@sealed()
type networkOptions = {
  @description('Address space, a /22 or larger. It must not overlap with networks that are peered with it.')
  addressPrefix: string
}

@export()
@description('A machine in the network for operators, reached through Azure Bastion.')
@sealed()
type jumpHostOptions = {
  @description('Size of the machine.')
  vmSize: string

  @description('Public SSH key of the first user, which Azure demands. Operators sign in with Entra ID.')
  sshPublicKey: string
}

@export()
@description('API Management in front of the archive.')
@sealed()
type apiManagementOptions = {
  @description('Tier. Both have a network integration, which reaches a private archive.')
  sku: 'StandardV2' | 'PremiumV2'

  @description('Units.')
  units: int

  @description('Name of the publisher, shown to callers.')
  publisherName: string

  @description('Address of the publisher.')
  publisherEmail: string

  @description('Requests of one key in a minute, at most.')
  callsPerMinute: int
}

@export()
@description('A program of others that takes events from a subscription.')
@sealed()
type subscriber = {
  @description('Subscription, as in infra/messaging.json.')
  subscription: string

  @description('Object id of its identity.')
  principalId: string
}

@export()
@description('Subnets of the network, by their use.')
@sealed()
type subnetIds = {
  @description('Outbound traffic of the Function App.')
  app: string

  @description('Private endpoints.')
  endpoints: string

  @description('Outbound traffic of API Management.')
  gateway: string

  @description('Machine of the operators.')
  operators: string

  @description('Azure Bastion.')
  bastion: string
}

@export()
@description('A resource that gets a private endpoint.')
@sealed()
type endpointTarget = {
  @description('Short name, part of the name of the endpoint.')
  name: string

  @description('Resource id.')
  resourceId: string

  @description('Part of the resource, such as blob or vault.')
  groupId: string

  @description('Private DNS zone of this kind of endpoint.')
  zone: string
}

@export()
@description('Built-in roles that are assigned here.')
var roles = {
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
  serviceBusDataReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  virtualMachineUserLogin: 'fb879df8-f326-4884-b1cf-06f3ad86be52'
}

@export()
@description('Name of the secret with the debtor keys. A secret has no underscore in its name.')
var debtorKeysSecret = 'DEBTOR-KEYS'

@export()
@description('Name of the diagnostic settings.')
var diagnosticsName = 'to-workspace'
