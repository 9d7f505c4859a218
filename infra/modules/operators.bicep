// Operators look at the resources and the logs, as the runbooks tell them. The roles of the data are with the data.
import { roles } from '../types.bicep'

@description('Object id of the group of the operators.')
param operatorsId string

resource mayLook 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, operatorsId, roles.reader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.reader)
    principalId: operatorsId
    principalType: 'Group'
    description: 'Operators find the resources, their metrics and their state. Bastion asks for this role too.'
  }
}

resource mayReadLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, operatorsId, roles.logAnalyticsReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
    principalId: operatorsId
    principalType: 'Group'
    description: 'Operators run the queries of the runbooks, and open a ticket at Microsoft.'
  }
}
