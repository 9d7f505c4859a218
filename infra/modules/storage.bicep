// The storage of the Functions host: its locks, its keys, the package of the app. No data of the archive is here.
import { diagnosticsName, resourceTags, roles } from '../types.bicep'

@description('Name.')
@minLength(3)
@maxLength(24)
param name string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Copies in three zones.')
param zoneRedundant bool
@description('No public address.')
param isPrivate bool
@description('Lock the account.')
param preventDeletion bool
@description('Log Analytics workspace.')
param workspaceId string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string

// The host would create the first two itself, and the roles are assigned on each container alone.
var grants = [
  {
    container: 'azure-webjobs-hosts'
    role: roles.storageBlobDataOwner
    reason: 'Locks of the timers and of the host.'
  }
  {
    container: 'azure-webjobs-secrets'
    role: roles.storageBlobDataOwner
    reason: 'Keys of the host, which no function uses.'
  }
  {
    container: 'app-package'
    role: roles.storageBlobDataContributor
    reason: 'The platform stores and reads the package.'
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: { blob: { enabled: true, keyType: 'Account' } }
    }
    sasPolicy: { expirationAction: 'Block', sasExpirationPeriod: '00.01:00:00' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for grant in grants: {
    parent: blobs
    name: grant.container
    properties: { publicAccess: 'None' }
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in grants: {
    name: guid(account.id, grant.container, appName, grant.role)
    scope: containers[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: appId
      principalType: 'ServicePrincipal'
      description: grant.reason
    }
  }
]

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (preventDeletion) {
  name: 'no-delete'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'The app does not start without its package.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

@description('Account id.')
output id string = account.id
@description('Address of the container of the package.')
output packageUrl string = '${account.properties.primaryEndpoints.blob}app-package'
