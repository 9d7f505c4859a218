// Each service gets an address in the network, and a DNS zone that leads its name there.
import { endpointTarget, resourceTags } from '../types.bicep'

@description('Beginning of the names.')
param baseName string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Network in which the names lead to the endpoints.')
param networkId string
@description('Subnet of the endpoints.')
param subnetId string
@description('Resources that get an endpoint.')
param targets endpointTarget[]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in targets: {
    name: target.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, i) in targets: {
    parent: zones[i]
    name: baseName
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for (target, i) in targets: {
    name: '${baseName}-${target.name}-pep'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      customNetworkInterfaceName: '${baseName}-${target.name}-pep-nic'
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            privateLinkServiceId: targets[i].resourceId
            groupIds: [target.groupId]
          }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (target, i) in targets: {
    parent: endpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: target.name, properties: { privateDnsZoneId: zones[i].id } }]
    }
    dependsOn: [links]
  }
]
