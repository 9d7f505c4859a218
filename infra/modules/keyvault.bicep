// Holds one secret, the debtor keys. Its value is in no file: a person creates it after the first deployment.
import { diagnosticsName, resourceTags, roles } from '../types.bicep'

@description('Name.')
@minLength(3)
@maxLength(24)
param name string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('No public address.')
param isPrivate bool
@description('Lock the vault.')
param preventDeletion bool
@description('Log Analytics workspace.')
param workspaceId string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string
@description('Object id of the group of the operators. Empty: there is none.')
param operatorsId string

var readers = empty(operatorsId) ? [true] : [true, false]

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }
}

// The vault holds this secret alone. A role on the secret itself could be assigned only after a person has created it.
resource readSecret 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for isApp in readers: {
    name: guid(vault.id, isApp ? appName : operatorsId, roles.keyVaultSecretsUser)
    scope: vault
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
      principalId: isApp ? appId : operatorsId
      principalType: isApp ? 'ServicePrincipal' : 'Group'
      description: 'The hashes under which debtors are found need the debtor keys.'
    }
  }
]

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (preventDeletion) {
  name: 'no-delete'
  scope: vault
  properties: {
    level: 'CanNotDelete'
    notes: 'Without the debtor keys the lists of the debtors must be built again.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Vault id.')
output id string = vault.id
