// The way in for operators. They sign in with Entra ID through Azure Bastion, and `python -m ops` uses the identity of
// the machine. The machine has no public address.
import { diagnosticsName, jumpHostOptions, resourceTags, roles } from '../types.bicep'

@description('Beginning of the names.')
param baseName string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Machine.')
param options jumpHostOptions
@description('Identity that `python -m ops` uses. It must be a member of the group of the operators.')
param identityId string
@description('Object id of the group of the operators.')
param operatorsId string
@description('Subnet of the machine.')
param subnetId string
@description('Subnet of Bastion.')
param bastionSubnetId string
@description('Spread Bastion over the availability zones.')
param zoneRedundant bool
@description('Log Analytics workspace.')
param workspaceId string

// Azure demands one. Nobody signs in as this user.
var firstUser = 'u${uniqueString(resourceGroup().id)}'

resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: '${baseName}-bastion-pip'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Regional' }
  zones: zoneRedundant ? ['1', '2', '3'] : null
  properties: { publicIPAllocationMethod: 'Static' }
}

resource bastion 'Microsoft.Network/bastionHosts@2025-05-01' = {
  name: '${baseName}-bastion'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  zones: zoneRedundant ? ['1', '2', '3'] : null
  properties: {
    enableTunneling: true
    disableCopyPaste: false
    ipConfigurations: [
      {
        name: 'default'
        properties: {
          subnet: { id: bastionSubnetId }
          publicIPAddress: { id: address.id }
        }
      }
    ]
  }
}

resource card 'Microsoft.Network/networkInterfaces@2025-05-01' = {
  name: '${baseName}-ops-nic'
  location: location
  tags: tags
  properties: {
    ipConfigurations: [
      {
        name: 'default'
        properties: {
          subnet: { id: subnetId }
          privateIPAllocationMethod: 'Dynamic'
        }
      }
    ]
  }
}

resource machine 'Microsoft.Compute/virtualMachines@2025-04-01' = {
  name: '${baseName}-ops-vm'
  location: location
  tags: tags
  identity: {
    // The sign-in with Entra ID needs the first one.
    type: 'SystemAssigned, UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    hardwareProfile: { vmSize: options.vmSize }
    securityProfile: {
      securityType: 'TrustedLaunch'
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true }
      encryptionAtHost: true
    }
    storageProfile: {
      imageReference: { publisher: 'Canonical', offer: 'ubuntu-24_04-lts', sku: 'server', version: 'latest' }
      osDisk: {
        createOption: 'FromImage'
        deleteOption: 'Delete'
        managedDisk: { storageAccountType: 'StandardSSD_LRS' }
      }
    }
    networkProfile: { networkInterfaces: [{ id: card.id, properties: { deleteOption: 'Delete' } }] }
    osProfile: {
      computerName: 'ops'
      // Azure refuses another one for a machine that exists.
      customData: base64(loadTextContent('../jump-host/cloud-init.yaml'))
      adminUsername: firstUser
      linuxConfiguration: {
        disablePasswordAuthentication: true
        provisionVMAgent: true
        ssh: {
          publicKeys: [
            {
              path: '/home/${firstUser}/.ssh/authorized_keys'
              keyData: options.sshPublicKey
            }
          ]
        }
        patchSettings: {
          patchMode: 'AutomaticByPlatform'
          assessmentMode: 'AutomaticByPlatform'
        }
      }
    }
  }

  resource signIn 'extensions' = {
    name: 'AADSSHLoginForLinux'
    location: location
    tags: tags
    properties: {
      publisher: 'Microsoft.Azure.ActiveDirectory'
      type: 'AADSSHLoginForLinux'
      typeHandlerVersion: '1.0'
      autoUpgradeMinorVersion: true
    }
  }
}

resource mayLogIn 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(machine.id, operatorsId, roles.virtualMachineUserLogin)
  scope: machine
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.virtualMachineUserLogin)
    principalId: operatorsId
    principalType: 'Group'
    description: 'Operators sign in to the machine, without the rights of root.'
  }
}

resource bastionDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: bastion
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
