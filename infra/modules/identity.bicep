// One identity for the app and, where there is a machine of the operators, one for those who work there.
import { resourceTags } from '../types.bicep'

@description('Name.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id
@description('Object id in Entra ID.')
output principalId string = identity.properties.principalId
@description('Client id, which settings name.')
output clientId string = identity.properties.clientId
