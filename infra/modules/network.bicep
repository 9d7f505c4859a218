// A subnet for each use, since the Function App and API Management need subnets that are delegated to them. What leaves
// the network has one known address, that of the NAT gateway.
import { diagnosticsName, resourceTags, subnetIds } from '../types.bicep'

@description('Beginning of the names.')
param baseName string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Address space, a /22 or larger.')
param addressPrefix string
@description('A public address in all availability zones.')
param zoneRedundant bool
@description('Log Analytics workspace.')
param workspaceId string

var names = ['app', 'endpoints', 'gateway', 'operators']
var delegations = { app: 'Microsoft.App/environments', gateway: 'Microsoft.Web/serverFarms' }
var ranges = {
  app: cidrSubnet(addressPrefix, 24, 0)
  endpoints: cidrSubnet(addressPrefix, 24, 1)
  gateway: cidrSubnet(addressPrefix, 24, 2)
  operators: cidrSubnet(addressPrefix, 26, 12)
  bastion: cidrSubnet(addressPrefix, 26, 13)
}
var denyInternet = [
  {
    name: 'deny-internet'
    properties: {
      description: 'Nothing comes in from the internet. Callers come through the gateway.'
      priority: 4000
      direction: 'Inbound'
      access: 'Deny'
      protocol: '*'
      sourceAddressPrefix: 'Internet'
      sourcePortRange: '*'
      destinationAddressPrefix: '*'
      destinationPortRange: '*'
    }
  }
]
var onlyServices = [
  {
    name: 'allow-services'
    properties: {
      description: 'Cosmos DB, Key Vault, storage, telemetry: HTTPS. Service Bus: AMQP with TLS.'
      priority: 1000
      direction: 'Outbound'
      access: 'Allow'
      protocol: 'Tcp'
      sourceAddressPrefix: '*'
      sourcePortRange: '*'
      destinationAddressPrefix: 'VirtualNetwork'
      destinationPortRanges: ['443', '5671', '5672']
    }
  }
  {
    name: 'allow-https'
    properties: {
      description: 'Application Insights, Entra ID and the packages of the platform have public addresses.'
      priority: 1010
      direction: 'Outbound'
      access: 'Allow'
      protocol: 'Tcp'
      sourceAddressPrefix: '*'
      sourcePortRange: '*'
      destinationAddressPrefix: 'Internet'
      destinationPortRange: '443'
    }
  }
  {
    name: 'deny-other'
    properties: {
      description: 'The archive needs nothing else.'
      priority: 4000
      direction: 'Outbound'
      access: 'Deny'
      protocol: '*'
      sourceAddressPrefix: '*'
      sourcePortRange: '*'
      destinationAddressPrefix: '*'
      destinationPortRange: '*'
    }
  }
]
var rules = {
  app: [...denyInternet, ...onlyServices]
  endpoints: denyInternet
  gateway: denyInternet
  operators: denyInternet
}

resource groups 'Microsoft.Network/networkSecurityGroups@2025-05-01' = [
  for name in names: {
    name: '${baseName}-${name}-nsg'
    location: location
    tags: tags
    properties: { securityRules: rules[name] }
  }
]

resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: '${baseName}-nat-pip'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Regional' }
  zones: zoneRedundant ? ['1', '2', '3'] : null
  properties: { publicIPAllocationMethod: 'Static' }
}

resource nat 'Microsoft.Network/natGateways@2025-05-01' = {
  name: '${baseName}-nat'
  location: location
  tags: tags
  // StandardV2, which is in all zones, does not serve the subnets of apps. Only telemetry and sign-ins go this way, so the
  // archive works on without it.
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 4
    publicIpAddresses: [{ id: address.id }]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: '${baseName}-vnet'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: concat(
      map(range(0, length(names)), i => {
        name: names[i]
        properties: {
          addressPrefix: ranges[names[i]]
          networkSecurityGroup: {
            id: resourceId('Microsoft.Network/networkSecurityGroups', '${baseName}-${names[i]}-nsg')
          }
          natGateway: names[i] == 'endpoints' ? null : { id: nat.id }
          defaultOutboundAccess: false
          privateEndpointNetworkPolicies: 'Enabled'
          delegations: contains(delegations, names[i])
            ? [{ name: names[i], properties: { serviceName: delegations[names[i]] } }]
            : []
        }
      }),
      [
        {
          // The name that Azure demands. Azure keeps the traffic of Bastion in order itself.
          name: 'AzureBastionSubnet'
          properties: { addressPrefix: ranges.bastion, defaultOutboundAccess: false }
        }
      ]
    )
  }
  dependsOn: [groups]
}

resource groupDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = [
  for (name, i) in names: {
    name: diagnosticsName
    scope: groups[i]
    properties: {
      workspaceId: workspaceId
      logs: [{ categoryGroup: 'allLogs', enabled: true }]
    }
  }
]

resource networkDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: network
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource addressDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: address
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Network id.')
output id string = network.id
@description('Subnets by their use.')
output subnets subnetIds = {
  app: '${network.id}/subnets/app'
  endpoints: '${network.id}/subnets/endpoints'
  gateway: '${network.id}/subnets/gateway'
  operators: '${network.id}/subnets/operators'
  bastion: '${network.id}/subnets/AzureBastionSubnet'
}
