// The whole system of one environment, in a resource group of its own.
// Names are made here and passed as strings, so that snapshots and what-if know them.
targetScope = 'subscription'

import {
  apiManagementOptions
  debtorKeysSecret
  environmentCode
  environmentSize
  jumpHostOptions
  networkOptions
  resourceTags
  subscriber
} from 'types.bicep'

@description('First part of the names: small letters and digits. The name of the vault has room for six.')
@minLength(2)
@maxLength(6)
param project string = 'avvisi'

@description('Environment.')
param environmentName environmentCode

@description('Region.')
param location string = 'italynorth'

@description('Region in names.')
@minLength(3)
@maxLength(3)
param regionCode string = 'itn'

@description('Choices of this environment.')
param size environmentSize

@description('Network with private endpoints. Without it every service has a public address.')
param network networkOptions?

@description('API Management in front of the archive.')
param apiManagement apiManagementOptions?

@description('Machine of the operators. It needs the network and the group of the operators.')
param jumpHost jumpHostOptions?

@description('Object id of the Entra ID group of the operators. Empty: nobody gets the roles of operators.')
param operatorsGroupId string = ''

@description('Object ids of the identities of services that send inbound events.')
param eventSenders string[] = []

@description('Programs of others that take events from a subscription.')
param subscribers subscriber[] = []

@description('E-mail addresses of the people on call.')
@minLength(1)
param alertEmails string[]

@description('First month of the budget, yyyy-MM-01.')
param budgetStart string

@description('Name of the Cosmos DB account, if a restore made another one. Empty: the name of this environment.')
param cosmosAccountName string = ''

@description('Seconds that a request may take before it is answered 503.')
param storeBudgetSeconds string = '5'

@description('Hours after which a paid notice that was not communicated is reported.')
param awaitedHours string = '24'

@description('More tags of every resource, such as those that a policy of the tenant demands.')
param extraTags resourceTags = {}

var tags resourceTags = {
  project: project
  environment: environmentName
  ...extraTags
}
var baseName = '${project}-${environmentName}-${regionCode}'
// The names of services with an address of their own are unique in the world.
var unique = take(uniqueString(subscription().id, project, environmentName, regionCode), 5)
var appIdentityName = '${baseName}-app-id'
var operatorsIdentityName = '${baseName}-ops-id'
var cosmosName = empty(cosmosAccountName) ? '${baseName}-cosno-${unique}' : cosmosAccountName
// Azure lets no endpoint lead to another account. So the endpoint of a restored one has another name.
var cosmosTarget = empty(cosmosAccountName) ? 'cosno' : 'cosno-${take(uniqueString(cosmosAccountName), 5)}'
var serviceBusName = '${baseName}-sbns-${unique}'
var vaultName = '${baseName}-kv-${unique}'
var storageName = '${project}${environmentName}${regionCode}st${unique}'
var appName = '${baseName}-func-${unique}'
var gatewayName = '${baseName}-apim-${unique}'
var databaseName = 'archive'
// Real notices are never behind a public address, whatever the parameters are.
var isPrivate = network != null || environmentName == 'dev'
  ? network != null
  : fail('uat and prod need a network: set the parameter network.')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${baseName}-rg'
  location: location
  tags: tags
}

module appIdentity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: appIdentityName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    baseName: baseName
    location: location
    tags: tags
    size: size.logs
    preventDeletion: size.preventDeletion
    alertEmails: alertEmails
    appId: appIdentity.outputs.principalId
    appName: appIdentityName
  }
}

module budget 'modules/budget.bicep' = {
  scope: group
  params: {
    name: '${baseName}-budget'
    amount: size.monthlyBudget
    start: budgetStart
    emails: alertEmails
  }
}

module privateNetwork 'modules/network.bicep' = if (isPrivate) {
  scope: group
  params: {
    baseName: baseName
    location: location
    tags: tags
    addressPrefix: network!.addressPrefix
    zoneRedundant: size.zoneRedundant
    workspaceId: monitoring.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: storageName
    location: location
    tags: tags
    zoneRedundant: size.zoneRedundant
    isPrivate: isPrivate
    preventDeletion: size.preventDeletion
    workspaceId: monitoring.outputs.workspaceId
    appId: appIdentity.outputs.principalId
    appName: appIdentityName
  }
}

module cosmos 'modules/cosmos.bicep' = {
  scope: group
  params: {
    name: cosmosName
    location: location
    tags: tags
    size: size.cosmos
    zoneRedundant: size.zoneRedundant
    isPrivate: isPrivate
    preventDeletion: size.preventDeletion
    workspaceId: monitoring.outputs.workspaceId
    databaseName: databaseName
    appId: appIdentity.outputs.principalId
    appName: appIdentityName
    operatorsId: operatorsGroupId
  }
}

module serviceBus 'modules/servicebus.bicep' = {
  scope: group
  params: {
    name: serviceBusName
    location: location
    tags: tags
    size: size.serviceBus
    isPrivate: isPrivate
    preventDeletion: size.preventDeletion
    workspaceId: monitoring.outputs.workspaceId
    appId: appIdentity.outputs.principalId
    appName: appIdentityName
    operatorsId: operatorsGroupId
    eventSenders: eventSenders
    subscribers: subscribers
  }
}

module keyVault 'modules/keyvault.bicep' = {
  scope: group
  params: {
    name: vaultName
    location: location
    tags: tags
    isPrivate: isPrivate
    preventDeletion: size.preventDeletion
    workspaceId: monitoring.outputs.workspaceId
    appId: appIdentity.outputs.principalId
    appName: appIdentityName
    operatorsId: operatorsGroupId
  }
}

module dataEndpoints 'modules/private-endpoints.bicep' = if (isPrivate) {
  scope: group
  params: {
    baseName: baseName
    location: location
    tags: tags
    networkId: privateNetwork!.outputs.id
    subnetId: privateNetwork!.outputs.subnets.endpoints
    targets: [
      {
        name: 'blob'
        resourceId: storage.outputs.id
        groupId: 'blob'
        zone: 'privatelink.blob.${environment().suffixes.storage}'
      }
      { name: cosmosTarget, resourceId: cosmos.outputs.id, groupId: 'Sql', zone: 'privatelink.documents.azure.com' }
      {
        name: 'sbns'
        resourceId: serviceBus.outputs.id
        groupId: 'namespace'
        zone: 'privatelink.servicebus.windows.net'
      }
      { name: 'kv', resourceId: keyVault.outputs.id, groupId: 'vault', zone: 'privatelink.vaultcore.azure.net' }
    ]
  }
}

module functionApp 'modules/functionapp.bicep' = {
  scope: group
  params: {
    name: appName
    planName: '${baseName}-asp'
    location: location
    tags: tags
    size: size.app
    zoneRedundant: size.zoneRedundant
    identityId: appIdentity.outputs.id
    identityClientId: appIdentity.outputs.clientId
    subnetId: privateNetwork.?outputs.subnets.app
    storageAccountName: storageName
    packageUrl: storage.outputs.packageUrl
    cosmosEndpoint: 'https://${cosmosName}.documents.azure.com:443/'
    databaseName: databaseName
    serviceBusHost: '${serviceBusName}.servicebus.windows.net'
    debtorKeysUri: 'https://${vaultName}${environment().suffixes.keyvaultDns}/secrets/${debtorKeysSecret}'
    storeBudgetSeconds: storeBudgetSeconds
    awaitedHours: awaitedHours
    insightsAddress: monitoring.outputs.insightsAddress
    workspaceId: monitoring.outputs.workspaceId
  }
  // Its triggers start at once, and need the entities, the roles and the way there.
  dependsOn: [cosmos, serviceBus, keyVault, dataEndpoints]
}

module appEndpoint 'modules/private-endpoints.bicep' = if (isPrivate) {
  scope: group
  params: {
    baseName: baseName
    location: location
    tags: tags
    networkId: privateNetwork!.outputs.id
    subnetId: privateNetwork!.outputs.subnets.endpoints
    targets: [
      { name: 'func', resourceId: functionApp.outputs.id, groupId: 'sites', zone: 'privatelink.azurewebsites.net' }
    ]
  }
}

module gateway 'modules/api-management.bicep' = if (apiManagement != null) {
  scope: group
  params: {
    name: gatewayName
    location: location
    tags: tags
    options: apiManagement!
    zoneRedundant: size.zoneRedundant
    subnetId: privateNetwork.?outputs.subnets.gateway
    backendHost: functionApp.outputs.hostName
    workspaceId: monitoring.outputs.workspaceId
  }
}

module operatorsIdentity 'modules/identity.bicep' = if (jumpHost != null) {
  scope: group
  params: {
    name: operatorsIdentityName
    location: location
    tags: tags
  }
}

module operatorsMachine 'modules/jump-host.bicep' = if (jumpHost != null) {
  scope: group
  params: {
    baseName: baseName
    location: location
    tags: tags
    options: jumpHost!
    identityId: operatorsIdentity!.outputs.id
    operatorsId: operatorsGroupId
    subnetId: privateNetwork!.outputs.subnets.operators
    bastionSubnetId: privateNetwork!.outputs.subnets.bastion
    zoneRedundant: size.zoneRedundant
    workspaceId: monitoring.outputs.workspaceId
  }
}

module operators 'modules/operators.bicep' = if (!empty(operatorsGroupId)) {
  scope: group
  params: {
    operatorsId: operatorsGroupId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    baseName: baseName
    location: location
    tags: tags
    limits: size.alerts
    actionGroupId: monitoring.outputs.actionGroupId
    cosmosId: cosmos.outputs.id
    isAutoscale: size.cosmos.mode == 'autoscale'
    serviceBusId: serviceBus.outputs.id
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    isProbed: apiManagement != null || !isPrivate
    healthUrl: apiManagement != null
      ? '${gateway!.outputs.address}/api/v1/health'
      : 'https://${functionApp.outputs.hostName}/api/v1/health'
  }
}

@description('Resource group, for azd and the workflows.')
output AZURE_RESOURCE_GROUP string = group.name
@description('Function App, for azd and the workflows.')
output AZURE_FUNCTION_NAME string = appName
@description('Vault in which a person creates the debtor keys.')
output KEY_VAULT_NAME string = vaultName
@description('Address that callers use.')
output ARCHIVE_URL string = apiManagement != null
  ? '${gateway!.outputs.address}/api'
  : 'https://${functionApp.outputs.hostName}/api'
@description('Address of the app itself, without a gateway, for tests inside the network.')
output APP_URL string = 'https://${functionApp.outputs.hostName}/api'
@description('Setting of `python -m ops`.')
output COSMOS__accountEndpoint string = 'https://${cosmosName}.documents.azure.com:443/'
@description('Setting of `python -m ops`.')
output SERVICEBUS__fullyQualifiedNamespace string = '${serviceBusName}.servicebus.windows.net'
@description('Client id of the identity of the machine of the operators: the settings COSMOS__clientId and SERVICEBUS__clientId of `python -m ops`.')
output OPERATORS_CLIENT_ID string = jumpHost != null ? operatorsIdentity!.outputs.clientId : ''
@description('Object id of the same identity, which must be a member of the group of the operators.')
output OPERATORS_PRINCIPAL_ID string = jumpHost != null ? operatorsIdentity!.outputs.principalId : ''
