// The store of the notices. Its containers are those of infra/data.json, which the code reads too. Nobody has a key.
import { cosmosSize, diagnosticsName, resourceTags } from '../types.bicep'

@description('Name.')
@minLength(3)
@maxLength(44)
param name string
@description('Region that writes.')
param location string
@description('Tags.')
param tags resourceTags
@description('Capacity.')
param size cosmosSize
@description('Spread over the availability zones.')
param zoneRedundant bool
@description('No public address.')
param isPrivate bool
@description('Lock the account.')
param preventDeletion bool
@description('Log Analytics workspace.')
param workspaceId string
@description('Name of the database.')
param databaseName string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string
@description('Object id of the group of the operators. Empty: there is none.')
param operatorsId string

var data = loadJsonContent('../data.json')
var isServerless = size.mode == 'serverless'
var regions = concat([location], size.?secondRegion == null ? [] : [size.?secondRegion!])

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [
      for (region, i) in regions: {
        locationName: region
        failoverPriority: i
        isZoneRedundant: zoneRedundant
      }
    ]
    // ADR 9. The values are the smallest that Azure allows with a second region, so that one can be added.
    consistencyPolicy: {
      defaultConsistencyLevel: 'BoundedStaleness'
      maxStalenessPrefix: 100000
      maxIntervalInSeconds: 300
    }
    capabilities: isServerless ? [{ name: 'EnableServerless' }] : []
    enableMultipleWriteLocations: false
    enableAutomaticFailover: length(regions) > 1
    enableBurstCapacity: !isServerless
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAclBypass: 'None'
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: size.backup }
    }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-10-15' = {
  parent: account
  name: databaseName
  properties: { resource: { id: databaseName } }
}

resource containers 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-10-15' = [
  for container in items(data.containers): {
    parent: database
    name: container.key
    properties: {
      resource: {
        id: container.key
        partitionKey: {
          kind: length(container.value.partitionKey) > 1 ? 'MultiHash' : 'Hash'
          version: 2
          paths: container.value.partitionKey
        }
        indexingPolicy: container.value.indexingPolicy
        ...(contains(container.value, 'defaultTtl') ? { defaultTtl: container.value.?defaultTtl } : {})
      }
      options: isServerless ? {} : { autoscaleSettings: { maxThroughput: size.maxThroughput[container.key] } }
    }
  }
]

module roleAssignments 'cosmos-roles.bicep' = {
  params: {
    accountName: account.name
    databaseName: databaseName
    appId: appId
    appName: appName
    operatorsId: operatorsId
  }
  dependsOn: [containers]
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (preventDeletion) {
  name: 'no-delete'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'The archive of all payment notices.'
  }
}

// Queries and bodies are in neither of them, unless full-text queries are switched on. The categories of partition keys
// are left out: a key here is one notice or one debtor, so they would log hashes of debtors.
var logs = concat(['ControlPlaneRequests'], size.logRequests ? ['DataPlaneRequests'] : [])

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: account
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: map(logs, name => { category: name, enabled: true })
    metrics: [{ category: 'Requests', enabled: true }]
  }
}

@description('Account id.')
output id string = account.id
